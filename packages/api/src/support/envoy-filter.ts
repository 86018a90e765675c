import type {
  EnvoyFilter,
  EnvoyFilter_ClusterMatch,
  EnvoyFilter_EnvoyConfigObjectMatch,
  EnvoyFilter_EnvoyConfigObjectPatch,
  EnvoyFilter_ListenerMatch,
  EnvoyFilter_ListenerMatch_FilterChainMatch,
  EnvoyFilter_ListenerMatch_FilterMatch,
  EnvoyFilter_ListenerMatch_SubFilterMatch,
  EnvoyFilter_Patch,
  EnvoyFilter_ProxyMatch,
  EnvoyFilter_RouteConfigurationMatch,
  EnvoyFilter_RouteConfigurationMatch_RouteMatch,
  EnvoyFilter_RouteConfigurationMatch_VirtualHostMatch,
} from '../gen/istio.networking.v1alpha3.ts';
import { TARGETS } from './targets.ts';
import { byEngine, except, fields, left, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const EF = 'istio.networking.v1alpha3.EnvoyFilter';
const WAYPOINT = left('there are no waypoints to patch');
const ISTIO_IGNORES = moot('Istio does nothing with it, either');
const PORT = 'HTTP routes of all ports share one configuration here, whose virtual hosts name their port';

export const envoyFilter: MessageTable = {
  [EF]: fields<EnvoyFilter>({
    workloadSelector: yes('workloads it is for; all of its namespace (or of the mesh) when left out'),
    targetRefs: TARGETS.targetRefs,
    configPatches: yes("changes to what proxies are sent; what a proxy cannot do, it refuses with the patch's line"),
    priority: yes('lower ones are applied first'),
  }),
  [`${EF}.EnvoyConfigObjectPatch`]: fields<EnvoyFilter_EnvoyConfigObjectPatch>({
    applyTo: except(yes('what is changed'), {
      BOOTSTRAP: byEngine(
        left("Mizzen's own proxy has no bootstrap", 'set what can be set in MeshConfig'),
        yes('what Envoys that `mizzen up` starts are started with'),
      ),
    }),
    match: yes('which of them'),
    patch: yes('how'),
  }),
  [`${EF}.EnvoyConfigObjectMatch`]: fields<EnvoyFilter_EnvoyConfigObjectMatch>({
    context: except(yes('which way the traffic goes'), { WAYPOINT }),
    proxy: yes('which proxies, by what they say of themselves'),
    listener: yes('which listeners and filter chains'),
    routeConfiguration: yes('which route configurations'),
    cluster: yes('which clusters'),
    waypoint: WAYPOINT,
  }),
  [`${EF}.ProxyMatch`]: fields<EnvoyFilter_ProxyMatch>({
    proxyVersion: byEngine(
      left("the proxies that run here are not Istio's and have no version of it, so the patch passes them by"),
      yes("Istio's version that the proxy says it has (`ISTIO_VERSION`); one that says none is passed by"),
    ),
    metadata: yes('values that the proxy sends as metadata of its node'),
  }),
  [`${EF}.ListenerMatch`]: fields<EnvoyFilter_ListenerMatch>({
    portNumber: yes('the port of the Gateway, the container or the service', 'Listener.address'),
    portName: ISTIO_IGNORES,
    filterChain: yes('which of its filter chains'),
    listenerFilter: yes('which listener filter, for patches of `LISTENER_FILTER`', 'ListenerFilter.name'),
    name: yes('its name; `virtualInbound` is every inbound listener here', 'Listener.name'),
  }),
  [`${EF}.ListenerMatch.FilterChainMatch`]: fields<EnvoyFilter_ListenerMatch_FilterChainMatch>({
    name: yes('its name', 'FilterChain.name'),
    sni: yes('a server name it is for', 'FilterChainMatch.serverNames'),
    transportProtocol: yes('`tls` or `raw_buffer`', 'FilterChainMatch.transportProtocol'),
    applicationProtocols: yes('protocols it is for, all of them', 'FilterChainMatch.applicationProtocols'),
    filter: yes('which network filter', 'Filter.name'),
    destinationPort: yes('the port of the container', 'FilterChainMatch.destinationPort'),
    transportSocket: yes("the name of the chain's transport socket", 'FilterChain.transportSocket'),
  }),
  [`${EF}.ListenerMatch.FilterMatch`]: fields<EnvoyFilter_ListenerMatch_FilterMatch>({
    name: yes('its name', 'Filter.name'),
    subFilter: yes('which HTTP filter of it', 'HttpFilter.name'),
  }),
  [`${EF}.ListenerMatch.SubFilterMatch`]: fields<EnvoyFilter_ListenerMatch_SubFilterMatch>({
    name: yes('its name', 'HttpFilter.name'),
  }),
  [`${EF}.RouteConfigurationMatch`]: fields<EnvoyFilter_RouteConfigurationMatch>({
    portNumber: yes(`the port; ${PORT}`, 'RouteConfiguration.name', 'VirtualHost.name'),
    portName: yes("the name of a Gateway's port, of those that end TLS", 'RouteConfiguration.name'),
    gateway: yes('`namespace/name` of the Gateway, of those that end TLS', 'RouteConfiguration.name'),
    vhost: yes('which virtual host'),
    name: yes(`its name; ${PORT}`, 'RouteConfiguration.name', 'VirtualHost.name'),
  }),
  [`${EF}.RouteConfigurationMatch.VirtualHostMatch`]: fields<EnvoyFilter_RouteConfigurationMatch_VirtualHostMatch>({
    name: yes('its name', 'VirtualHost.name'),
    domainName: yes('one of its domains', 'VirtualHost.domains'),
    route: yes('which of its routes'),
  }),
  [`${EF}.RouteConfigurationMatch.RouteMatch`]: fields<EnvoyFilter_RouteConfigurationMatch_RouteMatch>({
    name: yes('its name', 'Route.name'),
    action: yes('what it does', 'Route.route', 'Route.redirect', 'Route.directResponse'),
  }),
  [`${EF}.ClusterMatch`]: fields<EnvoyFilter_ClusterMatch>({
    portNumber: yes("the service's port", 'Cluster.name'),
    service: yes("the service's full name", 'Cluster.name'),
    subset: yes('its subset', 'Cluster.name'),
    name: yes('its name, instead of all of that', 'Cluster.name'),
  }),
  [`${EF}.Patch`]: fields<EnvoyFilter_Patch>({
    operation: yes('merge, add, remove, insert or replace'),
    value: yes("what is merged or added, in Envoy's own JSON"),
    filterClass: ISTIO_IGNORES,
  }),
};

import type {
  AllowedRoutes,
  BackendRef,
  CORSFilter,
  GatewayAddress,
  GatewayClassSpec,
  GatewayInfrastructure,
  GatewaySpec,
  GrantFrom,
  GrantTo,
  HTTPBackendRef,
  HTTPPathMatch,
  HTTPRouteFilter,
  HTTPRouteMatch,
  HTTPRouteRetry,
  HTTPRouteRule,
  HTTPRouteSpec,
  HTTPRouteTimeouts,
  HeaderFilter,
  Listener,
  ListenerTLS,
  MirrorFraction,
  NameValue,
  NamedMatch,
  ParentRef,
  PathModifier,
  ReferenceGrantSpec,
  RequestMirror,
  RequestRedirect,
  RouteKind,
  RouteNamespaces,
  SecretRef,
  URLRewrite,
} from '../../gateway-api.ts';
import { except, left, moot, yes } from '../types.ts';
import { kubernetesFields, of } from './fields.ts';
import type { KubernetesTable } from './fields.ts';

const NO_OTHER_ROUTES = left('only HTTPRoutes are read, and no HTTPRoute can be attached to such a listener');
const WAYPOINT = left('there are no waypoints: pods have sidecars');
const CLUSTER = 'RouteAction.cluster';

/** The kinds of gateway.networking.k8s.io that are read. */
export const gatewayApi: KubernetesTable = {
  GatewayClassSpec: kubernetesFields<GatewayClassSpec>({
    controllerName: yes('`istio.io/gateway-controller`: its Gateways are served'),
    description: moot('it is for people'),
    parametersRef: left('Istio does not read it either'),
  }),
  GatewaySpec: kubernetesFields<GatewaySpec>({
    gatewayClassName: yes('`istio`, or a GatewayClass of its controller'),
    listeners: of('Listener', yes('what is listened on', 'Listener.filterChains')),
    addresses: of('GatewayAddress', yes('an existing Service whose pods are the gateway; else one is started')),
    infrastructure: of('GatewayInfrastructure', yes('about the pods and the Service that are started')),
    allowedListeners: left('ListenerSets are not read'),
    defaultScope: left('routes must name their Gateways'),
    tls: left('client certificates are asked for by no listener because of it', 'use `options` of the listener'),
  }),
  GatewayAddress: kubernetesFields<GatewayAddress>({
    type: except(yes('`Hostname`: `value` names the Service'), {
      IPAddress: moot('gateways listen on 127.0.0.1'),
      NamedAddress: left('Istio does not read it either', 'use `Hostname`'),
    }),
    value: yes('a Service, by full or short name'),
  }),
  GatewayInfrastructure: kubernetesFields<GatewayInfrastructure>({
    labels: yes('labels of the pods and the Service'),
    annotations: yes('annotations of the pods'),
    parametersRef: left('it is about Deployments in a cluster; the pods that are started stay as they are'),
  }),
  Listener: kubernetesFields<Listener>({
    name: yes("what `sectionName` names; part of the route configuration's name", 'RouteConfiguration.name'),
    hostname: yes('hosts of routes must fit it', 'VirtualHost.domains', 'FilterChainMatch.serverNames'),
    port: yes('the port', 'Listener.address'),
    protocol: except(yes('HTTP or HTTPS', 'Listener.filterChains'), {
      TLS: NO_OTHER_ROUTES,
      TCP: NO_OTHER_ROUTES,
      UDP: NO_OTHER_ROUTES,
      HBONE: WAYPOINT,
    }),
    tls: of('ListenerTLS', yes('certificates', 'FilterChain.transportSocket')),
    allowedRoutes: of('AllowedRoutes', yes('which routes may be attached')),
  }),
  ListenerTLS: kubernetesFields<ListenerTLS>({
    mode: yes('`Terminate`: TLS ends at the gateway', 'FilterChain.transportSocket'),
    certificateRefs: of('SecretRef', yes('Secrets with certificate and key', 'SdsSecretConfig.name')),
    options: yes(
      '`gateway.istio.io/tls-terminate-mode`: MUTUAL, OPTIONAL_MUTUAL (roots in the Secret `NAME-cacert`) or ISTIO_MUTUAL',
      'DownstreamTlsContext.requireClientCertificate',
    ),
    frontendValidation: left('no client certificate is asked for', 'use `options`'),
  }),
  SecretRef: kubernetesFields<SecretRef>({
    group: yes('the core group'),
    kind: yes('`Secret`'),
    name: yes('its name'),
    namespace: yes('its namespace; another than the own needs a ReferenceGrant'),
  }),
  AllowedRoutes: kubernetesFields<AllowedRoutes>({
    namespaces: of('RouteNamespaces', yes("namespaces whose routes may; the Gateway's own when left out")),
    kinds: of('RouteKind', yes('kinds of routes that may')),
  }),
  RouteNamespaces: kubernetesFields<RouteNamespaces>({
    from: yes('All, Same, Selector or None'),
    selector: yes('labels of the namespaces'),
  }),
  RouteKind: kubernetesFields<RouteKind>({
    group: yes('gateway.networking.k8s.io when left out'),
    kind: yes('HTTPRoute'),
  }),
  HTTPRouteSpec: kubernetesFields<HTTPRouteSpec>({
    parentRefs: of('ParentRef', yes('Gateways, or Services of the mesh, it is attached to')),
    hostnames: yes('hosts it is for; without effect in the mesh, where the Service says', 'VirtualHost.domains'),
    rules: of(
      'HTTPRouteRule',
      yes('the rules; across all routes the more specific match counts', 'VirtualHost.routes'),
    ),
    useDefaultGateways: left('routes must name their Gateways', 'list them in `parentRefs`'),
  }),
  ParentRef: kubernetesFields<ParentRef>({
    group: yes('gateway.networking.k8s.io when left out; the core group for a Service'),
    kind: yes('Gateway, Service or ServiceEntry'),
    namespace: yes('its namespace; a Service of another one is reached so from this namespace alone'),
    name: yes('its name'),
    sectionName: yes('a listener of the Gateway; all when left out'),
    port: yes("the listener's or the Service's port; all when left out"),
  }),
  HTTPRouteRule: kubernetesFields<HTTPRouteRule>({
    name: yes('names the route in access logs and traces', 'Route.name'),
    matches: of('HTTPRouteMatch', yes('conditions, of which one must hold', 'Route.match')),
    filters: of('HTTPRouteFilter', yes('what is done with requests and answers')),
    backendRefs: of(
      'HTTPBackendRef',
      yes('where to, by weight; 500 without any', CLUSTER, 'RouteAction.weightedClusters'),
    ),
    timeouts: of('HTTPRouteTimeouts', yes('times', 'RouteAction.timeout')),
    retry: of('HTTPRouteRetry', yes('when and how often to try again', 'RouteAction.retryPolicy')),
    sessionPersistence: left('Istio does not read it either', 'use a DestinationRule with `consistentHash`'),
  }),
  HTTPRouteMatch: kubernetesFields<HTTPRouteMatch>({
    path: of('HTTPPathMatch', yes('the path')),
    headers: of('NamedMatch', yes('headers, all of which must fit', 'RouteMatch.headers')),
    queryParams: of('NamedMatch', yes('query parameters, all of which must fit', 'RouteMatch.queryParameters')),
    method: yes('the method', 'RouteMatch.headers'),
  }),
  HTTPPathMatch: kubernetesFields<HTTPPathMatch>({
    type: yes('Exact, PathPrefix (by whole segments; when left out) or RegularExpression'),
    value: yes('`/` when left out', 'RouteMatch.path', 'RouteMatch.pathSeparatedPrefix', 'RouteMatch.safeRegex'),
  }),
  NamedMatch: kubernetesFields<NamedMatch>({
    type: yes('Exact (when left out) or RegularExpression'),
    name: yes('the name'),
    value: yes('the value', 'StringMatcher.exact', 'StringMatcher.safeRegex'),
  }),
  HTTPRouteFilter: kubernetesFields<HTTPRouteFilter>({
    type: yes('which one; ExtensionRef and ExternalAuth are refused'),
    requestHeaderModifier: of('HeaderFilter', yes('changes request headers', 'Route.requestHeadersToAdd')),
    responseHeaderModifier: of('HeaderFilter', yes('changes response headers', 'Route.responseHeadersToAdd')),
    requestMirror: of('RequestMirror', yes('sends a copy of each request', 'RouteAction.requestMirrorPolicies')),
    requestRedirect: of('RequestRedirect', yes('answers with a redirect', 'Route.redirect')),
    urlRewrite: of('URLRewrite', yes('changes path or host on the way', 'RouteAction.prefixRewrite')),
    cors: of('CORSFilter', yes('answers cross-origin requests', 'Route.typedPerFilterConfig')),
    extensionRef: left('Istio has no filter of its own to refer to'),
    externalAuth: left('Istio does not read it either', 'use an AuthorizationPolicy with `action: CUSTOM`'),
  }),
  HeaderFilter: kubernetesFields<HeaderFilter>({
    set: of('NameValue', yes('replaces', 'HeaderValueOption.appendAction')),
    add: of('NameValue', yes('adds', 'HeaderValueOption.header')),
    remove: yes('removes', 'Route.requestHeadersToRemove', 'Route.responseHeadersToRemove'),
  }),
  NameValue: kubernetesFields<NameValue>({
    name: yes('the header', 'HeaderValueOption.header'),
    value: yes('its value', 'HeaderValueOption.header'),
  }),
  RequestMirror: kubernetesFields<RequestMirror>({
    backendRef: of('BackendRef', yes('where the copy goes', 'RequestMirrorPolicy.cluster')),
    percent: yes('share of the requests', 'RequestMirrorPolicy.runtimeFraction'),
    fraction: of('MirrorFraction', yes('the same, as a fraction', 'RequestMirrorPolicy.runtimeFraction')),
  }),
  MirrorFraction: kubernetesFields<MirrorFraction>({
    numerator: yes('of so many', 'FractionalPercent.numerator'),
    denominator: yes('these; 100 when left out', 'FractionalPercent.numerator'),
  }),
  RequestRedirect: kubernetesFields<RequestRedirect>({
    scheme: yes('replaces the scheme', 'RedirectAction.schemeRedirect'),
    hostname: yes('replaces the host', 'RedirectAction.hostRedirect'),
    path: of('PathModifier', yes('replaces the path', 'RedirectAction.pathRedirect', 'RedirectAction.prefixRewrite')),
    port: yes("replaces the port; the scheme's or the listener's when left out", 'RedirectAction.portRedirect'),
    statusCode: yes('301 unless told (Istio does not have the 302 of the Gateway API)', 'RedirectAction.responseCode'),
  }),
  URLRewrite: kubernetesFields<URLRewrite>({
    hostname: yes('replaces the host', 'RouteAction.hostRewriteLiteral'),
    path: of('PathModifier', yes('replaces the path', 'RouteAction.prefixRewrite', 'RouteAction.regexRewrite')),
  }),
  PathModifier: kubernetesFields<PathModifier>({
    type: yes('ReplaceFullPath or ReplacePrefixMatch'),
    replaceFullPath: yes('the whole path'),
    replacePrefixMatch: yes('the part of it that matched'),
  }),
  CORSFilter: kubernetesFields<CORSFilter>({
    allowOrigins: yes('origins that may ask; `*` stands for anything in them', 'CorsPolicy.allowOriginStringMatch'),
    allowCredentials: yes('whether credentials may be sent', 'CorsPolicy.allowCredentials'),
    allowMethods: yes('methods they may use', 'CorsPolicy.allowMethods'),
    allowHeaders: yes('headers they may send', 'CorsPolicy.allowHeaders'),
    exposeHeaders: yes('headers they may see', 'CorsPolicy.exposeHeaders'),
    maxAge: yes('how long an answer to a preflight counts', 'CorsPolicy.maxAge'),
  }),
  BackendRef: kubernetesFields<BackendRef>(backendRef()),
  HTTPBackendRef: kubernetesFields<HTTPBackendRef>({
    ...backendRef(),
    weight: yes('its share; 1 when left out', 'WeightedCluster.ClusterWeight.weight'),
    filters: of(
      'HTTPRouteFilter',
      yes('header modifiers for this backend only', 'WeightedCluster.ClusterWeight.requestHeadersToAdd'),
    ),
  }),
  HTTPRouteTimeouts: kubernetesFields<HTTPRouteTimeouts>({
    request: yes('time for the whole answer, retries included', 'RouteAction.timeout'),
    backendRequest: yes(
      'time for one attempt; where nothing is said of retries it replaces `request`',
      'RouteAction.timeout',
      'RetryPolicy.perTryTimeout',
    ),
  }),
  HTTPRouteRetry: kubernetesFields<HTTPRouteRetry>({
    codes: yes('status codes to try again after, beside failed connections', 'RetryPolicy.retriableStatusCodes'),
    attempts: yes('how often; twice when left out, 0 switches retries off', 'RetryPolicy.numRetries'),
    backoff: yes('the base of the wait between attempts', 'RetryPolicy.retryBackOff'),
  }),
  ReferenceGrantSpec: kubernetesFields<ReferenceGrantSpec>({
    from: of('GrantFrom', yes('who may refer')),
    to: of('GrantTo', yes('to what in its namespace')),
  }),
  GrantFrom: kubernetesFields<GrantFrom>({
    group: yes('gateway.networking.k8s.io'),
    kind: yes('Gateway or HTTPRoute'),
    namespace: yes('their namespace'),
  }),
  GrantTo: kubernetesFields<GrantTo>({
    group: yes('the core group'),
    kind: yes('Secret (for Gateways) or Service (for HTTPRoutes)'),
    name: yes('one; all when left out'),
  }),
};

function backendRef(): { readonly [K in keyof BackendRef]-?: ReturnType<typeof yes> } {
  return {
    group: yes('the core group when left out; networking.istio.io for `Hostname`'),
    kind: except(yes('Service (when left out) or Hostname; requests for anything else are answered with 500'), {
      InferencePool: left('requests for it are answered with 500'),
      ServiceImport: left('requests for it are answered with 500', 'name the Service'),
    }),
    name: yes('the Service, or the full name of a host', CLUSTER),
    namespace: yes('its namespace; for Gateways, another than the own needs a ReferenceGrant', CLUSTER),
    port: yes("the Service's port", CLUSTER),
  };
}

import type {
  IstioEgressListener,
  IstioIngressListener,
  OutboundTrafficPolicy,
  Sidecar,
} from '../gen/istio.networking.v1alpha3.ts';
import { fields, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const NET = 'istio.networking.v1alpha3';
const ONE_WAY_OUT = moot("there is one way out for everything, the sidecar's HTTP proxy; `hosts` counts");

export const sidecar: MessageTable = {
  [`${NET}.Sidecar`]: fields<Sidecar>({
    workloadSelector: yes('workloads it is for; all of its namespace when left out'),
    ingress: yes("what the sidecar listens for, in place of the services' ports", 'Listener.address'),
    egress: yes('what the workload may see'),
    inboundConnectionPool: yes('limits towards the application', 'Cluster.circuitBreakers'),
    outboundTrafficPolicy: yes('what happens to hosts that nobody declared', 'VirtualHost.domains'),
  }),
  [`${NET}.IstioIngressListener`]: fields<IstioIngressListener>({
    port: yes('port and protocol', 'Listener.address'),
    bind: moot('each pod has an address of its own, where its sidecar listens'),
    captureMode: moot('nothing is intercepted'),
    defaultEndpoint: yes(
      'where the application is; a container port is where it was told to listen',
      'Endpoint.address',
    ),
    tls: yes('TLS of clients, where PeerAuthentication is DISABLE', 'FilterChain.transportSocket'),
    connectionPool: yes('limits towards the application', 'Cluster.circuitBreakers'),
  }),
  [`${NET}.IstioEgressListener`]: fields<IstioEgressListener>({
    port: yes('of the imported services only this port is seen; nothing listens on it'),
    bind: ONE_WAY_OUT,
    captureMode: ONE_WAY_OUT,
    hosts: yes('`namespace/host` of services and VirtualServices'),
  }),
  [`${NET}.OutboundTrafficPolicy`]: fields<OutboundTrafficPolicy>({
    mode: yes('ALLOW_ANY passes them on, REGISTRY_ONLY answers 502', 'RouteAction.cluster', 'Route.directResponse'),
    egressProxy: yes('a service they are sent to instead', 'RouteAction.cluster'),
  }),
};

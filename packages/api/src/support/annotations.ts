import type { Support } from './types.ts';
import { except, left, moot, yes } from './types.ts';

const INTERCEPTION = moot('nothing is intercepted');
const PROCESS = moot("it is about the container of Istio's proxy, which is not there");
const AMBIENT = left('there are no waypoints: pods have sidecars', 'sidecars enforce the same policies by `selector`');

/** Labels and annotations that have a meaning, by name. A trailing `*` stands for any ending; the first one counts. */
export const METADATA: readonly (readonly [name: string, support: Support])[] = [
  ['mizzen.dev/run', yes('what a container runs here: a command, `external`, or `stand-in`')],
  ['mizzen.dev/run.*', yes('the same for the container of this name')],
  ['mizzen.dev/dir', yes("where it runs, from the file's directory")],
  ['mizzen.dev/dir.*', yes('the same for the container of this name')],
  ['mizzen.dev/watch', yes('paths whose change restarts it')],
  ['mizzen.dev/watch.*', yes('the same for the container of this name')],
  ['mizzen.dev/requires', yes('programs that must be installed to start it')],
  ['mizzen.dev/requires.*', yes('the same for the container of this name')],
  ['mizzen.dev/build', yes('a command that runs before it, for what it makes in `$MIZZEN_BUILD_DIR`')],
  ['mizzen.dev/build.*', yes('the same for the container of this name')],
  ['mizzen.dev/engine', yes("what a pod's sidecar (or a gateway) is: `mizzen` or `envoy`")],
  [
    'mizzen.dev/*',
    left('Mizzen knows no such annotation', 'it knows `run`, `dir`, `watch`, `requires`, `build` and `engine`'),
  ],

  ['sidecar.istio.io/inject', yes('whether a pod gets a sidecar')],
  ['istio-injection', yes("whether a namespace's pods get sidecars")],
  ['istio.io/rev', yes('the same; the revision itself does not matter')],
  ['inject.istio.io/templates', yes('`gateway`: the pod is a gateway')],
  ['gateway.istio.io/name-override', yes('name of the Deployment and Service that are started for a Gateway')],
  ['gateway.istio.io/service-account', yes('service account of the pods that are started for a Gateway')],
  ['gateway.istio.io/*', left('Mizzen starts gateways without it')],
  ['gateway.networking.k8s.io/gateway-name', yes('on pods: the Gateway they are; policies can name it')],
  ['gateway.networking.k8s.io/*', moot('it is for people')],
  ['istio.io/dry-run', yes('an AuthorizationPolicy that only counts', 'http.rbac.v3.RBAC.shadowRules')],
  ['networking.istio.io/exportTo', yes('namespaces a Service is visible in')],
  [
    'networking.istio.io/traffic-distribution',
    yes('which endpoints are used first, by where they are', 'LocalityLbEndpoints.priority'),
  ],
  [
    'alpha.istio.io/kubernetes-serviceaccounts',
    yes('more identities of a Service', 'CertificateValidationContext.matchSubjectAltNames'),
  ],
  ['alpha.istio.io/canonical-serviceaccounts', left("the endpoints' own identities count")],
  [
    'security.istio.io/tlsMode',
    yes('whether mutual TLS is spoken to a WorkloadEntry', 'Cluster.transportSocketMatches'),
  ],
  ['istio-locality', yes('where a pod is', 'LocalityLbEndpoints.locality')],
  ['topology.istio.io/subzone', yes('where a Node is', 'LocalityLbEndpoints.locality')],
  ['topology.istio.io/*', moot('there is one network and one cluster')],
  ['service.istio.io/canonical-name', yes('what telemetry calls a workload')],
  ['service.istio.io/canonical-revision', yes('its version')],

  ['proxy.istio.io/config', yes("a ProxyConfig for the pod's own proxy, over MeshConfig's `defaultConfig`")],
  ['proxy.istio.io/overrides', PROCESS],
  ['traffic.sidecar.istio.io/*', INTERCEPTION],
  ['sidecar.istio.io/interceptionMode', INTERCEPTION],
  ['istio.io/reroute-virtual-interfaces', INTERCEPTION],
  ['sidecar.istio.io/bootstrapOverride', PROCESS],
  ['sidecar.istio.io/*', PROCESS],
  ['readiness.status.sidecar.istio.io/*', PROCESS],
  ['status.sidecar.istio.io/*', PROCESS],
  ['prometheus.istio.io/merge-metrics', yes("`false`: the application's metrics are not served with its sidecar's")],
  ['prometheus.istio.io/*', moot('proxies and applications each serve their own metrics')],

  ['istio.io/dataplane-mode', except(yes('`none` and nothing else'), { ambient: AMBIENT })],
  ['istio.io/use-waypoint', AMBIENT],
  ['istio.io/use-waypoint-namespace', AMBIENT],
  ['istio.io/ingress-use-waypoint', AMBIENT],
  ['istio.io/waypoint-for', AMBIENT],
  ['ambient.istio.io/*', AMBIENT],
];

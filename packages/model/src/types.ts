import type { Path, Ref } from '@mizzen/diagnostics';
import type { TrafficDistribution } from './traffic-distribution.ts';
import type { Resource, Snapshot, k8s, mesh, networking, security } from '@mizzen/api';
import type { GatewayApi } from './gateway-api/index.ts';

/** Protocols a service port can have, by Istio's rules (appProtocol, then the port's name; otherwise `auto` is sniffed). */
export type Protocol =
  | 'http'
  | 'http2'
  | 'grpc'
  | 'grpc-web'
  | 'https'
  | 'tls'
  | 'tcp'
  | 'mongo'
  | 'mysql'
  | 'redis'
  | 'udp'
  | 'hbone'
  | 'auto';

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Only for Kubernetes Services: the container port's number or name. ServiceEntry: a number. */
  readonly targetPort: number | string;
}

/** How endpoints of a service are found. */
export type Resolution = 'static' | 'dns' | 'dns-round-robin' | 'dynamic-dns' | 'passthrough' | 'alias';

/** A Kubernetes Service, or one host of a ServiceEntry. */
export interface Service {
  readonly hostname: string;
  readonly name: string;
  readonly namespace: string;
  readonly registry: 'Kubernetes' | 'External';
  readonly ports: readonly ServicePort[];
  /** Virtual addresses; empty when it has none. */
  readonly addresses: readonly string[];
  readonly resolution: Resolution;
  readonly headless: boolean;
  readonly meshExternal: boolean;
  /** Namespaces it is visible in: `*`, or a list with `.` already replaced by its own. Empty: nowhere (`~`). */
  readonly exportTo: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly externalName: string | undefined;
  readonly subjectAltNames: readonly string[];
  readonly trafficDistribution: TrafficDistribution;
  /** Only endpoints on the client's own node count (`internalTrafficPolicy: Local`). */
  readonly nodeLocal: boolean;
  /** The resource it came from, for Origins. */
  readonly resource: Resource;
}

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
  /** As it was written, `region/zone/subzone`; places written differently are kept apart. Absent: all three parts. */
  readonly text?: string;
}

/** Something that runs and has an identity: a pod, or a WorkloadEntry. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly kind: 'Pod' | 'WorkloadEntry';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** IP addresses; for a WorkloadEntry perhaps a host name. */
  readonly addresses: readonly string[];
  readonly containers: readonly k8s.Container[];
  /**
   * Container port → the port bound on its address. Absent entries are bound as they are. (On one machine, ports below
   * 1024 cannot be bound by everybody.)
   */
  readonly boundPorts: Readonly<Record<number, number>>;
  readonly ready: boolean;
  /** Being shut down: kept out of endpoints. */
  readonly terminating: boolean;
  /** Has a sidecar, so mTLS can be spoken to it. */
  readonly hasSidecar: boolean;
  /** What its proxy is; undefined without one, and for workloads that Mizzen does not run. */
  readonly engine?: 'mizzen' | 'envoy' | undefined;
  readonly locality: Locality;
  /** Kubernetes Node it runs on. */
  readonly nodeName: string | undefined;
  readonly network: string;
  readonly cluster: string;
  readonly weight: number;
  /** Name of the controller (Deployment, StatefulSet), or its own. */
  readonly workloadName: string;
  readonly resource: Resource;
}

/** One address a service port can be reached at. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** What the workload itself calls the port, and what policies are written for; `port` may be bound elsewhere. */
  readonly targetPort: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly namespace: string;
  readonly workloadName: string;
  readonly locality: Locality;
  readonly network: string;
  readonly cluster: string;
  readonly tlsMode: 'istio' | 'disabled';
  readonly healthy: boolean;
  /** Whether anybody looks after its health: Kubernetes does, for the endpoints of its services. */
  readonly checked: boolean;
  readonly weight: number;
  /** Kubernetes Node it is on. */
  readonly nodeName: string | undefined;
  readonly workload: Workload | undefined;
}

/** Where proxies of other networks enter one. */
export interface NetworkGateway {
  readonly network: string;
  readonly cluster: string;
  /** An IP address or a host name. */
  readonly address: string;
  readonly port: number;
}

/** What a workload's peers may and must do to reach it, after merging PeerAuthentication by Istio's precedence. */
export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

/** Everything the translators read; immutable; each new Snapshot gives a new one. */
export interface MeshModel {
  readonly snapshot: Snapshot;
  /**
   * Stands for all but routing and policies: models with the same one have the same services, workloads, endpoints,
   * DestinationRules, Sidecars, mTLS modes and mesh settings, and what was made of those alone is the same for both.
   */
  readonly registry: object;
  /**
   * Stands for the same but which endpoints there are: what models with the same one know of endpoints differs in nothing
   * that clusters and listeners are made of, beside which of a workload's own ports a service leads to.
   */
  readonly structure: object;
  readonly mesh: mesh.MeshConfig;
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly domainSuffix: string;
  /** In Istio's order: creation, then namespace and name. */
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  /** `host` as written in a resource of `namespace` → full host name (short names resolve to the cluster's domain). */
  resolveHost(host: string, namespace: string): string;
  /** A service of that name and namespace, Kubernetes' own before any other; visible or not. */
  serviceIn(hostname: string, namespace: string): Service | undefined;
  /** The service that `hostname` names for a proxy in `namespace`, by Istio's visibility rules. */
  serviceFor(hostname: string, namespace: string): Service | undefined;
  /** Endpoints of one port; a subset's labels narrow them. */
  endpoints(service: Service, port: ServicePort, subsetLabels?: Readonly<Record<string, string>>): readonly Endpoint[];
  workloadByAddress(address: string): Workload | undefined;
  /** Services that select this workload, or list it by its address. */
  servicesOf(workload: Workload): readonly Service[];
  /** Services that list an endpoint at this address themselves. */
  servicesAt(address: string): readonly Service[];
  /**
   * What one proxy may see and how its Sidecar resource shapes it. Cached per namespace and labels. Sidecar resources do
   * not concern gateways (`router`).
   */
  scope(namespace: string, labels: Readonly<Record<string, string>>, type?: 'sidecar' | 'router'): ProxyScope;
  /**
   * VirtualServices bound to `gateway` (`namespace/name`, or `mesh`) that a proxy in `namespace` may see; hosts, gateways
   * and destinations are full names, delegates are merged in.
   */
  virtualServices(namespace: string, gateway: string): readonly Resource<networking.VirtualService>[];
  /** Where a part of a VirtualService was written: a merged-in delegate's routes are in another resource. */
  originOfRoute(route: networking.HTTPRoute): { readonly resource: Ref; readonly path: Path } | undefined;
  /** The Gateway API's resources as Istio's own. */
  readonly gatewayApi: GatewayApi;
  readonly networkGateways: readonly NetworkGateway[];
  /** True for services that are only for clients of their own cluster. */
  isClusterLocal(service: Service): boolean;
  /** SPIFFE identities that may answer for a service: its endpoints' and those it names itself; sorted. */
  identities(service: Service): readonly string[];
  /** mTLS mode of a namespace's workloads unless a policy of their own says otherwise. */
  namespaceMtlsMode(namespace: string): MtlsMode;
  /** Policies that apply to a workload, in Istio's order: root namespace, namespace, then with selector. */
  policies(namespace: string, labels: Readonly<Record<string, string>>): WorkloadPolicies;
  /** Effective mTLS mode of a workload's port. */
  mtlsMode(namespace: string, labels: Readonly<Record<string, string>>, port: number): MtlsMode;
  /** Ports of a workload that have an mTLS mode of their own. */
  mtlsPorts(namespace: string, labels: Readonly<Record<string, string>>): readonly number[];
  /** Gateways whose selector fits a workload, or that name (by Istio's internal annotation) one of its services. */
  gatewaysFor(
    namespace: string,
    labels: Readonly<Record<string, string>>,
    serviceHosts?: readonly string[],
  ): readonly Resource<networking.Gateway>[];
}

export interface ProxyScope {
  /** The Sidecar resource in force, if any. */
  readonly sidecar: Resource<networking.Sidecar> | undefined;
  readonly egress: readonly EgressListener[];
  /** Every service visible through any egress listener; one per hostname. */
  readonly services: readonly Service[];
  service(hostname: string): Service | undefined;
  /**
   * The DestinationRule in force for a host as seen from this scope, after merging. One with a workloadSelector counts
   * only for what the selected workloads send (`outbound`, the default).
   */
  destinationRule(hostname: string, direction?: 'inbound' | 'outbound'): MergedDestinationRule | undefined;
  readonly outboundTrafficPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY' | 'ALLOW_ANY_DYNAMIC_DNS';
  /** Where traffic to hosts that nobody declared goes instead of to themselves. */
  readonly egressProxy: networking.Destination | undefined;
}

export interface EgressListener {
  /** From a Sidecar's egress; absent for the catch-all. */
  readonly config: networking.IstioEgressListener | undefined;
  readonly services: readonly Service[];
  readonly virtualServices: readonly Resource<networking.VirtualService>[];
}

export interface MergedDestinationRule {
  readonly spec: networking.DestinationRule;
  /** The resources merged, oldest first; the first one names the rule. */
  readonly from: readonly Resource<networking.DestinationRule>[];
  /** For each subset its own resource, so that an Origin can name it. */
  readonly subsetOrigin: ReadonlyMap<string, { readonly resource: Ref; readonly index: number }>;
}

export interface WorkloadPolicies {
  readonly authorization: readonly Resource<security.AuthorizationPolicy>[];
  readonly requestAuthentication: readonly Resource<security.RequestAuthentication>[];
  readonly peerAuthentication: readonly Resource<security.PeerAuthentication>[];
}

/**
 * A pod that runs on this machine, as the runtime reports it. Overlays the Snapshot: Deployments and StatefulSets are
 * represented by these instead of by what a cluster's controllers would have made of them.
 */
export interface RuntimePod {
  readonly name: string;
  readonly namespace: string;
  /** The Deployment, StatefulSet or Pod it runs. */
  readonly owner: Pick<Ref, 'kind' | 'namespace' | 'name'>;
  readonly address: string;
  readonly boundPorts: Readonly<Record<number, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly hasSidecar: boolean;
  /** What its sidecar is, or what it is itself as a gateway; undefined without a proxy. */
  readonly engine?: 'mizzen' | 'envoy' | undefined;
}

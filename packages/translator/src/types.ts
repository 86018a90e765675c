import type { Engine } from '@mizzen/api';
import type { Path, Ref } from '@mizzen/diagnostics';
import type {
  Bootstrap,
  Cluster,
  ClusterLoadAssignment,
  Listener,
  RouteConfiguration,
  TypedExtensionConfig,
} from '@mizzen/xds';

export type { Engine };

/** A proxy, as its xDS requests describe it. */
export interface Node {
  /** `sidecar~ADDRESS~NAME.NAMESPACE~NAMESPACE.svc.cluster.local`; the first part is `sidecar` or `router` (a gateway). */
  readonly id: string;
  readonly metadata: NodeMetadata;
}

/** Istio's node metadata, as far as it is read; values as Istio's agent sends them. */
export interface NodeMetadata {
  readonly NAME?: string;
  readonly NAMESPACE?: string;
  readonly SERVICE_ACCOUNT?: string;
  readonly LABELS?: Readonly<Record<string, string>>;
  readonly ANNOTATIONS?: Readonly<Record<string, string>>;
  readonly CLUSTER_ID?: string;
  readonly INSTANCE_IPS?: string;
  readonly NODE_NAME?: string;
  readonly INTERCEPTION_MODE?: 'REDIRECT' | 'TPROXY' | 'NONE';
  /** Present: an Istio proxy, which gets what istiod sends (istio.stats and the like). Absent: plain Envoy or ours. */
  readonly ISTIO_VERSION?: string;
  readonly PROXY_CONFIG?: Readonly<Record<string, unknown>>;
  /** Present on proxies that Mizzen's runtime started on this machine. */
  readonly MIZZEN?: LocalProxy;
  /** Of a plain Envoy: the cluster of its bootstrap over which it tells its control plane what Istio's metrics are made of. */
  readonly MIZZEN_METRICS?: string;
  /** Of what Mizzen started: which version did. */
  readonly MIZZEN_VERSION?: string;
  readonly [key: string]: unknown;
}

/** How a proxy is laid out on one machine without network namespaces; all decided by the runtime. */
export interface LocalProxy {
  /** What the proxy is: Mizzen's own (when left out) or a real Envoy. */
  readonly engine?: Engine;
  /** Where access logs go that name no file but standard output; only a real Envoy is told. */
  readonly accessLog?: string;
  /** What EnvoyFilters add to what a real Envoy is started with. */
  readonly bootstrap?: Bootstrap;
  /** Where its HTTP proxy port listens. Absent on gateways. */
  readonly httpProxy?: { readonly address: string; readonly port: number };
  /** Listeners for services that are not HTTP, which the application reaches by address. */
  readonly outbound?: readonly {
    readonly address: string;
    readonly port: number;
    readonly host: string;
    readonly servicePort: number;
  }[];
  /** Inbound: container port → where the sidecar listens for it and where the application listens. */
  readonly inbound?: readonly {
    readonly containerPort: number;
    readonly address: string;
    readonly port: number;
    readonly applicationAddress: string;
    readonly applicationPort: number;
  }[];
  /** Where spans go that no provider of MeshConfig or of a Telemetry is named for; absent: nowhere. */
  readonly traces?: LocalTraces;
  /** Where its metrics are to be had; absent: it keeps none of Istio's. */
  readonly metrics?: LocalMetrics;
  /** Gateways: address, and Gateway server port → port listened on. Ports not listed are as they are. */
  readonly gateway?: { readonly address: string; readonly ports: Readonly<Record<number, number>> };
}

/** Takes spans as Zipkin's second version has them, at `/api/v2/spans`. */
export interface LocalTraces {
  readonly address: string;
  readonly port: number;
}

/** An endpoint for Prometheus: `/stats/prometheus` of the proxy, with the application's own metrics behind it. */
export interface LocalMetrics {
  readonly address: string;
  readonly port: number;
  /** Where the proxy's own are, with nothing beside them; absent: nowhere. */
  readonly proxyPort?: number;
  /** Absent: the application has none, or they are not to be merged. */
  readonly application?: { readonly address: string; readonly port: number; readonly path: string };
}

export interface XdsResources {
  readonly listeners: readonly Listener[];
  readonly routes: readonly RouteConfiguration[];
  readonly clusters: readonly Cluster[];
  readonly endpoints: readonly ClusterLoadAssignment[];
  /** HTTP filters that listeners name and that are fetched by themselves (ECDS). */
  readonly extensions: readonly TypedExtensionConfig[];
}

/** What a path within a resource sent to a proxy came from. */
export interface Origin {
  readonly resource: Ref;
  readonly path: Path;
}

/**
 * Where each part of the xDS came from. Keyed by type (`listener`, `route`, `cluster`), resource name and a path of xDS
 * field names and list indexes within it; look-ups fall back to the closest enclosing path. Never part of the xDS.
 */
export interface Origins {
  set(type: XdsType, resource: string, path: Path, origin: Origin): void;
  find(type: XdsType, resource: string, path: Path): Origin | undefined;
  /** All origins of `path` itself and of what is in it, in the order in which they were set. */
  within(type: XdsType, resource: string, path: Path): readonly Origin[];
}
export type XdsType = 'listener' | 'route' | 'cluster' | 'endpoint' | 'secret' | 'extension';

export interface Translation {
  readonly resources: XdsResources;
  readonly origins: Origins;
}

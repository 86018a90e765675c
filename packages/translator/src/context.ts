import type { Locality, MeshModel, ProxyScope, Workload } from '@mizzen/model';
import { METRICS_SERVICE } from './names.ts';
import { OriginTable } from './origins.ts';
import type { Engine, LocalProxy, Node, NodeMetadata } from './types.ts';

/**
 * `istio`: an Istio proxy, which gets what istiod sends. `plain`: real Envoy or our own proxy, which get the same less
 * what only Istio's build of Envoy has.
 */
export type Profile = 'istio' | 'plain';

/** A proxy with everything about it resolved against the model. */
export interface Proxy {
  readonly type: 'sidecar' | 'router';
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** IP addresses; the first is the primary one. */
  readonly addresses: readonly string[];
  readonly trustDomain: string;
  /** NONE where traffic is not intercepted, so that listeners are bound for real. */
  readonly interceptionMode: 'REDIRECT' | 'TPROXY' | 'NONE';
  /** `NAMESPACE.svc.cluster.local`, from the node's id: short names are resolved against it. */
  readonly dnsDomain: string;
  readonly network: string;
  readonly cluster: string;
  readonly locality: Locality;
  /** The pod or WorkloadEntry it belongs to, when the model knows it. */
  readonly workload: Workload | undefined;
  /** Mizzen's own proxy only where Mizzen's runtime says so; everything else that speaks xDS is an Envoy. */
  readonly engine: Engine;
  /** Layout on one machine; only for proxies that Mizzen's runtime started. */
  readonly local: LocalProxy | undefined;
  readonly metadata: NodeMetadata;
}

/** What every builder of a resource reads. Builders are functions of it; the only thing they write to is `origins`. */
export interface TranslationContext {
  readonly model: MeshModel;
  readonly node: Node;
  readonly profile: Profile;
  readonly proxy: Proxy;
  readonly scope: ProxyScope;
  readonly origins: OriginTable;
}

/**
 * Filters that only Istio's build of Envoy has, for metrics and who the peer is. Mizzen's own proxy has them, too, and is
 * sent them where there is a place for its metrics.
 */
export function hasIstioFilters({ profile, proxy }: TranslationContext): boolean {
  return profile === 'istio' || keepsMetrics(proxy);
}

export function keepsMetrics({ engine, local }: Proxy): boolean {
  return engine === 'mizzen' && local?.metrics !== undefined;
}

/**
 * A plain Envoy has none of those filters: it tells what metrics are made of to whoever makes them, over this cluster of its
 * bootstrap. Undefined: nobody does.
 */
export function metricsCluster({ engine, local, metadata }: Proxy): string | undefined {
  if (engine !== 'envoy') return undefined;
  if (local !== undefined) return local.metrics === undefined ? undefined : METRICS_SERVICE;
  const { ISTIO_VERSION, MIZZEN_METRICS } = metadata;
  return ISTIO_VERSION === undefined && MIZZEN_METRICS !== '' ? MIZZEN_METRICS : undefined;
}

export function logsMetrics(proxy: Proxy): boolean {
  return metricsCluster(proxy) !== undefined;
}

const NOWHERE: Locality = { region: '', zone: '', subzone: '' };

export function createContext(model: MeshModel, node: Node): TranslationContext {
  const proxy = resolveProxy(model, node);
  return {
    model,
    node,
    profile: node.metadata.ISTIO_VERSION === undefined ? 'plain' : 'istio',
    proxy,
    scope: model.scope(proxy.namespace, proxy.labels, proxy.type),
    origins: new OriginTable(),
  };
}

function resolveProxy(model: MeshModel, node: Node): Proxy {
  const { metadata } = node;
  const [type = 'sidecar', address = '', fullName = '', dnsDomain = ''] = node.id.split('~');
  const dot = fullName.lastIndexOf('.');
  const namespace = metadata.NAMESPACE ?? (dot < 0 ? 'default' : fullName.slice(dot + 1));
  const name = metadata.NAME ?? (dot < 0 ? fullName : fullName.slice(0, dot));
  const addresses = (metadata.INSTANCE_IPS ?? address).split(',').filter((ip) => ip !== '');
  const workload =
    model.workloads.find((w) => w.name === name && w.namespace === namespace && w.kind === 'Pod') ??
    addresses.map((ip) => model.workloadByAddress(ip)).find((w) => w !== undefined);
  return {
    type: type === 'router' ? 'router' : 'sidecar',
    id: node.id,
    name,
    namespace,
    labels: metadata.LABELS ?? workload?.labels ?? {},
    serviceAccount: metadata.SERVICE_ACCOUNT ?? workload?.serviceAccount ?? 'default',
    addresses: addresses.length > 0 ? addresses : (workload?.addresses ?? []),
    trustDomain: model.trustDomain,
    interceptionMode: metadata.MIZZEN === undefined ? (metadata.INTERCEPTION_MODE ?? 'REDIRECT') : 'NONE',
    dnsDomain: dnsDomain === '' ? `${namespace}.svc.${model.domainSuffix}` : dnsDomain,
    network: typeof metadata['NETWORK'] === 'string' ? metadata['NETWORK'] : '',
    cluster: metadata.CLUSTER_ID ?? 'Kubernetes',
    locality: workload?.locality ?? NOWHERE,
    workload,
    engine: metadata.MIZZEN === undefined ? 'envoy' : (metadata.MIZZEN.engine ?? 'mizzen'),
    local: metadata.MIZZEN,
    metadata,
  };
}

import { TypeUrl } from '@mizzen/xds';
import { contentVersion } from '../xds/resource.ts';
import type { NodeConfig } from '../xds/types.ts';
import type { DebugProxy } from './types.ts';

/** One proxy in istiod's `/debug/syncz`: nonces of the last response of a type, sent and acknowledged. */
export interface SyncStatus {
  readonly cluster_id?: string;
  /** `POD.NAMESPACE`. */
  readonly proxy: string;
  readonly proxy_type?: string;
  readonly proxy_version?: string;
  readonly istio_version?: string;
  readonly cluster_sent?: string;
  readonly cluster_acked?: string;
  readonly listener_sent?: string;
  readonly listener_acked?: string;
  readonly route_sent?: string;
  readonly route_acked?: string;
  readonly endpoint_sent?: string;
  readonly endpoint_acked?: string;
  readonly extensionconfig_sent?: string;
  readonly extensionconfig_acked?: string;
  /** What istiod does not say. */
  readonly mizzen: MizzenSync;
}

export interface MizzenSync {
  /** Envoy node id. */
  readonly node: string;
  /** Deployment or the like; empty where the proxy does not say. */
  readonly workload: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly connected: boolean;
  /** By the short name of each type that the proxy follows (`CDS`, …): `synced`, `pending` or `refused`. */
  readonly types: Readonly<Record<string, string>>;
  readonly refusals: readonly {
    readonly type: string;
    readonly resource: string;
    readonly version: string;
    /** Path within the resource; empty: the whole of it. */
    readonly field: string;
    readonly message: string;
    /** Where what was refused came from, when that is known. */
    readonly file?: string;
    readonly line?: number;
  }[];
  /** Only where one proxy was asked about. */
  readonly differences?: readonly Difference[];
}

/** Istio's short names of types, in the order that they are pushed in. */
export const SHORT_TYPES: readonly (readonly [short: string, typeUrl: string, field: string])[] = [
  ['CDS', TypeUrl.cluster, 'cluster'],
  ['LDS', TypeUrl.listener, 'listener'],
  ['EDS', TypeUrl.endpoint, 'endpoint'],
  ['RDS', TypeUrl.route, 'route'],
  ['SDS', TypeUrl.secret, ''],
  ['ECDS', TypeUrl.extension, 'extensionconfig'],
];

/** A resource that a proxy does not have as it should. */
export interface Difference {
  /** Short name of its type. */
  readonly type: string;
  readonly resource: string;
  /** Version that it should have; empty: it should go. */
  readonly wanted: string;
  /** Version that was last sent; empty: none. */
  readonly sent: string;
  readonly state: 'refused' | 'not acknowledged' | 'not sent';
}

/** What a connected proxy lacks of its clusters, listeners, endpoints and routes, and why. */
export function differences({ config, sync, refusals }: DebugProxy): Difference[] {
  if (config === undefined) return [];
  return sync.flatMap(({ typeUrl, versions, pending }) => {
    const wanted = wantedOf(config, typeUrl);
    const short = shortType(typeUrl);
    if (wanted === undefined) return [];
    const gone = [...versions].filter(([name, version]) => version !== '' && !wanted.has(name));
    const followed = [...wanted].filter(([name]) => WILDCARD.has(typeUrl) || versions.has(name));
    return [...followed, ...gone.map(([name]): [string, string] => [name, ''])].flatMap(([resource, version]) => {
      const sent = versions.get(resource) ?? '';
      const refused = refusals.some((each) => each.typeUrl === typeUrl && each.resource === resource);
      const state = sent !== version ? 'not sent' : pending.includes(resource) ? 'not acknowledged' : 'refused';
      return state === 'refused' && !refused ? [] : [{ type: short, resource, wanted: version, sent, state } as const];
    });
  });
}

/** Types of which a proxy follows all there are. */
const WILDCARD: ReadonlySet<string> = new Set([TypeUrl.cluster, TypeUrl.listener]);

function wantedOf(config: NodeConfig, typeUrl: string): ReadonlyMap<string, string> | undefined {
  const index = (resources: readonly object[], name: (each: object) => string | undefined): Map<string, string> =>
    new Map(resources.map((each) => [name(each) ?? '', contentVersion(each)]));
  const named = (each: { readonly name?: string }): string | undefined => each.name;
  switch (typeUrl) {
    case TypeUrl.cluster:
      return index(config.clusters, named);
    case TypeUrl.listener:
      return index(config.listeners, named);
    case TypeUrl.route:
      return index(config.routes, named);
    case TypeUrl.endpoint:
      return index(config.endpoints, (each: { readonly clusterName?: string }) => each.clusterName);
    default:
      return undefined;
  }
}

function shortType(typeUrl: string): string {
  return SHORT_TYPES.find(([, url]) => url === typeUrl)?.[0] ?? typeUrl;
}

/** The synchronization status of proxies, in istiod's shape, sorted by proxy. */
export function syncz(proxies: readonly DebugProxy[]): SyncStatus[] {
  return proxies.map(syncStatus).toSorted((a, b) => (a.proxy < b.proxy ? -1 : a.proxy > b.proxy ? 1 : 0));
}

/** The status of one proxy with what it lacks. */
export function synczOf(proxy: DebugProxy): SyncStatus {
  const status = syncStatus(proxy);
  return { ...status, mizzen: { ...status.mizzen, differences: differences(proxy) } };
}

/** `POD.NAMESPACE` of a node id (`TYPE~ADDRESS~POD.NAMESPACE~DOMAIN`); the id itself when it has another shape. */
export function proxyId(nodeId: string): string {
  const parts = nodeId.split('~');
  return parts.length === 4 ? parts[2]! : nodeId;
}

function syncStatus({ node, connected, sync, refusals }: DebugProxy): SyncStatus {
  const { metadata } = node;
  const parts = node.id.split('~');
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const nonces: Record<string, string> = {};
  const types: Record<string, string> = {};
  for (const [short, typeUrl, field] of SHORT_TYPES) {
    const state = sync.find((each) => each.typeUrl === typeUrl);
    if (state === undefined) continue;
    types[short] = state.state;
    if (field === '') continue;
    if (state.sent !== '') nonces[`${field}_sent`] = state.sent;
    if (state.acked !== '') nonces[`${field}_acked`] = state.acked;
  }
  return {
    ...defined('cluster_id', text(metadata['CLUSTER_ID'])),
    proxy: proxyId(node.id),
    ...defined('proxy_type', parts.length === 4 ? parts[0] : undefined),
    ...defined('istio_version', text(metadata['ISTIO_VERSION'])),
    ...nonces,
    mizzen: {
      node: node.id,
      workload: text(metadata['WORKLOAD_NAME']) ?? '',
      labels: texts(metadata['LABELS']),
      connected,
      types,
      refusals: refusals.map(({ typeUrl, resource, version, field, message, origin }) => ({
        type: shortType(typeUrl),
        resource,
        version,
        field,
        message,
        ...origin,
      })),
    },
  };
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value as object) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function defined<K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: string });
}

import { TypeUrl } from '@mizzen/xds';
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

/** The synchronization status of proxies, in istiod's shape, sorted by proxy. */
export function syncz(proxies: readonly DebugProxy[]): SyncStatus[] {
  return proxies.map(syncStatus).toSorted((a, b) => (a.proxy < b.proxy ? -1 : a.proxy > b.proxy ? 1 : 0));
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
      connected,
      types,
      refusals: refusals.map(({ typeUrl, resource, version, field, message, origin }) => ({
        type: SHORT_TYPES.find(([, url]) => url === typeUrl)?.[0] ?? typeUrl,
        resource,
        version,
        field,
        message,
        ...origin,
      })),
    },
  };
}

function defined<K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: string });
}

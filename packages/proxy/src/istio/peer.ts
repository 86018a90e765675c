import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { FilterStateObject } from '../filter-state/state.ts';

/** Where filters keep what they know of the workloads at both ends. */
export const DOWNSTREAM_PEER = 'downstream_peer';
export const UPSTREAM_PEER = 'upstream_peer';
/** Nobody will say who the peer of a connection is. */
export const NO_PEER = 'peer_not_found';

const KINDS = new Set(['pod', 'deployment', 'job', 'cronjob']);
const CANONICAL_NAME = 'service.istio.io/canonical-name';
const CANONICAL_REVISION = 'service.istio.io/canonical-revision';
const STRUCT = 'type.googleapis.com/google.protobuf.Struct';

export interface PeerFields {
  readonly name: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly workload: string;
  /** Canonical service and its revision. */
  readonly service: string;
  readonly revision: string;
  readonly app: string;
  readonly version: string;
  /** `deployment` and the like; empty: not known. */
  readonly type: string;
  readonly labels: readonly (readonly [string, string])[];
}

/** What a workload says of itself: the part of its node's metadata that Istio's metrics are labelled with. */
export class WorkloadPeer implements FilterStateObject {
  readonly is: PeerFields;
  /** Tells workloads apart. */
  readonly key: string;
  readonly value: string;
  readonly text = undefined;
  readonly json: JsonValue;
  readonly fields: Readonly<Record<string, string>>;
  readonly struct: JsonObject;

  constructor(is: PeerFields) {
    this.is = is;
    const { labels, ...texts } = is;
    this.fields = texts;
    this.value = this.key = JSON.stringify([...Object.values(texts), labels]);
    const known = Object.entries(texts).filter(([, text]) => text !== '');
    this.struct = Object.fromEntries([
      ...known,
      ...(labels.length > 0 ? [['labels', Object.fromEntries(labels)] as const] : []),
    ]);
    this.json = { '@type': STRUCT, value: this.struct };
  }
}

/** Reads node metadata; `labels` are those that are kept besides the usual. */
export function peerOf(metadata: JsonObject, labels: readonly string[] = []): WorkloadPeer {
  const given = metadata['LABELS'];
  const own = typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as JsonObject) : {};
  const workload = text(metadata['WORKLOAD_NAME']);
  return new WorkloadPeer({
    name: text(metadata['NAME']),
    cluster: text(metadata['CLUSTER_ID']),
    namespace: text(metadata['NAMESPACE']),
    workload,
    service: text(own[CANONICAL_NAME]),
    revision: text(own[CANONICAL_REVISION]),
    app: text(own['app']),
    version: text(own['version']),
    type: kindOf(text(metadata['OWNER']), workload),
    labels: labels.flatMap((label) => (Object.hasOwn(own, label) ? [[label, text(own[label])] as const] : [])),
  });
}

/** The metadata that a workload tells its peers, keys in order so that the same is always the same bytes. */
export function toMetadata({ is }: WorkloadPeer): JsonObject {
  const labels = known([
    ['app', is.app],
    [CANONICAL_NAME, is.service],
    [CANONICAL_REVISION, is.revision],
    ['version', is.version],
    ...is.labels,
  ]);
  const owner = is.type === '' ? '' : `kubernetes://apis/apps/v1/namespaces/${is.namespace}/${is.type}s/${is.workload}`;
  const { LABELS: _, ...rest } = known([
    ['CLUSTER_ID', is.cluster],
    ['NAME', is.name],
    ['NAMESPACE', is.namespace],
    ['OWNER', owner],
    ['WORKLOAD_NAME', is.workload],
  ]);
  return sorted({ ...rest, LABELS: sorted(labels) });
}

/** What endpoints say of their workloads: `workload;namespace;service;revision;cluster`, perhaps `;app;version`. */
export function endpointPeer(encoded: JsonValue | undefined): WorkloadPeer | undefined {
  const parts = text(encoded).split(';');
  if (parts.length < 5) return undefined;
  const [workload = '', namespace = '', service = '', revision = '', cluster = '', app = '', version = ''] = parts;
  return new WorkloadPeer({
    name: '',
    cluster,
    namespace,
    workload,
    service,
    revision,
    app,
    version,
    type: '',
    labels: [],
  });
}

/** `kubernetes://apis/apps/v1/namespaces/NAMESPACE/deployments/NAME` */
function kindOf(owner: string, workload: string): string {
  const rest = owner.slice(0, Math.max(0, owner.length - workload.length - 's/'.length));
  const kind = rest.slice(rest.lastIndexOf('/') + 1);
  return rest.includes('/') && KINDS.has(kind) ? kind : '';
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function known(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

function sorted<T>(of: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

import type { Cluster } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { inboundPorts } from '../inbound.ts';
import { INBOUND_PASSTHROUGH, inboundCluster } from '../names.ts';
import type { InForce } from './in-force.ts';
import { isMerge, type Patch } from './patch.ts';
import { Run, type Side } from './run.ts';
import { type Tracks, below } from './tracks.ts';

export interface PatchedCluster {
  readonly cluster: Cluster;
  /** The cluster it was; undefined for one that a patch added. */
  readonly original: Cluster | undefined;
  readonly tracks: Tracks;
}

/** What becomes of a proxy's clusters. Of several of one name the first counts, as it would for Envoy. */
export function patchClusters(
  context: TranslationContext,
  inForce: InForce,
  clusters: readonly Cluster[],
): readonly PatchedCluster[] {
  if (context.proxy.type === 'router') return distinct(patchSide(context, inForce, 'GATEWAY', clusters));
  const inbound = clusters.filter(isInbound);
  const outbound = clusters.filter((cluster) => !isInbound(cluster));
  return distinct([
    ...patchSide(context, inForce, 'SIDECAR_OUTBOUND', outbound),
    ...patchSide(context, inForce, 'SIDECAR_INBOUND', inbound),
  ]);
}

function isInbound({ name = '' }: Cluster): boolean {
  return name.startsWith('inbound|') || name === INBOUND_PASSTHROUGH;
}

function distinct(clusters: readonly PatchedCluster[]): readonly PatchedCluster[] {
  const names = new Set<string>();
  return clusters.filter(({ cluster: { name = '' } }) => !names.has(name) && names.add(name));
}

function patchSide(
  context: TranslationContext,
  inForce: InForce,
  side: Side,
  clusters: readonly Cluster[],
): readonly PatchedCluster[] {
  const run = new Run(inForce, side);
  const hosts = run.side === 'SIDECAR_INBOUND' ? inboundHosts(context) : new Map<string, readonly string[]>();
  const patches = run.of('CLUSTER');
  const kept = clusters.flatMap((original): readonly PatchedCluster[] => {
    if (run.side === 'SIDECAR_INBOUND') return patchOne(run, original, patches, hosts.get(original.name ?? ''));
    return shared(original, inForce, () => patchOne(run, original, patches, undefined));
  });
  const added = patches
    .filter((patch) => patch.operation === 'ADD' && adds(patch, run.side))
    .map(({ value }) => ({ cluster: value as Cluster, original: undefined, tracks: run.tracks }));
  return [...kept, ...added];
}

const known = new WeakMap<Cluster, WeakMap<InForce, readonly PatchedCluster[]>>();

/** Most of a proxy's clusters are those of its neighbours, too, and stay so when the same patches are for all. */
function shared(
  original: Cluster,
  inForce: InForce,
  patch: () => readonly PatchedCluster[],
): readonly PatchedCluster[] {
  let results = known.get(original);
  if (results === undefined) known.set(original, (results = new WeakMap()));
  let result = results.get(inForce);
  if (result === undefined) results.set(inForce, (result = patch()));
  return result;
}

/** Clusters for any context are added where traffic leaves, so that there is one of them. */
function adds({ context }: Patch, side: Side): boolean {
  return context !== 'ANY' || side !== 'SIDECAR_INBOUND';
}

/** Inbound clusters do not name their services. */
function inboundHosts(context: TranslationContext): ReadonlyMap<string, readonly string[]> {
  return new Map(
    inboundPorts(context).map(({ port, services }) => [inboundCluster(port), services.map(({ hostname }) => hostname)]),
  );
}

function patchOne(
  run: Run,
  original: Cluster,
  patches: readonly Patch[],
  hosts: readonly string[] | undefined,
): readonly PatchedCluster[] {
  let cluster = original;
  for (const patch of patches) {
    if (patch.operation !== 'REMOVE' && !isMerge(patch.operation)) continue;
    if (!matches(cluster, patch, hosts)) continue;
    if (patch.operation === 'REMOVE') return [];
    cluster = mergeCluster(run, cluster, patch);
  }
  return [{ cluster, original, tracks: run.tracks }];
}

function matches({ name = '' }: Cluster, { match }: Patch, hosts: readonly string[] | undefined): boolean {
  const wanted = match.cluster;
  if (wanted === undefined) return true;
  if ((wanted.name ?? '') !== '') return wanted.name === name;
  const { subset = '', service = '', portNumber = 0 } = wanted;
  const own = parseName(name);
  const names = hosts === undefined || hosts.length === 0 ? [own.hostname] : hosts;
  return (
    (subset === '' || subset === own.subset) &&
    (service === '' || names.includes(service)) &&
    (portNumber === 0 || portNumber === own.port)
  );
}

/** `outbound|80|v1|reviews.default.svc.cluster.local`, or the same with `_.` (what a gateway for other networks has). */
function parseName(name: string): { port: number; subset: string; hostname: string } {
  const separator = /^(?:out|in)bound_\./.test(name) ? '_.' : '|';
  const [, port = '', subset = '', ...rest] = name.split(separator);
  return { port: /^\d+$/.test(port) ? Number(port) : 0, subset, hostname: rest.join(separator) };
}

/**
 * A patch with a transport socket is for the transport socket alone: merged into one of the same name, else put in its
 * place. Where the socket is chosen per endpoint, the first one of that name is meant, and one of another name has no
 * place.
 */
function mergeCluster(run: Run, cluster: Cluster, patch: Patch): Cluster {
  const { transportSocket: socket } = patch.value as Cluster;
  if (socket === undefined) return run.merge(cluster, patch);
  const choices = cluster.transportSocketMatches ?? [];
  if (choices.length > 0) {
    const index = choices.findIndex(({ transportSocket }) => transportSocket?.name === socket.name);
    const choice = choices[index];
    if (choice?.transportSocket === undefined) return cluster;
    const transportSocket = run.mergeTyped(choice.transportSocket, socket, patch, ['transportSocket']);
    if (transportSocket === choice.transportSocket) return cluster;
    const list = run.list(choices.with(index, run.with(choice, { transportSocket })), choices);
    return run.with(cluster, { transportSocketMatches: list });
  }
  const own = cluster.transportSocket;
  if (own !== undefined && own.name === socket.name) {
    const transportSocket = run.mergeTyped(own, socket, patch, ['transportSocket']);
    return transportSocket === own ? cluster : run.with(cluster, { transportSocket });
  }
  const out = run.with(cluster, { transportSocket: socket });
  run.tracks.given(out, 'transportSocket', below(patch.origin, 'transportSocket'));
  return out;
}

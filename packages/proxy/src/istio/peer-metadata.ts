import type { types } from '@mizzen/xds';
import { FilterState } from '../filter-state/state.ts';
import type { FilterScope } from '../filter/scope.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { wire } from '../program/values.ts';
import type { Headers } from '../http/headers.ts';
import type { HttpFilter, HttpStream, StreamInfo } from '../types.ts';
import { DOWNSTREAM_PEER, peerOf, toMetadata, UPSTREAM_PEER } from './peer.ts';
import { PEER_ID, PEER_METADATA, PeerReader, takePeer, tellPeer } from './peer-headers.ts';
import { encodeStruct } from './struct.ts';

/**
 * Istio's exchange of workload metadata in header fields. What a peer says goes into the filter state, and no further:
 * neither the application nor the client gets to see it.
 */
export function peerMetadataFilter(
  context: CompileContext,
  config: types.peerMetadata.Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { additionalLabels = [] } = config;
  const sharing = config.sharedWithUpstream === true ? 'ONCE' : 'NONE';
  const readsDown = readsHeaders(context, config.downstreamDiscovery, [...path, 'downstreamDiscovery']);
  const readsUp = readsHeaders(context, config.upstreamDiscovery, [...path, 'upstreamDiscovery']);
  const tellsDown = headersToTell(context, config.downstreamPropagation, [...path, 'downstreamPropagation']);
  const tellsUp = headersToTell(context, config.upstreamPropagation, [...path, 'upstreamPropagation']);
  const reader = new PeerReader(additionalLabels);
  const id = wire(context.deps.nodeId ?? '');
  const own = encodeStruct(toMetadata(peerOf(context.deps.nodeMetadata ?? {}, additionalLabels))).toString('base64');
  /** The fields that a request came with, as it notes them: a map by request would cost more than all else here. */
  const both = { id: true, metadata: true };
  const onlyId = { id: true, metadata: false };
  const onlyMetadata = { id: false, metadata: true };

  const discover = (stream: HttpStream, headers: Headers, key: string): typeof both | undefined => {
    const taken = takePeer(headers);
    if (taken === undefined) return undefined;
    const [peerId, value] = taken;
    const peer = value === undefined || value === '' ? undefined : reader.read(peerId, value);
    if (peer !== undefined) {
      const { info } = stream;
      const state = (info.filterState ??= new FilterState(info.connection.filterState));
      if (state.get(key) === undefined) state.set(key, peer, sharing);
    }
    return value === undefined ? onlyId : peerId === undefined ? onlyMetadata : both;
  };
  const skips = (stream: HttpStream, tells: Telling): boolean => {
    const decision = stream.route();
    if (decision.kind !== 'cluster') return false;
    const { cluster } = decision;
    const { upstreamCluster, clusterMetadata } = stream.info;
    // Nearly always it is known already, and need not be looked for.
    const metadata = upstreamCluster === cluster ? clusterMetadata : context.deps.clusterMetadata?.(cluster);
    return skipsCluster(cluster, metadata, tells.skipExternal);
  };
  return {
    name: scope.name,
    onRequest(stream) {
      const { headers } = stream.request;
      if (readsDown) {
        const fields = discover(stream, headers, DOWNSTREAM_PEER);
        if (fields !== undefined && tellsDown !== undefined) stream.info.peerFields = fields;
      }
      if (tellsUp !== undefined && !skips(stream, tellsUp)) tellPeer(headers, id, own);
      return undefined;
    },
    onResponse(stream) {
      const { headers } = stream.response!;
      if (readsUp) discover(stream, headers, UPSTREAM_PEER);
      if (tellsDown === undefined) return undefined;
      const fields = stream.info.peerFields;
      if (fields === undefined || (fields !== both && fields !== onlyId && fields !== onlyMetadata)) return undefined;
      if (skips(stream, tellsDown)) return undefined;
      if (fields === both) tellPeer(headers, id, own);
      else if (fields === onlyId) headers.set(PEER_ID, id);
      else headers.set(PEER_METADATA, own);
      return undefined;
    },
  };
}

/** Workloads are not known by their addresses here, as in an Istio proxy whose metadata discovery is off. */
function readsHeaders(
  context: CompileContext,
  methods: readonly types.peerMetadata.Config_DiscoveryMethod[] | undefined,
  path: Path,
): boolean {
  for (const [i, method] of (methods ?? []).entries())
    for (const unknown of ['baggage', 'upstreamFilterState'] as const)
      if (method[unknown] !== undefined) context.refuse([...path, i, unknown], 'is not supported');
  return (methods ?? []).some(({ istioHeaders }) => istioHeaders !== undefined);
}

interface Telling {
  readonly skipExternal: boolean;
}

function headersToTell(
  context: CompileContext,
  methods: readonly types.peerMetadata.Config_PropagationMethod[] | undefined,
  path: Path,
): Telling | undefined {
  for (const [i, { baggage }] of (methods ?? []).entries())
    if (baggage !== undefined) context.refuse([...path, i, 'baggage'], 'is not supported');
  const all = (methods ?? []).flatMap(({ istioHeaders }) => istioHeaders ?? []);
  return all.length === 0
    ? undefined
    : { skipExternal: all.every(({ skipExternalClusters }) => skipExternalClusters === true) };
}

function skipsCluster(cluster: string, ofCluster: StreamInfo['clusterMetadata'], skipExternal: boolean): boolean {
  if (skipExternal && cluster === 'PassthroughCluster') return true;
  const metadata = ofCluster?.['istio'];
  return metadata !== undefined && (metadata['disable_mx'] === true || (skipExternal && metadata['external'] === true));
}

import type { JsonObject } from '@mizzen/xds';
import { jsonRoot, stateRoot, type Root } from '../../cel/attributes.ts';
import { DOWNSTREAM_PEER, UPSTREAM_PEER } from '../peer.ts';

/** Names that expressions of Istio's metrics may begin with, besides Envoy's. */
export function statRoots(nodeMetadata: JsonObject): Readonly<Record<string, Root>> {
  return {
    node: jsonRoot({ metadata: nodeMetadata }),
    [DOWNSTREAM_PEER]: stateRoot(DOWNSTREAM_PEER),
    [UPSTREAM_PEER]: stateRoot(UPSTREAM_PEER),
  };
}

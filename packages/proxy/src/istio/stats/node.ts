import type { JsonObject } from '@mizzen/xds';
import { peerOf, type PeerFields } from '../peer.ts';

/** Who reports: the client's proxy, the server's, or a gateway before servers. */
export type Reporter = 'source' | 'destination' | 'waypoint';

/** The proxy's own workload, as its labels have it. */
export function ownWorkload(metadata: JsonObject): PeerFields {
  return peerOf(metadata).is;
}

/** Istio's version that the proxy says it has; of one that Mizzen started, Mizzen's. */
export function istioVersion(metadata: JsonObject): string {
  const version = metadata['ISTIO_VERSION'] ?? metadata['MIZZEN_VERSION'];
  return typeof version === 'string' && version !== '' ? version : 'unknown';
}

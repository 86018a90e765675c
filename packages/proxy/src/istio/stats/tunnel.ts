import type { UpstreamHost } from '../../types.ts';

/**
 * To this very proxy, which counts what arrives there: `mizzen up` says so of the cluster by which a CONNECT to a sidecar's own
 * proxy port goes on to an internal listener.
 */
export function leadsBack({ metadata }: Pick<UpstreamHost['cluster'], 'metadata'>): boolean {
  return metadata?.['mizzen']?.['tunnel'] === true;
}

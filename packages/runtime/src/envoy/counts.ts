import { CONNECT_TUNNEL } from '@mizzen/translator/names.ts';
import type { Counts } from '../kubelet/workload.ts';

const TUNNEL = `cluster.${CONNECT_TUNNEL}`;

/** Requests and connections of connection managers and TCP proxies, so far. */
export const TOTALS = String.raw`^(http|tcp)\..*\.downstream_(rq|cx)_total$|^cluster\.${CONNECT_TUNNEL};?\.upstream_rq_total$`;
/** Requests and connections of bytes that are under way. */
export const ACTIVE = String.raw`^(http|tcp)\..*\.downstream_(rq|cx)_active$`;

/**
 * What a person wants to see of a proxy at a glance, as Mizzen's own counts it: requests, and connections that carry no
 * HTTP. Names of what comes in begin with `inbound` (`translator`); everything a gateway does goes out.
 */
export function countsOf(stats: ReadonlyMap<string, number>): Counts {
  const counts = { inbound: 0, outbound: 0 };
  for (const [name, value] of stats) {
    // What has gone through the tunnel is counted where it comes out.
    if (name.startsWith(TUNNEL)) counts.outbound -= value;
    else if (isRequest(name)) counts[/^(http|tcp)\.inbound[_|]/.test(name) ? 'inbound' : 'outbound'] += value;
  }
  return counts;
}

/** How many requests are under way. */
export function activeOf(stats: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, value] of stats) if (isRequest(name)) sum += value;
  return sum;
}

/** Not the connections that requests come on, nor what Envoy is asked about itself. */
function isRequest(name: string): boolean {
  if (name.startsWith('tcp.')) return /\.downstream_cx_\w+$/.test(name);
  return /\.downstream_rq_\w+$/.test(name) && !name.startsWith('http.admin.');
}

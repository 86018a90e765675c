import { leadsBack } from '../istio/stats/tunnel.ts';
import type { NodeCounts } from './protocol.ts';
import type { ProxyNode } from './proxy-node.ts';

/**
 * What a person wants to see of a proxy at a glance. A connection that carries no HTTP counts as one request; errors are
 * answers of 500 and more.
 */
export function countsOf(node: ProxyNode): NodeCounts {
  const counts = { inboundRequests: 0, outboundRequests: 0, inboundErrors: 0, outboundErrors: 0, activeConnections: 0 };
  for (const { direction, stats } of node.stats.allHcm()) {
    if (direction === 'INBOUND') {
      counts.inboundRequests += stats.downstream_rq_total;
      counts.inboundErrors += stats.downstream_rq_xx[5]!;
    } else {
      counts.outboundRequests += stats.downstream_rq_total;
      counts.outboundErrors += stats.downstream_rq_xx[5]!;
    }
  }
  for (const { direction, stats } of node.stats.allTcp()) {
    if (direction === 'INBOUND') counts.inboundRequests += stats.downstream_cx_total;
    else counts.outboundRequests += stats.downstream_cx_total;
  }
  // What has gone through a tunnel back into this proxy is counted where it comes out.
  for (const { made } of node.clusters.active())
    if (made !== undefined && leadsBack(made)) counts.outboundRequests -= made.stats.upstream_rq_total;
  for (const { stats } of node.stats.allListeners()) counts.activeConnections += stats.downstream_cx_active;
  return { node: node.id, ...counts };
}

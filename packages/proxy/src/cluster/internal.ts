import type { Socket } from 'node:net';
import { bytesOf } from '../http/reads.ts';
import type { ClusterHost } from './host.ts';

/** Counts a connection that goes on at a listener of this proxy as one to its host; `closer`: who ends it. */
export function countEntry(host: ClusterHost, socket: Socket, closer: () => 'local' | 'remote'): void {
  const { stats, deps } = host.cluster;
  const begun = deps.clock.now();
  // What has been read is not of it, but for what waits for the listener.
  const before = bytesOf(socket);
  const waiting = socket.readableLength;
  stats.upstream_rq_pending_total++;
  stats.upstream_cx_total++;
  stats.upstream_cx_active++;
  stats.upstream_rq_active++;
  stats.upstream_cx_connect_ms.record(0);
  host.stats.cx_total++;
  host.stats.cx_active++;
  host.active++;
  host.issued++;
  socket.once('close', () => {
    stats.upstream_cx_active--;
    stats.upstream_rq_active--;
    stats.upstream_cx_destroy++;
    if (closer() === 'local') stats.upstream_cx_destroy_local_with_active_rq++;
    else {
      stats.upstream_cx_destroy_remote++;
      stats.upstream_cx_destroy_remote_with_active_rq++;
    }
    const { read, written } = bytesOf(socket);
    stats.upstream_cx_tx_bytes_total += read - before.read + waiting;
    stats.upstream_cx_rx_bytes_total += written - before.written;
    stats.upstream_cx_length_ms.record(Math.trunc(deps.clock.now() - begun));
    host.stats.cx_active--;
    host.active--;
    host.giveRoom();
  });
}

/** There is no such listener: that is a connection that failed. */
export function countNoEntry({ cluster: { stats }, stats: ofHost }: ClusterHost): void {
  stats.upstream_cx_total++;
  stats.upstream_cx_connect_fail++;
  stats.upstream_cx_destroy++;
  stats.upstream_cx_destroy_remote++;
  stats.upstream_rq_pending_total++;
  stats.upstream_rq_pending_failure_eject++;
  ofHost.cx_total++;
  ofHost.cx_connect_fail++;
}

import type { Path } from '@mizzen/diagnostics';
import type { ConnectionPoolSettings } from '../../gen/istio.networking.v1alpha3.ts';
import { parseDuration } from '../duration.ts';
import { CONFLICT, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { checkDuration, checkNotNegative } from './numbers.ts';

export function checkConnectionPool(report: Report, path: Path, pool: ConnectionPoolSettings | undefined): void {
  if (!pool) return;
  const { http, tcp } = pool;
  if (!http && !tcp) report.error(REQUIRED, path, 'a connection pool needs `tcp` or `http` settings');
  if (http) {
    const at = [...path, 'http'];
    checkNotNegative(report, at, http, 'http1MaxPendingRequests', 'http2MaxRequests', 'maxRequestsPerConnection');
    checkNotNegative(report, at, http, 'maxRetries', 'maxConcurrentStreams');
    checkDuration(report, [...at, 'idleTimeout'], http.idleTimeout);
    checkDuration(report, [...at, 'http2KeepAlive', 'interval'], http.http2KeepAlive?.interval);
    checkDuration(report, [...at, 'http2KeepAlive', 'timeout'], http.http2KeepAlive?.timeout);
    if (http.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol) {
      const message = '`useClientProtocol` cannot be set when `h2UpgradePolicy` is `UPGRADE`';
      report.error(CONFLICT, [...at, 'useClientProtocol'], message);
    }
  }
  if (tcp) {
    const at = [...path, 'tcp'];
    checkNotNegative(report, at, tcp, 'maxConnections');
    checkDuration(report, [...at, 'connectTimeout'], tcp.connectTimeout);
    checkDuration(report, [...at, 'maxConnectionDuration'], tcp.maxConnectionDuration);
    // 0s switches the timeout off.
    if (tcp.idleTimeout !== undefined && parseDuration(tcp.idleTimeout) !== 0) {
      checkDuration(report, [...at, 'idleTimeout'], tcp.idleTimeout);
    }
    checkDuration(report, [...at, 'tcpKeepalive', 'time'], tcp.tcpKeepalive?.time);
    checkDuration(report, [...at, 'tcpKeepalive', 'interval'], tcp.tcpKeepalive?.interval);
  }
}

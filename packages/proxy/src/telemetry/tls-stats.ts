import type { DownstreamTlsStats } from '../tls/server.ts';
import type { UpstreamTlsStats } from '../tls/client.ts';
import { add, addAll, numbers, type Values } from './collect.ts';

const NEVER = ['ocsp_staple_failed', 'ocsp_staple_omitted', 'ocsp_staple_requests', 'ocsp_staple_responses'];

/** Envoy counts all of them on both sides. */
const BOTH = [
  'connection_error',
  'fail_verify_cert_hash',
  'fail_verify_error',
  'fail_verify_no_cert',
  'fail_verify_san',
  'handshake',
  'no_certificate',
  'session_reused',
];

export function addTls(values: Values, prefix: string, stats: UpstreamTlsStats | DownstreamTlsStats): void {
  for (const name of [...NEVER, ...BOTH]) add(values, `${prefix}.${name}`, 0);
  addAll(values, prefix, numbers(stats));
  addAll(values, `${prefix}.ciphers`, stats.ciphers);
  addAll(values, `${prefix}.versions`, stats.versions);
  addAll(values, `${prefix}.curves`, stats.curves);
  addAll(values, `${prefix}.sigalgs`, stats.sigalgs);
}

/** Of what makes a side's contexts; `updates`: how often secrets came that were others. */
export function addFactory(
  values: Values,
  prefix: string,
  side: 'client' | 'server',
  { secrets }: UpstreamTlsStats | DownstreamTlsStats,
  updates: number,
): void {
  addAll(values, `${prefix}.${side}_ssl_socket_factory`, {
    ssl_context_update_by_sds: updates,
    upstream_context_secrets_not_ready: side === 'client' ? secrets.notReady : 0,
    downstream_context_secrets_not_ready: side === 'server' ? secrets.notReady : 0,
  });
}

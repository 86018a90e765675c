import type { ResponseParser } from '../codec/response-parser.ts';
import type { UpstreamHost } from '../types.ts';

/** Tells those who watch a host what it has answered. */
export function reportAnswer(host: UpstreamHost, { status, flat }: ResponseParser): void {
  const { checks, degradation } = host;
  if (checks !== undefined && flat.includes('x-envoy-immediate-health-check-fail')) checks.failImmediately();
  if (degradation !== undefined && flat.includes('x-envoy-degraded')) degradation.degrade();
  host.report(status < 500 ? 'success' : status >= 502 && status <= 504 ? 'gateway-error' : 'server-error');
}

import type { ResponseParser } from '../codec/response-parser.ts';
import type { ResponseHead, UpstreamHost } from '../types.ts';
import { httpStatusOf } from '../telemetry/access-log-grpc.ts';

/** Tells those who watch a host what it has answered; `grpc`: to a request of gRPC, whose status then counts. */
export function reportAnswer(host: UpstreamHost, { flat }: ResponseParser, head: ResponseHead, grpc: boolean): void {
  const { checks, degradation } = host;
  if (checks !== undefined && flat.includes('x-envoy-immediate-health-check-fail')) checks.failImmediately();
  if (degradation !== undefined && flat.includes('x-envoy-degraded')) degradation.degrade();
  const said = grpc ? head.headers.get('grpc-status') : undefined;
  let { status } = head;
  if (said !== undefined) status = httpStatusOf(said);
  const isError = host.cluster.http?.isError;
  // What the cluster calls an error is one of the server, whatever its status; and nothing else is.
  if (isError !== undefined) status = isError(head) ? Math.max(status, 500) : 200;
  host.report(status < 500 ? 'success' : status >= 502 && status <= 504 ? 'gateway-error' : 'server-error');
}

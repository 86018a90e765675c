import type { ResponseParser } from '../codec/response-parser.ts';
import type { ResponseHead, UpstreamHost } from '../types.ts';
import { httpStatusOf } from '../telemetry/access-log-grpc.ts';

/** An answer to a request of gRPC: its end says whether it counts as a success. */
export type LaterCount = (hadBody: boolean, trailers: readonly string[] | undefined) => void;

/**
 * Tells those who watch a host what it has answered; `grpc`: to a request of gRPC, whose status then counts. The answer is
 * counted by `countAnswerOf`, if it is one that the client gets.
 */
export function reportAnswer(
  host: UpstreamHost,
  { flat }: ResponseParser,
  head: ResponseHead,
  grpc: boolean,
): LaterCount | undefined {
  const { checks, degradation } = host;
  if (checks !== undefined && flat.includes('x-envoy-immediate-health-check-fail')) checks.failImmediately();
  if (degradation !== undefined && flat.includes('x-envoy-degraded')) degradation.degrade();
  const said = grpc ? head.headers.get('grpc-status') : undefined;
  let { status } = head;
  if (said !== undefined) status = httpStatusOf(said);
  const isError = host.cluster.http?.isError;
  // What the cluster calls an error is one of the server, whatever its status; and nothing else is.
  if (isError !== undefined) status = isError(head) ? (is5xx(status) ? status : 500) : 200;
  host.report(outcomeOf(status), 'nothing');
  // Whatever else is an error to outlier detection, these are counted by the status of HTTP, and of gRPC at the end.
  if (is5xx(head.status) || !grpc) return undefined;
  return (hadBody, trailers) => {
    const status = grpcStatusIn(trailers) ?? (hadBody ? undefined : said);
    host.count?.(status === undefined ? 'error' : countOf(httpStatusOf(status)));
  };
}

export function is5xx(status: number): boolean {
  return status >= 500 && status < 600;
}

/** What an answer of that status is to outlier detection. */
export function outcomeOf(status: number): 'success' | 'gateway-error' | 'server-error' {
  return !is5xx(status) ? 'success' : status >= 502 && status <= 504 ? 'gateway-error' : 'server-error';
}

/** By a status of HTTP. */
export function countOf(status: number): 'success' | 'client-error' | 'error' {
  return is5xx(status) ? 'error' : status >= 400 ? 'client-error' : 'success';
}

function grpcStatusIn(trailers: readonly string[] | undefined): string | undefined {
  const at = trailers?.findIndex((name, i) => i % 2 === 0 && name === 'grpc-status') ?? -1;
  return at < 0 ? undefined : trailers![at + 1];
}

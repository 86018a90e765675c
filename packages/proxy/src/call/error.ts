import type { PendingCall } from '../program/types.ts';
import type { UpstreamCluster } from '../types.ts';

/** A status of gRPC. */
export const UNAVAILABLE = 14;

/** A call of the proxy's own that got no answer. */
export class CallError extends Error {
  readonly code = 'CALL_FAILED';
  /** `timeout`, or why not: `no cluster`, `no healthy upstream`, `overflow`, `connection`, `status`. */
  readonly reason: 'timeout' | 'no cluster' | 'no healthy upstream' | 'overflow' | 'connection' | 'status';
  /** What the service said in place of an answer, for gRPC. */
  readonly grpcStatus: number | undefined;

  constructor(reason: CallError['reason'], message: string, grpcStatus?: number) {
    super(message);
    this.reason = reason;
    this.grpcStatus = grpcStatus;
  }
}

/** A call that has failed before anybody could wait for it. */
export function failedCall<T>(error: CallError): PendingCall<T> {
  const answer = Promise.reject<T>(error);
  answer.catch(() => undefined);
  return { answer, failed: true, cancel: () => undefined };
}

/** Counts that a cluster has no host for a call. */
export function nobodyHealthy({ name, stats }: UpstreamCluster): CallError {
  stats.upstream_cx_none_healthy++;
  return new CallError('no healthy upstream', `no healthy host in cluster \`${name}\``, UNAVAILABLE);
}

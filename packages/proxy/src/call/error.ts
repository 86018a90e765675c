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

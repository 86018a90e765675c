import { readUnsigned } from './unsigned.ts';

/** What makes a request worth another try: `retry_on` and `retry_grpc_on`, as bits. */
export const RetryOn = {
  '5xx': 1 << 0,
  'gateway-error': 1 << 1,
  reset: 1 << 2,
  'reset-before-request': 1 << 3,
  'connect-failure': 1 << 4,
  'envoy-ratelimited': 1 << 5,
  'retriable-4xx': 1 << 6,
  'refused-stream': 1 << 7,
  'retriable-status-codes': 1 << 8,
  'retriable-headers': 1 << 9,
  /** Only HTTP/3 has what these name; accepted and never true. */
  'http3-post-connect-failure': 1 << 10,
  cancelled: 1 << 11,
  'deadline-exceeded': 1 << 12,
  internal: 1 << 13,
  'resource-exhausted': 1 << 14,
  unavailable: 1 << 15,
} as const;

export type RetryCondition = keyof typeof RetryOn;

/** Those that `x-envoy-retry-grpc-on` may name; the others are `x-envoy-retry-on`'s. */
export const GRPC_CONDITIONS =
  RetryOn.cancelled |
  RetryOn['deadline-exceeded'] |
  RetryOn.internal |
  RetryOn['resource-exhausted'] |
  RetryOn.unavailable;

/** Bits of a comma-separated list; what it does not know is left out and listed in `unknown`. */
export function parseRetryOn(list: string, unknown?: string[]): number {
  let bits = 0;
  for (const part of list.split(',')) {
    const word = part.trim();
    if (word === '') continue;
    const bit = Object.hasOwn(RetryOn, word) ? RetryOn[word as RetryCondition] : undefined;
    if (bit === undefined) unknown?.push(word);
    else bits |= bit;
  }
  return bits;
}

/** Bit of a gRPC status (the `grpc-status` of a response without a body), or 0. */
export function retryOnGrpcStatus(status: string): number {
  switch (readUnsigned(status)) {
    case 1:
      return RetryOn.cancelled;
    case 4:
      return RetryOn['deadline-exceeded'];
    case 8:
      return RetryOn['resource-exhausted'];
    case 13:
      return RetryOn.internal;
    case 14:
      return RetryOn.unavailable;
    default:
      return 0;
  }
}

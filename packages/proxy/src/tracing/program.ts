import type { LogSource } from '../program/types.ts';
import type { Sampling } from './sampling.ts';
import type { Tracer } from './span.ts';
import type { CustomTag } from './tags.ts';

/** How a connection manager traces requests. */
export interface TracingProgram {
  /** Requests leave the workload, or reach it. */
  readonly outbound: boolean;
  readonly sampling: Sampling;
  /** The request id decides, and carries the decision on. */
  readonly byRequestId: boolean;
  readonly packsReason: boolean;
  readonly verbose: boolean;
  readonly maxPathLength: number;
  readonly tags: ReadonlyMap<string, CustomTag>;
  /** Attempts have spans of their own. */
  readonly spawnsUpstreamSpan: boolean;
  /** Upstreams are not told of spans. */
  readonly keepsContext: boolean;
  readonly operation: Operation | undefined;
  readonly upstreamOperation: Operation | undefined;
  /** Undefined: nobody collects spans; requests are still marked. */
  readonly tracer: Tracer | undefined;
  readonly nodeId: string;
  readonly zone: string;
}
/** Gives a span its name; empty: it keeps the one it has. */
export type Operation = (source: LogSource) => string;

/** What a route says in place of the connection manager. */
export interface RouteTracing {
  readonly sampling: Sampling;
  readonly tags: ReadonlyMap<string, CustomTag>;
  readonly operation: Operation | undefined;
  readonly upstreamOperation: Operation | undefined;
}
export interface RouteDecorator {
  readonly operation: string;
  readonly propagate: boolean;
}

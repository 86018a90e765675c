/** `_dd.p.…`: what goes along with a trace, in order. */
export type TraceTags = readonly (readonly [name: string, value: string])[];

/** What a request says of its trace. Ids are hexadecimal, 16 digits. */
export interface DatadogContext {
  readonly traceLow: string;
  /** Empty: trace ids of 64 bits. */
  readonly traceHigh: string;
  /** Undefined: the trace was begun without a span. */
  readonly parentId: string | undefined;
  /** Undefined: nobody has decided yet. */
  readonly priority: number | undefined;
  readonly origin: string | undefined;
  readonly tags: TraceTags;
  /** The rest of `tracestate`: entries of others, and what `dd` has that is not known. */
  readonly others?: string | undefined;
  readonly unknown?: string | undefined;
  /** The last span on the way that Datadog was told of. */
  readonly lastParent?: string | undefined;
}

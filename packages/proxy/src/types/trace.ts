/** One step of a decision. `resource` and `path` address the xDS; a side table knows the YAML behind it. */
export interface TraceStep {
  readonly kind: string;
  readonly text: string;
  readonly matched?: boolean;
  readonly xds?: {
    readonly type: 'listener' | 'route' | 'cluster' | 'endpoint';
    readonly resource: string;
    readonly path: readonly (string | number)[];
  };
}

/** Absent on the hot path: everything that takes one skips all work for it when it is undefined. */
export interface Trace {
  push(step: TraceStep): void;
}

/** A configuration that was not accepted: the resource, the field and the reason. */
export interface Nack {
  readonly typeUrl: string;
  readonly resource: string;
  readonly field: string;
  readonly message: string;
  /** It is no JSON of its message at all. */
  readonly unreadable?: boolean;
}

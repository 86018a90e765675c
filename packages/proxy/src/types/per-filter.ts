/** What is said below the connection manager of filters, by their names there. */
export type PerFilter = ReadonlyMap<string, PerFilterEntry>;

export interface PerFilterEntry {
  /** The filter takes part, whatever the connection manager says. */
  readonly on: boolean;
  readonly config: PerRoute | undefined;
}

/** A configuration for filters of one kind, which alone know what `value` is. */
export interface PerRoute {
  readonly kind: {
    /** `inner`, which is of this kind, within something of any kind. */
    within(outer: PerRoute, inner: PerRoute): PerRoute;
  };
  readonly value: unknown;
  /** What is around it under the same name. */
  readonly outer: PerRoute | undefined;
}

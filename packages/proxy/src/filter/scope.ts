import type { Counter } from '../program/types.ts';

/** What a filter knows of where it stands. */
export interface FilterScope {
  /** Name in the connection manager; per-route configuration goes by it. */
  readonly name: string;
  /** The counter of that name below the connection manager's prefix. */
  readonly counter: (name: string) => Counter;
  /** Where the filter is, for traces. */
  readonly place: { readonly resource: string; readonly path: readonly (string | number)[] };
}

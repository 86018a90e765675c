import type { Any } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { Counter } from '../program/types.ts';
import type { HttpFilter } from '../types.ts';

/** What a filter knows of where it stands. */
export interface FilterScope {
  /** Name in the connection manager; per-route configuration goes by it. */
  readonly name: string;
  /** The counter of that name below the connection manager's prefix. */
  readonly counter: (name: string) => Counter;
  /** Where the filter is, for traces. */
  readonly place: { readonly resource: string; readonly path: readonly (string | number)[] };
}

export type CompileFilter = (
  context: CompileContext,
  config: Any,
  scope: FilterScope,
  path: Path,
) => HttpFilter | undefined;

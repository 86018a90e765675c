import type { HttpFilter } from '../types.ts';

/** Configuration of filters below the connection manager, by the filter's name there; compiled by the filter. */
export type PerFilter = ReadonlyMap<string, unknown>;

/** Before a filter's name: whether it is on. No name of a filter begins so. */
export const SWITCH = '\0';

/** Before a filter's name: a tree that switches it off. */
export const TREE = '\0\0';

/** Whether a filter takes part in a request that is configured like this. */
export function isOn(filter: HttpFilter, perFilter: PerFilter): boolean {
  const on = perFilter.get(SWITCH + filter.name);
  return typeof on === 'boolean' ? on : filter.disabled !== true;
}

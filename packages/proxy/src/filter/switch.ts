import type { HttpFilter, PerFilter } from '../types.ts';

/** Whether a filter takes part in a request that is configured like this. */
export function isOn(filter: HttpFilter, perFilter: PerFilter): boolean {
  return perFilter.get(filter.name)?.on ?? filter.disabled !== true;
}

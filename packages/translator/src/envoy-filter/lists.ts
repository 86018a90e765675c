import type { Patch } from './patch.ts';

/**
 * A list with something added, put next to one of its elements, put in the place of one, or taken out. `matches` tells
 * the element that the patch names; undefined when it names none.
 */
export function editList<T>(
  list: readonly T[],
  { operation, value }: Patch,
  matches: ((element: T) => boolean) | undefined,
): readonly T[] {
  const added = value as T;
  switch (operation) {
    case 'ADD':
      return [...list, added];
    case 'INSERT_FIRST':
      return [added, ...list];
    case 'INSERT_AFTER':
    case 'INSERT_BEFORE': {
      const after = operation === 'INSERT_AFTER';
      if (matches === undefined) return after ? [...list, added] : [added, ...list];
      const index = list.findIndex(matches);
      return index < 0 ? list : list.toSpliced(after ? index + 1 : index, 0, added);
    }
    case 'REPLACE': {
      const index = matches === undefined ? -1 : list.findIndex(matches);
      return index < 0 ? list : list.with(index, added);
    }
    case 'REMOVE':
      return matches === undefined ? list : list.filter((element) => !matches(element));
    default:
      return list;
  }
}

/** A path into JSON: keys, indexes (from the end when negative), and `*` for every element. */
export type JsonPath = readonly (string | number | typeof EVERY)[];
const EVERY = Symbol('*');

/** Reads `$.items[0].id`, `$['a b'][-1]`, `$.items[*].id`; undefined when it is none. */
export function jsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: (string | number | typeof EVERY)[] = [];
  const token = /\.(\*|[\p{L}_$][\p{L}\p{N}_$-]*)|\[(?:(-?\d+)|(\*)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/uy;
  token.lastIndex = 1;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return undefined;
    const [, name, index, every, single, double] = match;
    if (every !== undefined || name === '*') steps.push(EVERY);
    else if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? (single ?? double ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  return steps;
}

/** All that a path leads to. */
export function select(path: JsonPath, value: unknown): readonly unknown[] {
  let found: readonly unknown[] = [value];
  for (const step of path) found = found.flatMap((each) => children(each, step));
  return found;
}

function children(value: unknown, step: JsonPath[number]): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step === EVERY) return Object.values(value);
  if (typeof step === 'number') {
    if (!Array.isArray(value)) return [];
    const index = step < 0 ? value.length + step : step;
    return index in value ? [value[index]] : [];
  }
  return Object.hasOwn(value, step) ? [(value as Readonly<Record<string, unknown>>)[step]] : [];
}

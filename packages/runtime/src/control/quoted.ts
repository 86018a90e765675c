import type { Path } from '@mizzen/diagnostics';

/** Shorter texts are in too many places to mean one. */
const SHORTEST = 3;

/**
 * Where a resource has what a proxy's message quotes, as Envoy's do that name no field: `Provider 'origins-0' in …`,
 * `[string "function ("]:1: …`. A key says more than a value, and what is quoted first more than what comes after it.
 */
export function quotedIn(resource: unknown, message: string): readonly Path[] {
  for (const [, single, double] of message.matchAll(/'([^']+)'|"([^"]+)"/g)) {
    const text = single ?? double ?? '';
    if (text.length < SHORTEST) continue;
    // Lua quotes a script by the start of its first line.
    const start = text.endsWith('...') ? text.slice(0, -3) : undefined;
    const found = { keys: [] as Path[], values: [] as Path[] };
    collect(resource, (value) => value === text || (start !== undefined && value.startsWith(start)), [], found);
    const paths = found.keys.length > 0 ? found.keys : found.values;
    if (paths.length > 0) return paths;
  }
  return [];
}

function collect(
  value: unknown,
  fits: (text: string) => boolean,
  path: Path,
  found: { readonly keys: Path[]; readonly values: Path[] },
): void {
  if (typeof value === 'string') {
    if (fits(value)) found.values.push(path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    if (!Array.isArray(value) && fits(key)) found.keys.push(at);
    collect(child, fits, at, found);
  }
}

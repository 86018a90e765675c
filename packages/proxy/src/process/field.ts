import type { JsonObject } from '@mizzen/xds';

/** A field of what has been read from a file, in either spelling. */
export function field(from: JsonObject, name: string): unknown {
  return from[name] ?? from[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

import type { JsonObject } from '@mizzen/xds';
import type { HttpStream } from '../types.ts';

/** Writes beside what a filter of that name has written already. */
export function addMetadata(stream: HttpStream, filter: string, value: JsonObject): void {
  const old = stream.info.dynamicMetadata?.[filter];
  stream.setMetadata(filter, old === undefined ? value : { ...old, ...value });
}

import { decode, encode } from '@mizzen/xds/binary/index.ts';
import { protoNames } from './proto-names.ts';

/**
 * A message as Envoy prints it, which has read it into protobuf: numbers of enumerations as their names, durations in 0, 3, 6
 * or 9 digits, and no field that has the value of one that is not there. As it came where Envoy's API does not know it.
 */
export function printed(message: string, value: object): unknown {
  let canonical = value;
  try {
    canonical = decode(message, encode(message, value));
  } catch {
    // Extensions of somebody's own.
  }
  return protoNames(message, canonical);
}

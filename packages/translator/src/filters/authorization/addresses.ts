import { isIP } from 'node:net';
import type { types } from '@mizzen/xds';

/** `10.0.0.1` or `10.0.0.0/8` (either family) as a range; undefined when it is neither. Host bits stay as written. */
export function cidrRange(text: string): types.core.CidrRange | undefined {
  const slash = text.indexOf('/');
  const addressPrefix = slash < 0 ? text : text.slice(0, slash);
  const family = isIP(addressPrefix);
  if (family === 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (slash < 0) return { addressPrefix, prefixLen: bits };
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  return { addressPrefix, prefixLen: Number(length) };
}

import { isIP } from 'node:net';
import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import type { Cidr } from '../types.ts';

/** The numeric value of an IPv4 address, or undefined. IPv4-mapped IPv6 (`::ffff:10.0.0.1`) counts as IPv4. */
export function ipv4Value(address: string): number | undefined {
  const text = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  let value = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      part = part * 10 + c - 48;
      digits++;
      if (part > 255 || digits > 3) return undefined;
    } else if (c === 46 && digits > 0) {
      value = value * 256 + part;
      part = 0;
      digits = 0;
      dots++;
    } else return undefined;
  }
  return dots === 3 && digits > 0 ? value * 256 + part : undefined;
}

/** The value of an IPv6 address, or undefined. Zones are dropped. */
export function ipv6Value(address: string): bigint | undefined {
  const zone = address.indexOf('%');
  let text = zone < 0 ? address : address.slice(0, zone);
  if (isIP(text) !== 6) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted !== null) {
    const v4 = ipv4Value(dotted[2]!)!;
    text = `${dotted[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  }
  const [left = '', right] = text.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** Undefined when it is not an address and a length. What is longer than an IPv4 address is all of it, as in Envoy. */
export function cidrOf(address: string, prefixLength: number | undefined): Cidr | undefined {
  const v4 = ipv4Value(address);
  if (v4 !== undefined && !address.includes(':')) {
    if (prefixLength !== undefined && prefixLength > 128) return undefined;
    const length = Math.min(prefixLength ?? 0, 32);
    const size = 2 ** (32 - length);
    const from = Math.floor(v4 / size) * size;
    return {
      text: `${address}/${length}`,
      prefixLength: length,
      contains: (other) => {
        const value = ipv4Value(other);
        return value !== undefined && value >= from && value < from + size;
      },
    };
  }
  const v6 = ipv6Value(address);
  if (v6 === undefined) return undefined;
  const length = prefixLength ?? 0;
  if (length > 128) return undefined;
  const shift = BigInt(128 - length);
  const wanted = v6 >> shift;
  return {
    text: `${address}/${length}`,
    prefixLength: length,
    contains: (other) => {
      if (ipv4Value(other) !== undefined) return false;
      const value = ipv6Value(other);
      return value !== undefined && value >> shift === wanted;
    },
  };
}

/** Undefined after a refusal. */
export function compileCidr(context: CompileContext, range: types.core.CidrRange, path: Path): Cidr | undefined {
  const cidr = cidrOf(range.addressPrefix ?? '', range.prefixLen);
  if (cidr === undefined)
    context.refuse(path, `\`${range.addressPrefix ?? ''}/${range.prefixLen ?? 0}\` is not a range of addresses`);
  return cidr;
}

export function compileCidrs(
  context: CompileContext,
  ranges: readonly types.core.CidrRange[] | undefined,
  path: Path,
): Cidr[] {
  return (ranges ?? []).flatMap((range, i) => compileCidr(context, range, [...path, i]) ?? []);
}

/** From this machine: of the loopback address, or to the address that it comes from. */
export function isLocal(source: string, destination: string): boolean {
  const v4 = ipv4Value(source);
  if (v4 !== undefined) return v4 === 0x7f000001 || v4 === ipv4Value(destination);
  const v6 = ipv6Value(source);
  return v6 === 1n || (v6 !== undefined && v6 === ipv6Value(destination));
}

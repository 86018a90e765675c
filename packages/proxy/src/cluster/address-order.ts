import { isIPv6 } from 'node:net';
import type { AddressOrder } from '../program/types.ts';

/**
 * The addresses of a host in the order in which they are tried (RFC 8305, section 4): so many of the first family, one of
 * the other, and again, until one has no more.
 */
export function addressOrder<T extends { readonly address: string }>(
  given: readonly T[],
  { first, count }: AddressOrder,
): T[] {
  const six = given.filter(({ address }) => isIPv6(address));
  const four = given.filter(({ address }) => !isIPv6(address));
  const sixFirst = first === undefined ? given[0] === six[0] : first === 'V6';
  const [leading, other] = sixFirst ? [six, four] : [four, six];
  const ordered: T[] = [];
  for (let i = 0, j = 0; i < leading.length || j < other.length; i += count, j++) {
    ordered.push(...leading.slice(i, i + count), ...other.slice(j, j + 1));
  }
  return ordered;
}

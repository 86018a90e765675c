import type { LbProgram } from '../program/types.ts';
import { murmurHash2 } from './murmur2.ts';
import { spreadOf } from './spread.ts';
import type { BalancedHost, HostPicker, Share } from './types.ts';
import { xxHash64 } from './xxhash64.ts';

type RingHash = Extract<LbProgram, { policy: 'RING_HASH' }>;

/**
 * RING_HASH, with every position where Envoy puts it, so that a key leads to the same host through either proxy. The
 * key comes as `context.hash`; callers fill in a random one where there is none.
 */
export function ringHash(shares: readonly Share[], program: RingHash): HostPicker {
  const { positions, hosts, counts, scale } = buildRing(shares, program);
  const size = hosts.length;
  return {
    // The size that was meant: running sums may come to one more.
    spread: { ...spreadOf(counts), size: Math.ceil(scale) },
    pick: (context, attempt) => {
      if (size === 0) return undefined;
      const at = lookUp(positions, context.hash ?? 0n);
      return hosts[(at + attempt) % size];
    },
  };
}

/** Index of the first position at or after `key`; past the end it begins again. */
function lookUp(positions: BigUint64Array, key: bigint): number {
  let low = 0;
  let end = positions.length;
  while (low < end) {
    const middle = (low + end) >>> 1;
    if (positions[middle]! < key) low = middle + 1;
    else end = middle;
  }
  return low === positions.length ? 0 : low;
}

/**
 * The least share gets a whole number of positions; the others follow by running sums, which may leave them with one
 * more or less than their share.
 */
function buildRing(
  shares: readonly Share[],
  program: RingHash,
): { positions: BigUint64Array; hosts: BalancedHost[]; counts: number[]; scale: number } {
  if (shares.length === 0) return { positions: new BigUint64Array(0), hosts: [], counts: [], scale: 0 };
  const hash = program.hashFunction === 'MURMUR_HASH_2' ? murmurHash2 : (text: string) => xxHash64(text);
  const least = Math.min(1, ...shares.map(({ weight }) => weight));
  const scale = Math.min(Math.ceil(least * program.minimumRingSize) / least, program.maximumRingSize);
  const ring: { position: bigint; host: BalancedHost }[] = [];
  const counts: number[] = [];
  let target = 0;
  for (const { host, weight } of shares) {
    target += scale * weight;
    const before = ring.length;
    for (let i = 0; ring.length < target; i++) ring.push({ position: hash(`${host.hashKey}_${i}`), host });
    counts.push(ring.length - before);
  }
  ring.sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : 0));
  const positions = new BigUint64Array(ring.length);
  for (const [index, { position }] of ring.entries()) positions[index] = position;
  return { positions, hosts: ring.map(({ host }) => host), counts, scale };
}

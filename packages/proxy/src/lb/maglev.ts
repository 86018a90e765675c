import { spreadOf } from './spread.ts';
import type { HostPicker, Share } from './types.ts';
import { xxHash64 } from './xxhash64.ts';

/**
 * MAGLEV: a table filled by each host's own permutation of its places, with Envoy's order of hosts and offsets, so that
 * a key leads to the same host through either proxy.
 */
export function maglev(shares: readonly Share[], tableSize: number): HostPicker {
  const sorted = shares.toSorted((a, b) =>
    a.host.hashKey < b.host.hashKey ? -1 : a.host.hashKey > b.host.hashKey ? 1 : 0,
  );
  const table = fillTable(sorted, tableSize);
  const size = BigInt(tableSize);
  const counts = sorted.map(() => 0);
  if (sorted.length > 0) for (const place of table) counts[place]!++;
  return {
    spread: spreadOf(counts),
    pick: (context, attempt) => {
      if (sorted.length === 0) return undefined;
      let key = context.hash ?? 0n;
      if (attempt > 0) key ^= BigInt.asUintN(64, -BigInt(attempt));
      return sorted[table[Number(key % size)]!]!.host;
    },
  };
}

function fillTable(shares: readonly Share[], tableSize: number): Uint32Array {
  const table = new Uint32Array(tableSize);
  if (shares.length === 0) return table;
  const taken = new Uint8Array(tableSize);
  const size = BigInt(tableSize);
  const most = Math.max(...shares.map(({ weight }) => weight));
  const entries = shares.map(({ host, weight }) => ({
    weight,
    place: Number(xxHash64(host.hashKey) % size),
    skip: Number(xxHash64(host.hashKey, 1) % (size - 1n)) + 1,
    target: 0,
  }));
  let filled = 0;
  for (let iteration = 1; filled < tableSize; iteration++) {
    for (let i = 0; i < entries.length && filled < tableSize; i++) {
      const entry = entries[i]!;
      // The heaviest host takes a place in every round, one of half its weight in every other.
      if (iteration * entry.weight < entry.target) continue;
      entry.target += most;
      while (taken[entry.place] === 1) entry.place = (entry.place + entry.skip) % tableSize;
      table[entry.place] = i;
      taken[entry.place] = 1;
      entry.place = (entry.place + entry.skip) % tableSize;
      filled++;
    }
  }
  return table;
}

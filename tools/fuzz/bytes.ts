import type { Random } from './random.ts';

const NUMBERS = [
  '00',
  '01',
  '7f',
  '8001',
  'ff01',
  'ffffffff0f',
  'ffffffffffffffffff01',
  '80808080808080808080',
  'ffffffff7f',
];

/** One change to bytes: some are lost, doubled, changed, moved, or taken from `other`; lengths and tags become odd ones. */
function change(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const until = Math.min(bytes.length, at + random.below(random.chance(0.8) ? 8 : 200));
  const before = bytes.subarray(0, at);
  const part = bytes.subarray(at, until);
  const after = bytes.subarray(until);
  switch (random.below(9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, part, part, after]);
    case 3: {
      const copy = Uint8Array.from(bytes);
      if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8);
      return copy;
    }
    case 4:
      return Buffer.concat([before, Buffer.from(random.pick(NUMBERS), 'hex'), after]);
    case 5:
      return Buffer.concat([before, Uint8Array.from(part, () => random.below(256)), after]);
    case 6: {
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + random.below(100)), after]);
    }
    case 7:
      // The same many times over.
      return Buffer.concat([before, ...Array.from({ length: random.below(2000) }, () => part), after]);
    default:
      return Buffer.concat([after, part, before]);
  }
}

/** A few changes to bytes; `other` is where parts may come from. */
export function mutateBytes(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let result = bytes;
  for (let i = random.below(5) + 1; i > 0; i--) result = change(random, result, other);
  return result.length > 1 << 20 ? result.subarray(0, 1 << 20) : result;
}

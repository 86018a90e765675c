/**
 * xxHash64 with a 64-bit seed, for the rare request that repeats a hashed header (each value's hash seeds the next).
 * lb/xxhash64.ts is the fast one and takes no such seed.
 */
const M = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const rotate = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & M;
const round = (acc: bigint, input: bigint): bigint => (rotate((acc + input * P2) & M, 31n) * P1) & M;
const merge = (acc: bigint, value: bigint): bigint => ((acc ^ round(0n, value)) * P1 + P4) & M;

/** `latin1`: of bytes, each a character as on the wire. */
export function xxHash64Seeded(text: string, seed: bigint, encoding: 'utf8' | 'latin1' = 'utf8'): bigint {
  const data = Buffer.from(text, encoding);
  let at = 0;
  let hash: bigint;
  if (data.length >= 32) {
    let a = (seed + P1 + P2) & M;
    let b = (seed + P2) & M;
    let c = seed;
    let d = (seed - P1) & M;
    for (; at + 32 <= data.length; at += 32) {
      a = round(a, data.readBigUInt64LE(at));
      b = round(b, data.readBigUInt64LE(at + 8));
      c = round(c, data.readBigUInt64LE(at + 16));
      d = round(d, data.readBigUInt64LE(at + 24));
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & M;
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else {
    hash = (seed + P5) & M;
  }
  hash = (hash + BigInt(data.length)) & M;
  for (; at + 8 <= data.length; at += 8) hash = (rotate(hash ^ round(0n, data.readBigUInt64LE(at)), 27n) * P1 + P4) & M;
  if (at + 4 <= data.length) {
    hash = (rotate(hash ^ ((BigInt(data.readUInt32LE(at)) * P1) & M), 23n) * P2 + P3) & M;
    at += 4;
  }
  for (; at < data.length; at++) hash = (rotate(hash ^ ((BigInt(data[at]!) * P5) & M), 11n) * P1) & M;
  hash = ((hash ^ (hash >> 33n)) * P2) & M;
  hash = ((hash ^ (hash >> 29n)) * P3) & M;
  return hash ^ (hash >> 32n);
}

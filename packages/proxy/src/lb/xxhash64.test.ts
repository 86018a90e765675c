import { expect, test } from 'vitest';
import { xxHash64 } from './xxhash64.ts';

/** The algorithm as its specification states it, in BigInt. */
function reference(text: string, seed: bigint): bigint {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b185ebca87n,
    0xc2b2ae3d27d4eb4fn,
    0x165667b19e3779f9n,
    0x85ebca77c2b2ae63n,
    0x27d4eb2f165667c5n,
  ];
  const u = (x: bigint): bigint => BigInt.asUintN(64, x);
  const rotl = (x: bigint, by: bigint): bigint => u(x << by) | (x >> (64n - by));
  const round = (acc: bigint, input: bigint): bigint => u(rotl(u(acc + input * p2), 31n) * p1);
  const bytes = Buffer.from(text);
  let at = 0;
  let h: bigint;
  if (bytes.length >= 32) {
    const acc = [u(seed + p1 + p2), u(seed + p2), seed, u(seed - p1)];
    for (; at <= bytes.length - 32; at += 32)
      for (let i = 0; i < 4; i++) acc[i] = round(acc[i]!, bytes.readBigUInt64LE(at + i * 8));
    h = u(rotl(acc[0]!, 1n) + rotl(acc[1]!, 7n) + rotl(acc[2]!, 12n) + rotl(acc[3]!, 18n));
    for (const a of acc) h = u((h ^ round(0n, a)) * p1 + p4);
  } else h = u(seed + p5);
  h = u(h + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) h = u(rotl(h ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4);
  if (at + 4 <= bytes.length) {
    h = u(rotl(h ^ u(BigInt(bytes.readUInt32LE(at)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < bytes.length; at++) h = u(rotl(h ^ u(BigInt(bytes[at]!) * p5), 11n) * p1);
  h = u((h ^ (h >> 33n)) * p2);
  h = u((h ^ (h >> 29n)) * p3);
  return h ^ (h >> 32n);
}

test('published values', () => {
  expect(xxHash64('')).toBe(0xef46db3751d8e999n);
  expect(xxHash64('a')).toBe(0xd24ec4f1a98c6e5bn);
  expect(xxHash64('abc')).toBe(0x44bc2cf5ad770999n);
});

test('agrees with the specification for every length and both seeds that Envoy uses', () => {
  let text = '';
  for (let i = 0; i < 300; i++) {
    expect(xxHash64(text)).toBe(reference(text, 0n));
    expect(xxHash64(text, 1)).toBe(reference(text, 1n));
    text += String.fromCharCode(33 + ((i * 37) % 90)) + (i % 17 === 0 ? 'é' : '');
  }
});

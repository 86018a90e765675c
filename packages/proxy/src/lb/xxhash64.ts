/**
 * xxHash64 of a string's UTF-8 bytes, as Envoy hashes ring positions, table offsets and request keys.
 * 64-bit numbers are kept as two 32-bit halves: building a ring takes thousands of hashes, and BigInt is twenty times
 * slower. The functions return the low half and leave the high one in `high`.
 */
let high = 0;

const P1H = 0x9e3779b1;
const P1L = 0x85ebca87;
const P2H = 0xc2b2ae3d;
const P2L = 0x27d4eb4f;
const P3H = 0x165667b1;
const P3L = 0x9e3779f9;
const P4H = 0x85ebca77;
const P4L = 0xc2b2ae63;
const P5H = 0x27d4eb2f;
const P5L = 0x165667c5;

function multiply(ah: number, al: number, bh: number, bl: number): number {
  const a0 = al & 0xffff;
  const a1 = al >>> 16;
  const b0 = bl & 0xffff;
  const b1 = bl >>> 16;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  high = (a1 * b1 + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16) + Math.imul(ah, bl) + Math.imul(al, bh)) | 0;
  return (middle << 16) | (p00 & 0xffff) | 0;
}

function add(ah: number, al: number, bh: number, bl: number): number {
  const low = (al >>> 0) + (bl >>> 0);
  high = (ah + bh + (low > 0xffffffff ? 1 : 0)) | 0;
  return low | 0;
}

function rotate(h: number, l: number, bits: number): number {
  if (bits === 32) {
    high = l;
    return h;
  }
  const [from, to, by] = bits < 32 ? [h, l, bits] : [l, h, bits - 32];
  high = (from << by) | (to >>> (32 - by));
  return (to << by) | (from >>> (32 - by));
}

function round(accH: number, accL: number, inH: number, inL: number): number {
  let low = multiply(inH, inL, P2H, P2L);
  low = add(accH, accL, high, low);
  low = rotate(high, low, 31);
  return multiply(high, low, P1H, P1L);
}

const encoder = new TextEncoder();
let buffer = new Uint8Array(256);
let view = new DataView(buffer.buffer);

function hash(text: string, seed: number): number {
  makeRoom(text.length * 3);
  return hashBuffer(encoder.encodeInto(text, buffer).written, seed);
}

function makeRoom(length: number): void {
  if (length <= buffer.length) return;
  buffer = new Uint8Array(length);
  view = new DataView(buffer.buffer);
}

/** Of the first bytes of the buffer. */
function hashBuffer(length: number, seed: number): number {
  let position = 0;
  let h: number;
  let l: number;
  if (length >= 32) {
    const accumulators = startingAccumulators(seed);
    for (; position <= length - 32; position += 32) {
      for (let lane = 0; lane < 4; lane++) {
        const at = position + lane * 8;
        accumulators[lane * 2 + 1] = round(
          accumulators[lane * 2]!,
          accumulators[lane * 2 + 1]!,
          view.getInt32(at + 4, true),
          view.getInt32(at, true),
        );
        accumulators[lane * 2] = high;
      }
    }
    [h, l] = converge(accumulators);
  } else {
    l = add(0, seed, P5H, P5L);
    h = high;
  }
  l = add(h, l, 0, length);
  h = high;
  return finish(h, l, position, length);
}

function startingAccumulators(seed: number): Int32Array {
  const start = new Int32Array(8);
  start[1] = add(P1H, P1L, P2H, P2L);
  start[1] = add(high, start[1], 0, seed);
  start[0] = high;
  start[3] = add(P2H, P2L, 0, seed);
  start[2] = high;
  start[5] = seed;
  const negated = add(~P1H, ~P1L, 0, 1);
  start[7] = add(high, negated, 0, seed);
  start[6] = high;
  return start;
}

function converge(acc: Int32Array): [number, number] {
  let h = 0;
  let l = 0;
  for (const [lane, bits] of [1, 7, 12, 18].entries()) {
    const low = rotate(acc[lane * 2]!, acc[lane * 2 + 1]!, bits);
    l = add(h, l, high, low);
    h = high;
  }
  for (let lane = 0; lane < 4; lane++) {
    const low = round(0, 0, acc[lane * 2]!, acc[lane * 2 + 1]!);
    l = multiply(h ^ high, l ^ low, P1H, P1L);
    l = add(high, l, P4H, P4L);
    h = high;
  }
  return [h, l];
}

/** The last bytes that fill no stripe, and the final mixing. */
function finish(h: number, l: number, position: number, length: number): number {
  for (; position + 8 <= length; position += 8) {
    const low = round(0, 0, view.getInt32(position + 4, true), view.getInt32(position, true));
    l = rotate(h ^ high, l ^ low, 27);
    l = multiply(high, l, P1H, P1L);
    l = add(high, l, P4H, P4L);
    h = high;
  }
  if (position + 4 <= length) {
    const low = multiply(0, view.getInt32(position, true), P1H, P1L);
    l = rotate(h ^ high, l ^ low, 23);
    l = multiply(high, l, P2H, P2L);
    l = add(high, l, P3H, P3L);
    h = high;
    position += 4;
  }
  for (; position < length; position++) {
    const low = multiply(0, buffer[position]!, P5H, P5L);
    l = rotate(h ^ high, l ^ low, 11);
    l = multiply(high, l, P1H, P1L);
    h = high;
  }
  return avalanche(h, l);
}

/** `x ^= x >>> 33; x *= P2; x ^= x >>> 29; x *= P3; x ^= x >>> 32`. */
function avalanche(h: number, l: number): number {
  l = multiply(h, l ^ (h >>> 1), P2H, P2L);
  h = high;
  const low = (l >>> 29) | (h << 3);
  l = multiply(h ^ (h >>> 29), l ^ low, P3H, P3L);
  return l ^ high;
}

const unsigned = new BigUint64Array(1);
const halves = new Uint32Array(unsigned.buffer);

export function xxHash64(text: string, seed = 0): bigint {
  return finished(hash(text, seed));
}

/** Of bytes, each a character as on the wire: they need not be UTF-8. */
export function xxHash64OfBytes(bytes: string): bigint {
  makeRoom(bytes.length);
  for (let i = 0; i < bytes.length; i++) buffer[i] = bytes.charCodeAt(i);
  return finished(hashBuffer(bytes.length, 0));
}

function finished(low: number): bigint {
  halves[0] = low;
  halves[1] = high;
  return unsigned[0]!;
}

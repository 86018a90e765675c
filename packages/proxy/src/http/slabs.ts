/**
 * Memory for what waits to be written, used again and again: fresh memory for every large part of a body makes the
 * garbage collector work for nothing.
 */
const SMALL = 16 * 1024;
const LARGE = 64 * 1024;
/** Of each size, at most. */
const KEPT = 64;
const small: Buffer[] = [];
const large: Buffer[] = [];

/** A copy of `data` in borrowed memory; call `giveBack` with it once nobody reads it any more, or not at all. */
export function borrow(data: Buffer): Buffer {
  const { length } = data;
  if (length > LARGE) return Buffer.from(data);
  const slab =
    length <= SMALL
      ? (small.pop() ?? Buffer.from(new ArrayBuffer(SMALL)))
      : (large.pop() ?? Buffer.from(new ArrayBuffer(LARGE)));
  data.copy(slab);
  return slab.length === length ? slab : slab.subarray(0, length);
}

export function giveBack(borrowed: Buffer): void {
  const { buffer } = borrowed;
  const shelf = buffer.byteLength === SMALL ? small : buffer.byteLength === LARGE ? large : undefined;
  if (shelf !== undefined && shelf.length < KEPT) shelf.push(Buffer.from(buffer));
}

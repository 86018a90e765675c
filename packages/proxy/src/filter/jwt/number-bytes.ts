/** A number in big-endian bytes, without zeros before the first digit. */
export function digits(number: Buffer): Buffer {
  const start = number.findIndex((byte) => byte !== 0);
  return start < 0 ? Buffer.alloc(0) : number.subarray(start);
}

/** The same in `size` bytes, or more where it does not fit. */
export function sized(number: Buffer, size: number): Buffer {
  const significant = digits(number);
  return Buffer.concat([Buffer.alloc(Math.max(0, size - significant.length)), significant]);
}

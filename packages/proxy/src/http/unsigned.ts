const WRITTEN = /^\s*\+?(\d+)\s*$/;
const LARGEST = 2n ** 64n - 1n;

/** A decimal whole number of at most 64 bits, as fields carry them: with blanks around it and a plus before it, if they must. */
export function readUnsigned64(text: string): bigint | undefined {
  const digits = WRITTEN.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const value = BigInt(digits);
  return value > LARGEST ? undefined : value;
}

/** The same as a number, which is exact up to 2⁵³. */
export function readUnsigned(text: string): number | undefined {
  const value = readUnsigned64(text);
  return value === undefined ? undefined : Number(value);
}

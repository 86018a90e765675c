/** 64 bits as 16 hexadecimal digits, and as the decimal numbers that Datadog writes. */

const MAX = (1n << 64n) - 1n;

export function hex64(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}
export function decimal(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}

/** Undefined: it is no number of 64 bits. */
export function parseDecimal(text: string): string | undefined {
  const trimmed = text.trim();
  if (!/^\d+$/.test(trimmed)) return undefined;
  const value = BigInt(trimmed);
  return value > MAX ? undefined : hex64(value);
}

/** Undefined: it is no whole number. */
export function parsePriority(text: string): number | undefined {
  const trimmed = text.trim();
  return /^-?\d{1,9}$/.test(trimmed) ? Number(trimmed) : undefined;
}

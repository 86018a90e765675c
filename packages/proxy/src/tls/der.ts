/** One element of DER (X.690): its tag, what it holds, and both with the header. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

export const DER = {
  integer: 0x02,
  octets: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** The elements one after the other. Throws a RangeError where a length points outside. */
export function readDer(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    let length = bytes.readUInt8(at + 1);
    let header = 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4) throw new RangeError('length');
      length = bytes.readUIntBE(at + 2, size);
      header += size;
    }
    const end = at + header + length;
    if (end > bytes.length) throw new RangeError('element');
    elements.push({ tag, content: bytes.subarray(at + header, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

/** The children of an element that must be there. */
export function derChildren(element: DerElement | undefined): DerElement[] {
  if (element === undefined) throw new RangeError('element');
  return readDer(element.content);
}

const MAX_COMPONENT = 2n ** 64n - 1n;

/** In dots, as `1.3.6.1`; empty when a number has more than 64 bits, which BoringSSL does not write. */
export function readOid(content: Buffer): string {
  const numbers: bigint[] = [];
  let value = 0n;
  for (const byte of content) {
    value = value * 128n + BigInt(byte & 0x7f);
    // The first holds two, the first of which is 2 at most.
    if (value > MAX_COMPONENT + 80n) return '';
    if ((byte & 0x80) !== 0) continue;
    if (numbers.length === 0) {
      const first = value < 80n ? value / 40n : 2n;
      numbers.push(first, value - 40n * first);
    } else numbers.push(value);
    value = 0n;
  }
  return numbers.some((number) => number > MAX_COMPONENT) ? '' : numbers.join('.');
}

/** Milliseconds since the epoch. */
export function readDerTime({ tag, content }: DerElement): number {
  const text = content.toString('latin1');
  const parts =
    tag === DER.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(text)
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z$/.exec(text);
  if (parts === null) return NaN;
  const [year = 0, month = 1, ...rest] = parts.slice(1).map((part) => Number(part ?? 0));
  const full = tag === DER.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  const [day = 1, hour = 0, minute = 0, second = 0] = rest;
  return Date.UTC(full, month - 1, day, hour, minute, second);
}

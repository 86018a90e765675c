/** MessagePack, as far as traces need it: https://github.com/msgpack/msgpack/blob/master/spec.md */

/** Doubles are numbers in a map of the kind that `double` makes; other numbers are whole and not below zero. */
export type Packed = string | bigint | number | Double | readonly Packed[] | ReadonlyMap<string, Packed>;

/** A number that is sent as 64 bits of floating point, whatever it is. */
export class Double {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export function pack(value: Packed): Buffer {
  const parts: Buffer[] = [];
  put(parts, value);
  return Buffer.concat(parts);
}

function put(parts: Buffer[], value: Packed): void {
  if (typeof value === 'string') putString(parts, value);
  else if (typeof value === 'number' || typeof value === 'bigint') putInteger(parts, BigInt(value));
  else if (value instanceof Double) {
    const bytes = Buffer.alloc(9);
    bytes[0] = 0xcb;
    bytes.writeDoubleBE(value.value, 1);
    parts.push(bytes);
  } else if (value instanceof Map) {
    putHead(parts, 0xdf, value.size);
    for (const [name, each] of value) {
      putString(parts, name);
      put(parts, each);
    }
  } else {
    const list = value as readonly Packed[];
    putHead(parts, 0xdd, list.length);
    for (const each of list) put(parts, each);
  }
}

function putString(parts: Buffer[], text: string): void {
  const bytes = Buffer.from(text);
  putHead(parts, 0xdb, bytes.length);
  parts.push(bytes);
}

/** A kind with 32 bits of length. */
function putHead(parts: Buffer[], kind: number, length: number): void {
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32BE(length, 1);
  parts.push(head);
}

function putInteger(parts: Buffer[], value: bigint): void {
  if (value >= 0n && value < 128n) {
    parts.push(Buffer.from([Number(value)]));
    return;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = value < 0n ? 0xd3 : 0xcf;
  if (value < 0n) bytes.writeBigInt64BE(value, 1);
  else bytes.writeBigUInt64BE(value, 1);
  parts.push(bytes);
}

/**
 * The outermost fields of protobuf messages (protobuf.dev, "encoding"). The messages that carry xDS are few and flat, and
 * reading them by hand bounds what a client can make us build; what is inside a resource or a node is left to the codec.
 */

/** A message that is not protobuf, or breaks a limit. */
export class WireError extends Error {}

export interface Field {
  readonly number: number;
  /** The contents of a length-delimited field; empty for an integer. */
  readonly bytes: Buffer;
  /** An integer, as far as numbers are exact; 0 for a length-delimited field. */
  readonly integer: number;
}

const NOTHING = Buffer.alloc(0);

/** Integers and length-delimited fields of a message, in their order; contents are views of it. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  const reader = new Reader(message);
  while (!reader.done) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw new WireError('a field has the number 0');
    switch (tag % 8) {
      case 0:
        yield { number, bytes: NOTHING, integer: reader.varint() };
        break;
      case 1:
        reader.take(8);
        break;
      case 2:
        yield { number, bytes: reader.take(reader.varint()), integer: 0 };
        break;
      case 5:
        reader.take(4);
        break;
      default:
        throw new WireError('a field is of an unknown kind');
    }
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new WireError('the message is cut short');
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  varint(): number {
    let value = 0;
    for (let digits = 0; digits < 10; digits++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new WireError('the message is cut short');
      value += (byte & 0x7f) * 128 ** digits;
      if (byte < 0x80) return value;
    }
    throw new WireError('a number is too long');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new WireError('a text is not UTF-8');
  }
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
  return out;
}

/** A length-delimited field, in pieces. */
export function field(number: number, ...contents: readonly Uint8Array[]): Uint8Array[] {
  const length = contents.reduce((sum, each) => sum + each.length, 0);
  return [Uint8Array.from([...varint(number * 8 + 2), ...varint(length)]), ...contents];
}

/** A field with text; left out when it is empty, as proto3 does. */
export function textField(number: number, text: string): Uint8Array[] {
  return text === '' ? [] : field(number, Buffer.from(text));
}

import { Fault } from './error.ts';

const FIRST_BYTES = 4096;
/** A larger buffer than this is let go after its message. */
const KEPT_BYTES = 1 << 20;
/** Up to this many UTF-16 units a string is copied in a loop; beyond, the call into native code pays. */
const LOOP_LENGTH = 40;

/** One growing buffer that messages are written into from front to back. */
export class Writer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  position = 0;

  /** What was written, in memory of its own; the writer is empty again. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.#bytes.subarray(0, this.position));
    this.reset();
    return result;
  }

  reset(): void {
    this.position = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#replace(Buffer.allocUnsafeSlow(FIRST_BYTES));
  }

  #replace(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #room(size: number): void {
    const needed = this.position + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.position);
    this.#replace(larger);
  }

  /** An unsigned number of up to 32 bits; also a tag. */
  varint(value: number): void {
    this.#room(5);
    const bytes = this.#bytes;
    let rest = value >>> 0;
    while (rest > 127) {
      bytes[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.position++] = rest;
  }

  /** 64 bits as two unsigned halves. */
  varint64(low: number, high: number): void {
    this.#room(10);
    const bytes = this.#bytes;
    let lower = low >>> 0;
    let upper = high >>> 0;
    while (upper > 0 || lower > 127) {
      bytes[this.position++] = (lower & 127) | 128;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    bytes[this.position++] = lower;
  }

  fixed32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.position, value >>> 0, true);
    this.position += 4;
  }

  fixed64(low: number, high: number): void {
    this.fixed32(low);
    this.fixed32(high);
  }

  float(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.position, value, true);
    this.position += 4;
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** Bytes after their length. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.position);
    this.position += value.length;
  }

  /** A string in UTF-8 after its length. */
  string(value: string): void {
    const { length } = value;
    if (length > LOOP_LENGTH) {
      this.#longString(value);
      return;
    }
    this.#room(length + 1);
    const bytes = this.#bytes;
    let at = this.position;
    bytes[at++] = length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.#longString(value);
        return;
      }
      bytes[at++] = code;
    }
    this.position = at;
  }

  #longString(value: string): void {
    const size = Buffer.byteLength(value);
    if (size !== value.length && !value.isWellFormed()) {
      throw new Fault('has half of a surrogate pair, which is no Unicode text');
    }
    this.varint(size);
    this.#room(size);
    this.position += this.#bytes.write(value, this.position);
  }

  /** Leaves room for the length of what follows; give the result to `close`. */
  open(): number {
    this.#room(1);
    return this.position++;
  }

  /** Writes the length of all since `open`. */
  close(start: number): void {
    const size = this.position - start - 1;
    if (size < 128) {
      this.#bytes[start] = size;
      return;
    }
    const more = size < 1 << 14 ? 1 : size < 1 << 21 ? 2 : size < 1 << 28 ? 3 : 4;
    this.#room(more);
    this.#bytes.copyWithin(start + 1 + more, start + 1, this.position);
    const end = this.position + more;
    this.position = start;
    this.varint(size);
    this.position = end;
  }
}

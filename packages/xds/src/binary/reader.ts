import { isUtf8 } from 'node:buffer';
import { Fault } from './error.ts';
import { MAX_DEPTH } from './limits.ts';
import { Wire } from './plan.ts';

/** Up to this many bytes a string is built in a loop; beyond, the call into native code pays. */
const LOOP_LENGTH = 12;

const TRUNCATED = 'ends in the middle of a value';

/** Goes through the bytes of a message from front to back; every read is checked against its end. */
export class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  position = 0;
  /** The upper half of what `varint64` or `fixed64` read last. */
  high = 0;
  /** Numbers of enum values that have no name here are told as such, instead of being passed over. */
  readonly keepsNumbers: boolean;

  constructor(bytes: Uint8Array, keepsNumbers = false) {
    this.keepsNumbers = keepsNumbers;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads 64 bits: returns the lower half, leaves the upper one in `high`. Both are unsigned. */
  varint64(end: number): number {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) throw new Fault(TRUNCATED);
      const byte = bytes[this.position++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= bits << 31;
      if (byte < 128) {
        this.high = high >>> 0;
        return low >>> 0;
      }
    }
    throw new Fault('has a number of more than ten bytes');
  }

  /** The lower 32 bits of a number, unsigned: what protobuf makes of one that is too long. */
  varint(end: number): number {
    if (this.position < end) {
      const byte = this.#bytes[this.position]!;
      if (byte < 128) {
        this.position++;
        return byte;
      }
    }
    return this.varint64(end);
  }

  /** Field number and wire type. */
  tag(end: number): number {
    const tag = this.varint(end);
    if (tag < 8 || (tag > 127 && this.high !== 0)) throw new Fault('has a field number that cannot be');
    return tag;
  }

  /** Where a value with a length ends; it starts at `position`. */
  length(end: number): number {
    const length = this.varint(end);
    if (length > end - this.position) throw new Fault(TRUNCATED);
    return this.position + length;
  }

  fixed32(end: number): number {
    this.#need(4, end);
    const value = this.#view.getUint32(this.position, true);
    this.position += 4;
    return value;
  }

  fixed64(end: number): number {
    this.#need(8, end);
    const low = this.#view.getUint32(this.position, true);
    this.high = this.#view.getUint32(this.position + 4, true);
    this.position += 8;
    return low;
  }

  float(end: number): number {
    this.#need(4, end);
    const value = this.#view.getFloat32(this.position, true);
    this.position += 4;
    return value;
  }

  double(end: number): number {
    this.#need(8, end);
    const value = this.#view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }

  /** Text up to `end`. */
  text(end: number): string {
    const start = this.position;
    const bytes = this.#bytes;
    this.position = end;
    if (end - start <= LOOP_LENGTH) {
      let text = '';
      let at = start;
      for (; at < end && bytes[at]! < 128; at++) text += String.fromCharCode(bytes[at]!);
      if (at === end) return text;
    }
    const text = bytes.toString('utf8', start, end);
    if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) throw new Fault('is text that is not UTF-8');
    return text;
  }

  /** Bytes up to `end`, as base64. */
  base64(end: number): string {
    const text = this.#bytes.toString('base64', this.position, end);
    this.position = end;
    return text;
  }

  #need(size: number, end: number): void {
    if (end - this.position < size) throw new Fault(TRUNCATED);
  }

  /** Passes over the value of a field that is not known, `tag` being what came before it. */
  skip(tag: number, end: number): void {
    let depth = 0;
    const groups: number[] = [];
    for (let at = tag; ; at = this.tag(end)) {
      switch (at & 7) {
        case Wire.varint:
          this.varint64(end);
          break;
        case Wire.fixed64:
          this.fixed64(end);
          break;
        case Wire.bytes:
          this.position = this.length(end);
          break;
        case Wire.fixed32:
          this.fixed32(end);
          break;
        case Wire.groupStart:
          if (++depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
          groups.push(at >>> 3);
          break;
        case Wire.groupEnd:
          if (depth === 0 || groups.pop() !== at >>> 3) throw new Fault('ends a group that it did not start');
          depth--;
          break;
        default:
          throw new Fault(`has a value of the wire type ${at & 7}, which does not exist`);
      }
      if (depth === 0) return;
    }
  }
}

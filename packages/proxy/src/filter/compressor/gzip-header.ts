import { crc32 } from 'node:zlib';

const FLAG = { HEAD_CRC: 2, EXTRA: 4, NAME: 8, COMMENT: 16, RESERVED: 0xe0 } as const;
const MAGIC = [0x1f, 0x8b, 8];
const FIXED = 10;
const NOTHING: Buffer = Buffer.alloc(0);

/** Passes over the header of a gzip body, of which nothing is kept: names in it may be as long as they like. */
export class GzipHeader {
  /** Nothing of it has come. */
  empty = true;
  done = false;
  #flags = 0;
  #step = 0;
  /** The beginning of a part of a few bytes. */
  #held: Buffer = NOTHING;
  /** Bytes of the extra field that are still to come. */
  #extra = 0;
  #checksum = 0;
  /** Each says how many bytes of what comes are its own, and whether that was all of it; -1: it is none. */
  readonly #steps: readonly ((data: Buffer) => readonly [used: number, over: boolean])[] = [
    (data) => this.#fixed(data),
    (data) =>
      this.#has(FLAG.EXTRA) ? this.#whole(data, 2, (of) => ((this.#extra = of.readUInt16LE()), true)) : PASSED,
    (data) => {
      const used = Math.min(this.#extra, data.length);
      this.#extra -= used;
      return [used, this.#extra === 0];
    },
    (data) => (this.#has(FLAG.NAME) ? text(data) : PASSED),
    (data) => (this.#has(FLAG.COMMENT) ? text(data) : PASSED),
    (data) => {
      const checksum = this.#checksum & 0xffff;
      return this.#has(FLAG.HEAD_CRC) ? this.#whole(data, 2, (of) => of.readUInt16LE() === checksum) : PASSED;
    },
  ];

  /** How many bytes of `data` belong to it; undefined: it is none. */
  read(data: Buffer): number | undefined {
    this.empty &&= data.length === 0;
    let at = 0;
    while (this.#step < this.#steps.length) {
      const [used, over] = this.#steps[this.#step]!(data.subarray(at));
      if (used < 0) return undefined;
      if (this.#step < this.#steps.length - 1) this.#checksum = crc32(data.subarray(at, at + used), this.#checksum);
      at += used;
      if (!over) return at;
      this.#step++;
    }
    this.done = true;
    return at;
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  #fixed(data: Buffer): readonly [number, boolean] {
    const before = this.#held.length;
    if (MAGIC.some((byte, i) => i >= before && i - before < data.length && data[i - before] !== byte)) return NONE;
    return this.#whole(data, FIXED, (of) => ((this.#flags = of[3]!) & FLAG.RESERVED) === 0);
  }

  /** A part of so many bytes, which `take` looks at when all are there. */
  #whole(data: Buffer, length: number, take: (of: Buffer) => boolean): readonly [number, boolean] {
    const used = Math.min(length - this.#held.length, data.length);
    this.#held = Buffer.concat([this.#held, data.subarray(0, used)]);
    if (this.#held.length < length) return [used, false];
    const all = this.#held;
    this.#held = NOTHING;
    return take(all) ? [used, true] : NONE;
  }
}

const PASSED = [0, true] as const;
const NONE = [-1, false] as const;

/** Up to a zero. */
function text(data: Buffer): readonly [number, boolean] {
  const end = data.indexOf(0);
  return end < 0 ? [data.length, false] : [end + 1, true];
}

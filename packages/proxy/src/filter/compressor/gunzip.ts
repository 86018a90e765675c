import { Transform, type TransformCallback } from 'node:stream';
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';
import { GzipHeader } from './gzip-header.ts';

const TRAILER = 8;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Undoes gzip as Envoy does: what is read before a fault at the end or behind it goes on, and nothing behind the first
 * member is read. (Node's own holds back the last of a body when its checksum is wrong or something follows.) Fails with
 * code `Z_DATA_ERROR`, or `Z_BUF_ERROR` where the end is missing.
 */
export class Gunzip extends Transform {
  readonly #header = new GzipHeader();
  readonly #inflate: InflateRaw;
  /** Bytes given to `#inflate`. */
  #given = 0;
  #inflated = false;
  /** What has come behind the compressed data. */
  #behind: Buffer = NOTHING;
  /** The last that was given to `#inflate`, the end of which may be behind the compressed data. */
  #last: Buffer = NOTHING;
  #checksum = 0;
  #size = 0;
  #done: TransformCallback | undefined;
  /** All has come. */
  #flushing = false;

  constructor(options: { readonly windowBits: number; readonly chunkSize: number }) {
    super();
    this.#inflate = createInflateRaw(options);
    this.#inflate.on('data', (data: Buffer) => {
      this.#checksum = crc32(data, this.#checksum);
      this.#size = (this.#size + data.length) >>> 0;
      this.push(data);
    });
    this.#inflate.on('end', () => this.#onInflated());
    this.#inflate.on('error', (error) => this.#settle(error));
  }

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let rest = data;
    if (!this.#header.done) {
      const length = this.#header.read(data);
      if (length === undefined) {
        done(fault('incorrect header'));
        return;
      }
      rest = data.subarray(length);
    }
    if (this.#inflated) {
      this.#addBehind(rest);
      done();
      return;
    }
    if (rest.length === 0) {
      done();
      return;
    }
    this.#given += rest.length;
    this.#last = rest;
    this.#done = done;
    this.#inflate.write(rest, () => this.#settle());
  }

  override _flush(done: TransformCallback): void {
    if (!this.#header.done) {
      done(this.#header.empty ? null : tooShort());
      return;
    }
    if (this.#inflated) {
      done(this.#judge());
      return;
    }
    this.#done = done;
    this.#flushing = true;
    this.#inflate.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inflate.destroy();
    done(error);
  }

  #settle(error?: Error | null): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }

  #onInflated(): void {
    this.#inflated = true;
    const over = this.#given - this.#inflate.bytesWritten;
    if (over > 0) this.#addBehind(this.#last.subarray(this.#last.length - over));
    this.#settle(this.#flushing ? this.#judge() : null);
  }

  #addBehind(data: Buffer): void {
    if (this.#behind.length < TRAILER) this.#behind = Buffer.concat([this.#behind, data.subarray(0, TRAILER)]);
  }

  /** Whether all was as it should be. */
  #judge(): Error | null {
    if (this.#behind.length < TRAILER) return tooShort();
    if (this.#behind.readUInt32LE(0) !== this.#checksum) return fault('incorrect data check');
    return this.#behind.readUInt32LE(4) === this.#size ? null : fault('incorrect length check');
  }
}

function fault(message: string): Error {
  return Object.assign(new Error(message), { code: 'Z_DATA_ERROR' });
}

function tooShort(): Error {
  return Object.assign(new Error('unexpected end of file'), { code: 'Z_BUF_ERROR' });
}

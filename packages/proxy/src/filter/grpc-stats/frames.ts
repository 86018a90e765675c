/** Of the flags before a message: the last of a Connect stream, which is no message but says how it ended. */
const ENDS_STREAM = 2;
/** Nobody needs more to say how a stream ended; what is longer says nothing. */
const MAX_END = 1 << 20;

/** Counts length-prefixed messages as they begin, however the bytes come. */
export class FrameCounter {
  count = 0;
  /** Bytes of the current prefix that have been seen. */
  #prefix = 0;
  #length = 0;
  /** Bytes of the current message that are to come. */
  #left = 0;

  /** How many more there are now. */
  inspect(data: Buffer): number {
    const before = this.count;
    for (let i = 0; i < data.length;) {
      if (this.#left > 0) {
        const end = Math.min(data.length, i + this.#left);
        this.#left -= end - i;
        this.content(data, i, end);
        i = end;
        if (this.#left === 0) this.ended();
        continue;
      }
      const byte = data[i++]!;
      if (this.#prefix === 0) {
        if (!this.begins(byte)) break;
        this.#length = 0;
      } else this.#length = this.#length * 256 + byte;
      if (++this.#prefix < 5) continue;
      this.#prefix = 0;
      this.#left = this.#length;
      if (this.#left === 0) this.ended();
    }
    return this.count - before;
  }

  /** False: what follows is not looked at. */
  protected begins(_flags: number): boolean {
    this.count++;
    return true;
  }

  protected content(_data: Buffer, _from: number, _to: number): void {}

  protected ended(): void {}
}

/** Those of a response, where the last of a Connect stream is not counted. */
export class ResponseFrameCounter extends FrameCounter {
  #state: 'messages' | 'ending' | 'succeeded' | 'failed' = 'messages';
  readonly #parts: Buffer[] = [];
  #size = 0;

  get succeeded(): boolean {
    return this.#state === 'succeeded';
  }

  protected override begins(flags: number): boolean {
    if (this.#state !== 'messages') return false;
    if ((flags & ENDS_STREAM) === 0) return super.begins(flags);
    this.#state = 'ending';
    return true;
  }

  protected override content(data: Buffer, from: number, to: number): void {
    if (this.#state !== 'ending') return;
    this.#size += to - from;
    if (this.#size <= MAX_END) this.#parts.push(Buffer.from(data.subarray(from, to)));
  }

  protected override ended(): void {
    if (this.#state !== 'ending') return;
    const whole = this.#size <= MAX_END ? Buffer.concat(this.#parts).toString('utf8') : '';
    this.#parts.length = 0;
    this.#state = saysSuccess(whole) ? 'succeeded' : 'failed';
  }
}

/** An object without `error`, as JSON has it: Envoy puts up with commas too many and with keys without quotes. */
function saysSuccess(text: string): boolean {
  try {
    const end: unknown = JSON.parse(text);
    if (typeof end !== 'object' || Array.isArray(end)) return false;
    return end === null || !('error' in end);
  } catch {
    return false;
  }
}

/** Splits a byte stream into lines; a line longer than `limit` bytes ends it. */
export class LineReader {
  readonly #limit: number;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(limit: number, onLine: (line: string) => void) {
    this.#limit = limit;
    this.#onLine = onLine;
  }

  /** False when the limit was passed. */
  push(data: Buffer): boolean {
    let from = 0;
    for (let at = data.indexOf(0x0a); at !== -1; at = data.indexOf(0x0a, from)) {
      const line = data.subarray(from, at);
      const whole = this.#parts.length === 0 ? line : Buffer.concat([...this.#parts, line]);
      this.#parts = [];
      this.#size = 0;
      from = at + 1;
      if (whole.length > this.#limit) return false;
      if (whole.length > 0) this.#onLine(whole.toString('utf8'));
    }
    if (from < data.length) {
      this.#parts.push(data.subarray(from));
      this.#size += data.length - from;
    }
    return this.#size <= this.#limit;
  }
}

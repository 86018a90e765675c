import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut into pieces of this many characters. */
const MAX_LINE = 16_384;

/** Cuts a stream of bytes into lines. `end` gives out what is left without a line feed. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const pieces = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = pieces.pop() ?? '';
    for (const piece of pieces) this.#onLine(piece.endsWith('\r') ? piece.slice(0, -1) : piece);
    while (this.#rest.length > MAX_LINE) {
      this.#onLine(this.#rest.slice(0, MAX_LINE));
      this.#rest = this.#rest.slice(MAX_LINE);
    }
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#onLine(rest);
  }
}

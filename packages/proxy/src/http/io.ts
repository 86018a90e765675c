/** Writing to a socket once per round of reads; see turn.ts. */
import type { UpstreamSocket } from '../types.ts';
import { isShared } from './reads.ts';
import { borrow, giveBack } from './slabs.ts';
import { flushLater } from './turn.ts';

/** Bodies up to this size travel in the same string as the head; larger ones as the buffers they came in. */
const INLINE = 8192;
/** Bytes that may wait in a socket before whoever produces them is told to stop. */
export const HIGH_WATER = 64 * 1024;

export class Output {
  /** Written so far; whoever counts them sets it back. */
  bytes = 0;
  #text = '';
  #marked = false;
  #closing = false;
  readonly #socket: UpstreamSocket;

  constructor(socket: UpstreamSocket) {
    this.#socket = socket;
  }

  /**
   * More is waiting than should be; the socket emits `drain` when it has left. (What a write has just taken whole is
   * not waiting, whatever `writableNeedDrain` says until the next tick.)
   */
  get blocked(): boolean {
    return this.#text.length > HIGH_WATER || this.#socket.writableLength > HIGH_WATER;
  }

  text(text: string): void {
    this.bytes += text.length;
    this.#text += text;
    if (!this.#marked) this.#mark();
  }

  data(data: Buffer): void {
    if (data.length <= INLINE) {
      this.text(data.toString('latin1'));
      return;
    }
    this.bytes += data.length;
    const head = this.#text;
    const socket = this.#socket;
    if (head !== '') {
      this.#text = '';
      socket.cork();
      socket.write(head, 'latin1');
    }
    if (isShared(data)) {
      const copy = borrow(data);
      socket.write(copy, () => giveBack(copy));
    } else {
      socket.write(data);
    }
    if (head !== '') socket.uncork();
  }

  /** It has been told to half-close. */
  get ended(): boolean {
    return this.#closing || this.#socket.writableEnded;
  }

  /** Half-closes after everything written so far. */
  end(): void {
    this.#closing = true;
    if (!this.#marked) this.#mark();
  }

  flush(): void {
    this.#marked = false;
    const text = this.#text;
    if (text !== '') {
      this.#text = '';
      this.#socket.write(text, 'latin1');
    }
    if (this.#closing) {
      this.#closing = false;
      this.#socket.end();
    }
  }

  #mark(): void {
    this.#marked = true;
    flushLater(this);
  }
}

import type { CollectedBody } from '../types.ts';
import { keep } from './reads.ts';

/** A filter's wish for a body: how much of it, and what to do when that is there, or when there is too much. */
export interface BodyWish {
  readonly limit: number;
  readonly partial: boolean;
  /** Nothing of it is kept. */
  readonly drops?: boolean;
  readonly onReady: (body: CollectedBody) => void;
  readonly onTooLarge: () => void;
}

/** What arrives of a body while a filter's promise is being waited for. */
export class Hold {
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #trailers: readonly string[] | undefined;
  #wish: BodyWish | undefined;

  constructor(wish: BodyWish | undefined) {
    this.#wish = wish;
  }

  add(data: Buffer): void {
    if (this.#wish?.drops === true) return;
    this.#parts.push(keep(data));
    this.#bytes += data.length;
    const wish = this.#wish;
    if (wish === undefined || this.#bytes < wish.limit + (wish.partial ? 0 : 1)) return;
    this.#wish = undefined;
    if (wish.partial) wish.onReady(this.#collected());
    else wish.onTooLarge();
  }
  end(trailers: readonly string[] | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
    const wish = this.#wish;
    this.#wish = undefined;
    wish?.onReady(this.#collected());
  }

  /** What was collected goes on in one piece. */
  #collected(): CollectedBody {
    const data = Buffer.concat(this.#parts.splice(0));
    if (data.length > 0) this.#parts.push(data);
    return { data, complete: this.#ended };
  }

  /** Gives everything on, in one piece; whoever takes it may begin another hold meanwhile. */
  give(data: (part: Buffer) => void, end: (trailers: readonly string[] | undefined) => void): void {
    if (this.#parts.length > 0) data(this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts));
    if (this.#ended) end(this.#trailers);
  }
}

import { keep } from './reads.ts';

/** What arrives of a body while a filter's promise is being waited for. */
export class Hold {
  readonly #parts: Buffer[] = [];
  #ended = false;
  #trailers: readonly string[] | undefined;

  add(data: Buffer): void {
    this.#parts.push(keep(data));
  }
  end(trailers: readonly string[] | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
  }

  /** Gives everything on, in order; whoever takes it may begin another hold meanwhile. */
  give(data: (part: Buffer) => void, end: (trailers: readonly string[] | undefined) => void): void {
    for (const part of this.#parts) data(part);
    if (this.#ended) end(this.#trailers);
  }
}

import { keep } from './reads.ts';

/** A request's body as far as it must be kept: until it has been sent, and while it may have to be sent again. */
export class RequestBody {
  /** Attempts read from it; only the router's calls change it. */
  readonly parts: Buffer[] = [];
  bytes = 0;
  complete = false;
  trailers: readonly string[] | undefined;

  add(data: Buffer): void {
    this.parts.push(keep(data));
    this.bytes += data.length;
  }

  forget(): void {
    if (this.parts.length === 0) return;
    this.parts.length = 0;
    this.bytes = 0;
  }
}

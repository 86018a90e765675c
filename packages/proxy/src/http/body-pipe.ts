import type { Transform } from 'node:stream';
import { entered } from './turn.ts';
import { keep } from './reads.ts';

export interface BodyPipeEnds {
  readonly onData: (data: Buffer) => void;
  readonly onEnd: () => void;
  /** Whoever writes may go on, or is to wait. */
  readonly onFlow: (flows: boolean) => void;
}

/** A body on its way through something that makes another of it. What cannot be made sense of ends it early. */
export class BodyPipe {
  readonly #transform: Transform;
  readonly #ends: BodyPipeEnds;
  readonly #count: (before: number, after: number) => boolean;
  /** What this makes goes through that. */
  #next: BodyPipe | undefined;
  #broken = false;
  /** Whoever writes was told to wait. */
  #waits = false;
  #ended = false;

  /** `count` is told what goes in and what comes out; false: enough. */
  constructor(transform: Transform, count: (before: number, after: number) => boolean, ends: BodyPipeEnds) {
    this.#transform = transform;
    this.#ends = ends;
    this.#count = count;
    transform.on('data', (data: Buffer) => {
      if (this.#broken) return;
      entered(() => (this.#next === undefined ? ends.onData(data) : this.#next.write(data)));
      if (!count(0, data.length)) this.#break();
    });
    transform.on('end', () => this.#finish());
    transform.on('error', () => this.#break());
    transform.on('drain', () => this.#flow());
  }

  /** Puts another one behind the last. */
  add(next: BodyPipe): void {
    if (this.#next === undefined) this.#next = next;
    else this.#next.add(next);
  }

  /** Whether that is the last of what is behind this one. */
  isLast(pipe: BodyPipe): boolean {
    return this.#next === undefined ? this === pipe : this.#next.isLast(pipe);
  }

  write(data: Buffer): void {
    if (this.#broken) return;
    this.#count(data.length, 0);
    if (this.#transform.write(keep(data)) || this.#waits) return;
    this.#waits = true;
    this.#ends.onFlow(false);
  }

  /** Whoever writes is to wait, for this or for one behind it. */
  get waits(): boolean {
    return this.#waits || this.#next?.waits === true;
  }

  end(): void {
    this.#ended = true;
    if (this.#broken) this.#finish();
    else this.#transform.end();
  }

  /** Nobody is kept waiting for what will not be made. */
  destroy(): void {
    this.#transform.destroy();
    this.#flow();
    this.#next?.destroy();
  }

  #break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#transform.destroy();
    this.#flow();
    if (this.#ended) this.#finish();
  }

  #flow(): void {
    if (!this.#waits) return;
    this.#waits = false;
    entered(() => this.#ends.onFlow(true));
  }

  #finish(): void {
    entered(() => (this.#next === undefined ? this.#ends.onEnd() : this.#next.end()));
  }
}

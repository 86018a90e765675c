import type { Transform } from 'node:stream';
import { entered } from './io.ts';
import { keep } from './reads.ts';

export interface BodyPipeEnds {
  readonly onData: (data: Buffer) => void;
  readonly onEnd: () => void;
  readonly onError: () => void;
  /** Whoever writes may go on, or is to wait. */
  readonly onFlow: (flows: boolean) => void;
  /** Bytes that went in and came out. */
  readonly count: (before: number, after: number) => void;
}

/** A body on its way through something that makes another of it. */
export class BodyPipe {
  readonly #transform: Transform;
  readonly #ends: BodyPipeEnds;

  constructor(transform: Transform, ends: BodyPipeEnds) {
    this.#transform = transform;
    this.#ends = ends;
    transform.on('data', (data: Buffer) => {
      ends.count(0, data.length);
      entered(() => ends.onData(data));
    });
    transform.on('end', () => entered(ends.onEnd));
    transform.on('error', () => entered(ends.onError));
    transform.on('drain', () => entered(() => ends.onFlow(true)));
  }

  write(data: Buffer): void {
    this.#ends.count(data.length, 0);
    if (!this.#transform.write(keep(data))) this.#ends.onFlow(false);
  }

  end(): void {
    this.#transform.end();
  }

  destroy(): void {
    this.#transform.destroy();
  }
}

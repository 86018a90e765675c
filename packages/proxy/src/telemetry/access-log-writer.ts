import { closeSync, openSync, write, writeSync } from 'node:fs';
import type { Clock } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';

/** Bytes gathered at most before they are written. */
const BATCH = 64 * 1024;
/** Milliseconds a line waits at most before it is written. */
const DELAY = 1000;
/** Characters that may wait behind a slow disk; lines beyond are dropped and counted. */
const MAX_WAITING = 64 * 1024 * 1024;

/**
 * Appends lines to a file in batches: a write every 64 KiB or every second, never two at a time. `-`, `/dev/stdout` and
 * `/dev/stderr` are the process's own. Opening throws what `openSync` throws; later failures only count as dropped.
 */
export class AccessLogWriter implements AccessLogSink {
  dropped = 0;
  readonly #path: string;
  readonly #clock: Clock;
  #fd: number;
  #text = '';
  #writing: Buffer | undefined;
  #scheduled = false;
  #closed = false;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    this.#fd = open(path);
  }

  write(line: string): void {
    if (this.#closed || this.#text.length > MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#text += line;
    if (this.#text.length >= BATCH) {
      this.#flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#clock.after(DELAY, this.#due);
    }
  }

  /** Opens the file again, for log rotation. */
  reopen(): void {
    if (this.#closed || isStandard(this.#path)) return;
    this.flushSync();
    closeSync(this.#fd);
    this.#fd = open(this.#path);
  }

  /** Writes everything before it returns: for the end of the process. */
  flushSync(): void {
    const waiting = this.#text;
    this.#text = '';
    // A write under way is not waited for: it is in the kernel's hands or will be repeated by none.
    writeFully(this.#fd, Buffer.from(waiting, 'latin1'));
  }

  close(): void {
    if (this.#closed) return;
    this.flushSync();
    this.#closed = true;
    if (this.#writing === undefined && !isStandard(this.#path)) closeSync(this.#fd);
  }

  readonly #due = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#writing !== undefined || this.#text === '') return;
    this.#writing = Buffer.from(this.#text, 'latin1');
    this.#text = '';
    this.#writeOn(this.#writing);
  }

  #writeOn(data: Buffer): void {
    write(this.#fd, data, 0, data.length, null, (error, written) => {
      if (error !== null && error.code === 'EAGAIN') {
        this.#clock.after(10, () => this.#writeOn(data));
        return;
      }
      if (error !== null) this.dropped++;
      else if (written < data.length) {
        this.#writeOn(data.subarray(written));
        return;
      }
      this.#writing = undefined;
      if (this.#closed) {
        if (!isStandard(this.#path)) closeSync(this.#fd);
      } else if (this.#text.length >= BATCH) {
        this.#flush();
      } else if (this.#text !== '' && !this.#scheduled) {
        this.#scheduled = true;
        this.#clock.after(DELAY, this.#due);
      }
    });
  }
}

function isStandard(path: string): boolean {
  return path === '-' || path === '/dev/stdout' || path === '/dev/stderr';
}

function open(path: string): number {
  if (path === '/dev/stderr') return 2;
  return isStandard(path) ? 1 : openSync(path, 'a', 0o644);
}

function writeFully(fd: number, data: Buffer): void {
  let at = 0;
  let patience = 1000;
  while (at < data.length && patience > 0) {
    try {
      at += writeSync(fd, data, at);
    } catch (error) {
      // A pipe whose reader is slow; give it a moment, not for ever.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      patience--;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

import { closeSync, openSync, write, writeSync } from 'node:fs';
import type { Clock, Timer } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';

/** Lines are gathered for this long, milliseconds, or up to this many characters. */
const FLUSH_AFTER = 50;
const FLUSH_SIZE = 64 * 1024;
/** What may wait for a slow disk before lines are dropped. */
const MAX_WAITING = 8 * 1024 * 1024;

/** Access log files of the process, each opened once and appended to. */
export class LogFiles {
  readonly #files = new Map<string, LogFile>();
  readonly #clock: Clock;
  readonly #onError: (message: string) => void;

  constructor(clock: Clock, onError: (message: string) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  sink(path: string): AccessLogSink {
    let file = this.#files.get(path);
    if (file === undefined) this.#files.set(path, (file = new LogFile(path, this.#clock, this.#onError)));
    return file;
  }

  /** Opens every file again by its path, for who has moved them away. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  /** Writes what is left, at once. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }
}

class LogFile implements AccessLogSink {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onError: (message: string) => void;
  #descriptor: number | undefined;
  #waiting = '';
  #writing = false;
  /** To be opened again after the write that is under way. */
  #stale = false;
  #timer: Timer | undefined;

  constructor(path: string, clock: Clock, onError: (message: string) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#path = path;
    this.#descriptor = this.#open();
  }

  #open(): number | undefined {
    const path = this.#path;
    try {
      return path === '/dev/stdout' ? 1 : path === '/dev/stderr' ? 2 : openSync(path, 'a', 0o600);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#onError(`access log \`${path}\` cannot be opened: ${why}`);
      return undefined;
    }
  }

  /** What was written before is in the file as it was; while a write is under way, once that has ended. */
  reopen(): void {
    if (this.#writing) {
      this.#stale = true;
      return;
    }
    this.#stale = false;
    const old = this.#descriptor;
    if (old !== undefined && old <= 2) return;
    const fresh = this.#open();
    if (fresh === undefined) return;
    if (old !== undefined) {
      if (this.#waiting !== '') writeSync(old, Buffer.from(this.#waiting, 'latin1'));
      this.#waiting = '';
      closeSync(old);
    }
    this.#descriptor = fresh;
  }

  write(line: string): void {
    if (this.#descriptor === undefined || this.#waiting.length > MAX_WAITING) return;
    this.#waiting += line;
    if (this.#waiting.length > FLUSH_SIZE) this.#flush();
    else this.#timer ??= this.#clock.after(FLUSH_AFTER, () => this.#flush());
  }

  close(): void {
    this.#timer?.cancel();
    if (this.#descriptor === undefined) return;
    try {
      if (this.#waiting !== '') writeSync(this.#descriptor, this.#waiting);
      if (this.#descriptor > 2) closeSync(this.#descriptor);
    } catch {
      // Nobody is left to tell.
    }
    this.#descriptor = undefined;
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#writing || this.#waiting === '' || this.#descriptor === undefined) return;
    const bytes = Buffer.from(this.#waiting, 'latin1');
    this.#waiting = '';
    this.#writing = true;
    this.#writeAll(this.#descriptor, bytes);
  }

  #writeAll(descriptor: number, bytes: Buffer): void {
    write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN' || (error === null && written < bytes.length)) {
        const rest = bytes.subarray(written);
        this.#clock.after(FLUSH_AFTER, () => this.#writeAll(descriptor, rest));
        return;
      }
      this.#writing = false;
      if (error !== null) this.#onError(`access log cannot be written: ${error.message}`);
      if (this.#stale) this.reopen();
      this.#flush();
    });
  }
}

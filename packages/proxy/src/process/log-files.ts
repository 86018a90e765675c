import { accessSync, closeSync, constants, openSync, statSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';

/** Lines are gathered for this long, milliseconds, or until there are so many bytes of them. */
const FLUSH_AFTER = 100;
const CHUNK = 256 * 1024;
/** Lines become bytes together, from so many characters on: each way into native code costs as much as a line does. */
const JOINED = 4096;
/** What may wait for a slow disk before lines are dropped. */
const MAX_WAITING = 8 * 1024 * 1024;
/** Chunks that have been written and are kept for others. */
const MAX_SPARE = 4;

/** Access log files of the process, each opened once and appended to. */
export class LogFiles {
  readonly #files = new Map<string, LogFile>();
  readonly #clock: Clock;
  readonly #onError: (message: string) => void;
  readonly #spare: Buffer[] = [];

  constructor(clock: Clock, onError: (message: string) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  sink(path: string): AccessLogSink {
    let file = this.#files.get(path);
    if (file === undefined) this.#files.set(path, (file = new LogFile(path, this.#clock, this.#spare, this.#onError)));
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

const STREAMS: ReadonlySet<string> = new Set(['/dev/stdout', '/dev/stderr']);
const { R_OK, W_OK, X_OK } = constants;

/** Why a file, which need not be there yet, cannot be opened for lines; undefined: it can. */
export function whyNotAppendable(path: string): string | undefined {
  if (STREAMS.has(path)) return undefined;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return 'it is a directory';
    if (found === undefined) accessSync(dirname(path), W_OK | X_OK);
    else accessSync(path, R_OK | W_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return WORDS[code ?? ''] ?? message;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such folder',
  ENOTDIR: 'no such folder',
  EACCES: 'permission denied',
};

/** A pipe without a reader is opened and written to like a file: nobody waits for whoever is going to read. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * Lines become bytes a few at a time: a long text made of many small ones is dear to keep. However fast the disk, what comes
 * while a chunk is being written waits for its own time: each write wakes other threads.
 */
class LogFile implements AccessLogSink {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onError: (message: string) => void;
  readonly #spare: Buffer[];
  #descriptor: number | undefined;
  /** Lines that are not yet in the chunk. */
  #text = '';
  /** Being filled, so far up to `#at`. */
  #chunk: Buffer | undefined;
  #at = 0;
  /** To be written in this order; the first is under way while `#writing`. */
  readonly #full: Buffer[] = [];
  #waiting = 0;
  #writing = false;
  /** To be opened again after the write that is under way. */
  #stale = false;
  #timer: Timer | undefined;

  constructor(path: string, clock: Clock, spare: Buffer[], onError: (message: string) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#path = path;
    this.#spare = spare;
    this.#descriptor = this.#open();
  }

  #open(): number | undefined {
    const path = this.#path;
    try {
      return path === '/dev/stdout' ? 1 : path === '/dev/stderr' ? 2 : openSync(path, FLAGS, 0o600);
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
      this.#writeNow(old);
      closeSync(old);
    }
    this.#descriptor = fresh;
  }

  write(line: string): void {
    if (this.#descriptor === undefined || this.#waiting > MAX_WAITING) return;
    this.#timer ??= this.#clock.after(FLUSH_AFTER, () => this.#flush());
    const text = this.#text + line;
    this.#text = text;
    if (text.length < JOINED) return;
    this.#encode();
    this.#next();
  }

  /** The lines that have come become bytes. */
  #encode(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    if (this.#chunk !== undefined && text.length > this.#chunk.length - this.#at) this.#enqueue();
    this.#chunk ??= this.#newChunk(text.length);
    this.#at += this.#chunk.write(text, this.#at, 'latin1');
  }

  #newChunk(length: number): Buffer {
    const spare = length > CHUNK ? undefined : this.#spare.pop();
    return spare ?? Buffer.allocUnsafeSlow(Math.max(length, CHUNK));
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    this.#writeNow(this.#descriptor);
    // A write that is under way has still to end; the process does, too.
    if (this.#descriptor > 2 && !this.#writing) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** All that no write is under way for. */
  #writeNow(descriptor: number): void {
    this.#gather();
    for (const chunk of this.#full.splice(this.#writing ? 1 : 0)) {
      this.#waiting -= chunk.length;
      this.#writeChunk(descriptor, chunk);
      this.#reuse(chunk);
    }
  }

  #writeChunk(descriptor: number, chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length;) at += writeSync(descriptor, chunk, at);
    } catch (error) {
      this.#onError(`access log cannot be written: ${(error as Error).message}`);
    }
  }

  #flush(): void {
    this.#gather();
    this.#next();
  }

  #gather(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#encode();
    this.#enqueue();
  }

  #enqueue(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#full.push(chunk.subarray(0, this.#at));
    this.#waiting += this.#at;
    this.#chunk = undefined;
    this.#at = 0;
  }

  #next(): void {
    const [first] = this.#full;
    if (this.#writing || first === undefined || this.#descriptor === undefined) return;
    this.#writing = true;
    this.#writeAll(this.#descriptor, first);
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
      const done = this.#full.shift()!;
      this.#waiting -= done.length;
      this.#reuse(done);
      if (this.#stale) this.reopen();
      this.#next();
    });
  }

  #reuse({ buffer, byteLength }: Buffer): void {
    if (byteLength <= CHUNK && buffer.byteLength === CHUNK && this.#spare.length < MAX_SPARE)
      this.#spare.push(Buffer.from(buffer as ArrayBuffer));
  }
}

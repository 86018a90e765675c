import { appendFileSync, renameSync, statSync } from 'node:fs';

const FLUSH_MS = 50;
const FLUSH_BYTES = 64 * 1024;

/**
 * A log on disk that never holds more than about twice `maxBytes`: when full it becomes `PATH.1` and a new one begins.
 * Lines are written in batches, so that a talkative workload costs little.
 */
export class LogFile {
  readonly path: string;
  readonly #maxBytes: number;
  #size: number;
  #buffer: string[] = [];
  #buffered = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, maxBytes = 8 * 1024 * 1024) {
    this.path = path;
    this.#maxBytes = maxBytes;
    try {
      this.#size = statSync(path).size;
    } catch {
      this.#size = 0;
    }
  }

  write(line: string): void {
    this.#buffer.push(line, '\n');
    this.#buffered += line.length + 1;
    if (this.#buffered >= FLUSH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#buffer.length === 0) return;
    const text = this.#buffer.join('');
    this.#buffer = [];
    this.#buffered = 0;
    try {
      if (this.#size + text.length > this.#maxBytes) {
        renameSync(this.path, `${this.path}.1`);
        this.#size = 0;
      }
    } catch {
      // Nothing there to rotate.
    }
    try {
      appendFileSync(this.path, text, { mode: 0o600 });
      this.#size += Buffer.byteLength(text);
    } catch {
      // A full or read-only disk must not stop the mesh; the terminal still shows what matters.
    }
  }
}

/** Log files by path, opened on first use. */
export class LogFiles {
  readonly #files = new Map<string, LogFile>();

  write(path: string, line: string): void {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new LogFile(path);
      this.#files.set(path, file);
    }
    file.write(line);
  }

  flush(): void {
    for (const file of this.#files.values()) file.flush();
  }
}

/** One line of a workload's log: when, which pod (and container, where it has several), and what it wrote. */
export function logLine(
  time: Date,
  pod: string,
  container: string | undefined,
  stream: 'stdout' | 'stderr',
  text: string,
): string {
  const who = container === undefined ? pod : `${pod}/${container}`;
  return `${time.toISOString()} ${who} ${stream === 'stdout' ? 'O' : 'E'} ${text}`;
}

export interface LogEntry {
  readonly time: string;
  readonly pod: string;
  /** Undefined for a pod of one container. */
  readonly container: string | undefined;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export function parseLogLine(line: string): LogEntry | undefined {
  const match = /^(\S+) (\S+) ([OE]) (.*)$/s.exec(line);
  if (match === null) return undefined;
  const [pod = '', container] = match[2]!.split('/');
  return { time: match[1]!, pod, container, stream: match[3] === 'O' ? 'stdout' : 'stderr', text: match[4]! };
}

import type { LineWriter } from './statsd.ts';

/** Sends one datagram; what does not arrive is lost. */
export interface DatagramSocket {
  send(bytes: Buffer): void;
  /** Done once everything is on its way. */
  close(): Promise<void>;
}

/** Lines in datagrams of at most `limit` bytes, unless one line alone is longer; 0: each line has its own. */
export class DatagramWriter implements LineWriter {
  readonly #socket: DatagramSocket;
  readonly #limit: number;

  constructor(socket: DatagramSocket, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
  }

  batch(lines: readonly string[]): void {
    let waiting = '';
    let bytes = 0;
    const leave = (): void => {
      if (bytes > 0) this.#socket.send(Buffer.from(waiting));
      waiting = '';
      bytes = 0;
    };
    for (const line of lines) {
      const length = Buffer.byteLength(line);
      if (length >= this.#limit) {
        this.#socket.send(Buffer.from(line));
        continue;
      }
      if (bytes + length + 1 > this.#limit) leave();
      waiting = bytes === 0 ? line : `${waiting}\n${line}`;
      bytes += bytes === 0 ? length : length + 1;
    }
    leave();
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

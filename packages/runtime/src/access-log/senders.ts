import { parseAccessLine } from './parse.ts';
import { readLines } from './read-lines.ts';

/** A receiver's access log names no sender; the sender's names the request and whom it went to. */
const MANY = 20_000;
/** Of a log that is looked at for the first time. */
const FIRST = 64 * 1024;

export interface AccessLog {
  /** `NAMESPACE/NAME` */
  readonly workload: string;
  readonly file: string;
}

/** Who sent the requests of late, from the access logs of all. */
export class Senders {
  readonly #positions = new Map<string, number>();
  readonly #senders = new Map<string, string>();

  /** Reads what was written since the last time. */
  update(logs: readonly AccessLog[]): void {
    for (const { workload, file } of logs) {
      const from = this.#positions.get(file);
      const { position, lines } = readLines(file, from, from === undefined ? FIRST : undefined);
      this.#positions.set(file, position);
      for (const { text } of lines) {
        const { requestId = '', upstreamHost = '', upstreamCluster = '' } = parseAccessLine(text) ?? {};
        if (requestId === '' || upstreamHost === '' || upstreamCluster.startsWith('inbound|')) continue;
        this.#senders.set(`${requestId} ${upstreamHost}`, workload);
      }
    }
    for (const key of this.#senders.keys()) {
      if (this.#senders.size <= MANY) break;
      this.#senders.delete(key);
    }
  }

  /** `receiver`: ADDRESS:PORT that the request went to. Undefined: not known, or not yet. */
  of(requestId: string, receiver: string): string | undefined {
    return this.#senders.get(`${requestId} ${receiver}`);
  }
}

import type { UpstreamSocket } from '../types.ts';
import { dialForCheck, type Checker, type CheckerSurroundings } from './checker.ts';

/** Asks a Redis server for PONG, or that a key does not exist. */
export class RedisChecker implements Checker {
  readonly #with: CheckerSurroundings;
  readonly #key: string;
  #socket: UpstreamSocket | undefined;
  #giveUp: (() => void) | undefined;
  #asked = false;
  #seen = '';

  constructor(surroundings: CheckerSurroundings, key: string) {
    this.#with = surroundings;
    this.#key = key;
  }

  ask(): void {
    this.#asked = true;
    if (this.#socket !== undefined) return this.#send(this.#socket);
    this.#giveUp = dialForCheck(
      this.#with,
      (socket) => this.#connected(socket),
      () => this.#failed(),
    );
  }

  abandon(): void {
    this.#close();
  }

  stop(): void {
    this.#close();
  }

  #connected(socket: UpstreamSocket): void {
    this.#giveUp = undefined;
    this.#socket = socket;
    this.#seen = '';
    socket.on('error', () => undefined);
    const gone = (): void => {
      if (this.#socket === socket) this.#failed();
    };
    socket.on('end', gone);
    socket.on('close', gone);
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) this.#take(chunk.toString('latin1'));
    });
    this.#send(socket);
  }

  #send(socket: UpstreamSocket): void {
    socket.write(this.#key === '' ? command('PING') : command('EXISTS', this.#key));
  }

  #take(text: string): void {
    this.#seen += text;
    const end = this.#seen.indexOf('\r\n');
    if (end < 0 || !this.#asked) return;
    const answer = this.#seen.slice(0, end);
    this.#seen = this.#seen.slice(end + 2);
    this.#asked = false;
    if (!this.#with.program.reuseConnection) this.#close();
    if (answer === (this.#key === '' ? '+PONG' : ':0')) {
      this.#with.onResult({ kind: 'success', degraded: false, status: 0 });
      return;
    }
    const { redis } = this.#with.stats;
    if (this.#key !== '' && redis !== undefined) redis.exists_failure++;
    this.#with.onResult({ kind: 'active', retriable: false, status: 0 });
  }

  #failed(): void {
    this.#close();
    if (!this.#asked) return;
    this.#asked = false;
    this.#with.onResult({ kind: 'network' });
  }

  #close(): void {
    this.#giveUp?.();
    this.#giveUp = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

/** A command as the protocol has it: an array of bulk strings. */
function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

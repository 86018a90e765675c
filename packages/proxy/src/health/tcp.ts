import { ownEnds } from '../cluster/connect.ts';
import { proxyHeader } from '../cluster/proxy-protocol.ts';
import type { CheckProgram } from '../program/types.ts';
import type { UpstreamSocket } from '../types.ts';
import { dialForCheck, holdsPieces, type Checker, type CheckerSurroundings } from './checker.ts';

type TcpCheck = Extract<CheckProgram, { kind: 'tcp' }>;

/** Says something and waits for pieces of an answer; or, where none are expected, connects and says nothing. */
export class TcpChecker implements Checker {
  readonly #with: CheckerSurroundings;
  readonly #check: TcpCheck;
  #socket: UpstreamSocket | undefined;
  #giveUp: (() => void) | undefined;
  #seen = Buffer.alloc(0);

  constructor(surroundings: CheckerSurroundings, check: TcpCheck) {
    this.#with = surroundings;
    this.#check = check;
  }

  ask(): void {
    if (this.#socket !== undefined) return this.#send(this.#socket);
    this.#giveUp = dialForCheck(
      this.#with,
      (socket) => this.#connected(socket),
      () => this.#with.onResult({ kind: 'network' }),
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
    this.#seen = Buffer.alloc(0);
    socket.on('error', () => undefined);
    // A connection that ends fails the check, even between two of them.
    const gone = (): void => {
      if (this.#socket !== socket) return;
      this.#close();
      this.#with.onResult({ kind: 'network' });
    };
    socket.on('end', gone);
    socket.on('close', gone);
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) this.#take(chunk);
    });
    if (this.#check.receive.length > 0) return this.#send(socket);
    this.#close();
    this.#with.onResult({ kind: 'success', degraded: false, status: 0 });
  }

  #send(socket: UpstreamSocket): void {
    const { send, proxyProtocol } = this.#check;
    if (send.length === 0) return;
    if (proxyProtocol === undefined) socket.write(send);
    else socket.write(Buffer.concat([proxyHeader(proxyProtocol, undefined, ownEnds(socket)), send]));
  }

  #take(chunk: Buffer): void {
    this.#seen = Buffer.concat([this.#seen, chunk]);
    if (!holdsPieces(this.#seen, this.#check.receive)) return;
    this.#seen = Buffer.alloc(0);
    if (!this.#with.program.reuseConnection) this.#close();
    this.#with.onResult({ kind: 'success', degraded: false, status: 0 });
  }

  #close(): void {
    this.#giveUp?.();
    this.#giveUp = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

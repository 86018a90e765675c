import { encodeFields, mayOmitLength } from '../codec/encode.ts';
import { newClusterStats } from '../cluster/stats.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import { ClientConnection, type ConnectionOwner, type Exchange } from '../http/client-connection.ts';
import { entered } from '../http/turn.ts';
import type { CheckProgram } from '../program/types.ts';
import type { CircuitBreaker, UpstreamSocket } from '../types.ts';
import { checkedName, dialForCheck, type Checker, type CheckerSurroundings } from './checker.ts';
import { checkRequest } from './request.ts';
import { ResponseJudge } from './response-judge.ts';

/** Checks are no traffic: what their connections count is shown nowhere. */
const UNSEEN = newClusterStats();

type HttpCheck = Extract<CheckProgram, { kind: 'http' }>;

/** Asks by an HTTP/1.1 request. */
export class Http1Checker implements Checker, ConnectionOwner, Exchange {
  readonly #with: CheckerSurroundings;
  readonly #check: HttpCheck;
  #connection: ClientConnection | undefined;
  #giveUp: (() => void) | undefined;
  #judge: ResponseJudge | undefined;

  constructor(surroundings: CheckerSurroundings, check: HttpCheck) {
    this.#with = surroundings;
    this.#check = check;
  }

  ask(): void {
    if (this.#connection !== undefined) return this.#send(this.#connection);
    this.#giveUp = dialForCheck(
      this.#with,
      (socket) => this.#connected(socket),
      () => this.#with.onResult({ kind: 'network' }),
    );
  }

  abandon(): void {
    this.#giveUp?.();
    this.#giveUp = undefined;
    this.#judge = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.abandon();
  }

  stop(): void {
    this.abandon();
  }

  #connected(socket: UpstreamSocket): void {
    this.#giveUp = undefined;
    const { http, stats } = this.#with.host.cluster;
    stats.checkedOverHttp1 = true;
    const connection = new ClientConnection(socket, this, UNCOUNTED, UNSEEN, {
      maxHeadBytes: http.maxResponseHeadersBytes,
      maxHeaders: http.maxHeadersCount,
      keepSpelling: false,
    });
    this.#connection = connection;
    this.#send(connection);
  }

  #send(connection: ClientConnection): void {
    const { check, head } = this.#request();
    if (!this.#with.program.reuseConnection) connection.draining = true;
    this.#judge = new ResponseJudge(this.#with, check);
    entered(() => {
      connection.begin(this, check.method, false);
      connection.out.text(head);
      if (check.send.length > 0) connection.out.data(check.send);
      connection.requestDone();
    });
  }

  #request(): { readonly check: HttpCheck; readonly head: string } {
    const check = this.#check;
    const { method, path, send } = check;
    const authority = checkedName(this.#with.host, check.host);
    const request = checkRequest(this.#with, { method, path, authority }, check.headers, 'HTTP/1.1');
    if (send.length > 0 || !mayOmitLength(method)) request.headers.set('content-length', String(send.length));
    const fields = ['host', authority, ...request.headers.flat];
    return { check, head: `${method} ${path} HTTP/1.1\r\n${encodeFields(fields)}\r\n` };
  }

  // ---- from the connection
  onResponseHead(parser: ResponseParser): void {
    if (parser.status >= 200 || parser.status === 101) this.#judge?.head(parser.status, parser.flat);
  }
  onResponseData(data: Buffer): void {
    this.#judge?.data(data);
  }
  onResponseEnd(): void {
    const judge = this.#judge;
    this.#judge = undefined;
    if (judge !== undefined) this.#with.onResult(judge.verdict());
  }
  onReset(): void {
    if (this.#judge === undefined) return;
    this.#judge = undefined;
    this.#with.onResult({ kind: 'network' });
  }
  onDrain(): void {
    // Requests are small.
  }
  onIdle(): void {
    // Kept for the next time.
  }
  onSettled(): void {
    // Nobody waits for it.
  }
  onClosed(connection: ClientConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }
}

const UNCOUNTED: CircuitBreaker = {
  tryRequest: () => true,
  releaseRequest: () => undefined,
  tryPending: () => true,
  releasePending: () => undefined,
  tryConnection: () => true,
  forceConnection: () => undefined,
  releaseConnection: () => undefined,
  tryRetry: () => true,
  releaseRetry: () => undefined,
};

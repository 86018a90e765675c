import type { IncomingHttpHeaders } from 'node:http2';
import type { CheckProgram } from '../program/types.ts';
import { checkedName, type Checker, type CheckerSurroundings } from './checker.ts';
import { Http2Asker, type Listener } from './http2.ts';
import { ResponseJudge } from './response-judge.ts';

type HttpCheck = Extract<CheckProgram, { kind: 'http' }>;

/** Asks by an HTTP/2 request. */
export class Http2Checker implements Checker {
  readonly #with: CheckerSurroundings;
  readonly #check: HttpCheck;
  readonly #asker: Http2Asker;

  constructor(surroundings: CheckerSurroundings, check: HttpCheck) {
    this.#with = surroundings;
    this.#check = check;
    this.#asker = new Http2Asker(surroundings);
  }

  ask(): void {
    const { method, path, headers, send, host } = this.#check;
    const judge = new ResponseJudge(this.#with, this.#check);
    const listener: Listener = {
      onHead: (answer) => judge.head(answer[':status'] ?? 0, flattened(answer)),
      onData: (chunk) => judge.data(chunk),
      onTrailers: () => undefined,
      onEnd: () => this.#with.onResult(judge.verdict()),
      onReset: () => this.#with.onResult({ kind: 'network' }),
    };
    const fields: Record<string, string> = send.length > 0 ? { 'content-length': String(send.length) } : {};
    const authority = checkedName(this.#with.host, host);
    this.#asker.ask({ method, path, authority, headers, fields, body: send }, listener);
  }

  abandon(): void {
    this.#asker.close();
  }

  stop(): void {
    this.#asker.close();
  }
}

function flattened(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
}

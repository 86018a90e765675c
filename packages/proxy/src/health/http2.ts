import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { http2 } from '../node-http2.ts';
import type { HeaderMutations } from '../program/headers.ts';
import type { UpstreamSocket } from '../types.ts';
import { dialForCheck, type CheckerSurroundings } from './checker.ts';
import { checkRequest } from './request.ts';

/** One question over HTTP/2. */
export interface Question {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: HeaderMutations;
  /** Fields that belong to the kind of question. */
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Who hears the answer. */
export interface Listener {
  onHead(headers: IncomingHttpHeaders & { ':status'?: number }): void;
  onData(chunk: Buffer): void;
  onTrailers(headers: IncomingHttpHeaders): void;
  onEnd(): void;
  /** There was no answer, or not all of one. */
  onReset(): void;
}

/** An HTTP/2 connection for checks of one host, kept between them if it may be. */
export class Http2Asker {
  readonly #with: CheckerSurroundings;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #giveUp: (() => void) | undefined;

  constructor(surroundings: CheckerSurroundings) {
    this.#with = surroundings;
  }

  ask(question: Question, listener: Listener): void {
    const session = this.#session;
    if (session !== undefined && !session.closed && !session.destroyed) return this.#send(session, question, listener);
    this.#giveUp = dialForCheck(
      this.#with,
      (socket) => {
        this.#giveUp = undefined;
        this.#send(this.#open(socket), question, listener);
      },
      () => listener.onReset(),
    );
  }

  close(): void {
    this.#giveUp?.();
    this.#giveUp = undefined;
    this.#stream = undefined;
    const session = this.#session;
    this.#session = undefined;
    session?.destroy();
  }

  #open(socket: UpstreamSocket): ClientHttp2Session {
    socket.on('error', () => undefined);
    socket.allowHalfOpen = false;
    const session = http2().connect(`http://${this.#with.host.authority}`, { createConnection: () => socket });
    session.on('error', () => undefined);
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on('goaway', forget);
    session.on('close', forget);
    this.#session = session;
    return session;
  }

  #send(session: ClientHttp2Session, question: Question, listener: Listener): void {
    const { method, path, authority, fields, body } = question;
    const request = checkRequest(this.#with, { method, path, authority }, question.headers);
    const headers: Record<string, string | string[]> = {
      ':method': method,
      ':path': path,
      ':authority': authority,
      ':scheme': this.#with.host.transport.tls === undefined ? 'http' : 'https',
      ...fields,
    };
    const { flat } = request.headers;
    for (let i = 0; i < flat.length; i += 2) {
      const [name, value] = [flat[i]!, flat[i + 1]!];
      const before = headers[name];
      headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    const stream = session.request(headers, { endStream: body.length === 0 });
    this.#stream = stream;
    const heard = (): boolean => this.#stream === stream;
    stream.on('response', (answer) => heard() && listener.onHead(answer));
    stream.on('data', (chunk: Buffer) => heard() && listener.onData(chunk));
    stream.on('trailers', (trailers) => heard() && listener.onTrailers(trailers));
    let ended = false;
    stream.on('end', () => (ended = true));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (!heard()) return;
      this.#stream = undefined;
      const complete = ended && stream.rstCode === 0;
      if (!complete || !this.#with.program.reuseConnection) this.close();
      if (complete) listener.onEnd();
      else listener.onReset();
    });
    if (body.length > 0) stream.end(body);
  }
}

import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket, createServer as createTlsServer } from 'node:tls';
import { requestLength } from '@mizzen/testkit';
import { answer } from './answer.ts';
import type { UpstreamSpec } from './case.ts';
import type { GrpcServer } from '../packages/proxy/src/filter/testing/grpc-server.ts';
import { isGrpc, serveGrpc } from './grpc-upstream.ts';
import { authority, identity } from './identities.ts';

/** What an upstream got: a request, or on TCP all of a connection. */
export interface Received {
  readonly upstream: string;
  bytes: string;
  /** Of a TLS connection: server name, protocol of ALPN and the name in the client's certificate. */
  readonly tls?: string;
}

/** The upstreams of a case. The field `x-answer` of a request says what attempts get, one word each; its own answers otherwise. */
export class Upstreams {
  received: Received[] = [];
  /** Attempts since `begin`, by the target of requests where these are driven beside others. */
  readonly #attempts = new Map<string, number>();
  #among = false;
  readonly #counts = new Map<string, number>();
  #held: (() => void)[] = [];
  readonly #servers: Server[] = [];
  readonly #grpc: GrpcServer[] = [];
  readonly #sockets = new Set<Socket>();

  async listen(specs: Readonly<Record<string, UpstreamSpec>>, ports: ReadonlyMap<string, number>): Promise<void> {
    for (const [name, spec] of Object.entries(specs)) {
      if (spec.kind === 'closed') continue;
      if (isGrpc(spec.kind)) {
        const note = (bytes: string): void => void this.received.push({ upstream: name, bytes });
        this.#grpc.push(await serveGrpc(spec.kind, ports.get(name)!, spec.replies, note));
        continue;
      }
      const server =
        spec.tls === undefined ? createServer({ allowHalfOpen: true, noDelay: true }) : tlsServer(spec.tls);
      server.on(spec.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
        this.#serve(socket, name, spec),
      );
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => undefined);
      });
      await new Promise<void>((done, failed) => {
        server.once('error', failed);
        server.listen(ports.get(name), '127.0.0.1', done);
      });
      this.#servers.push(server);
    }
  }

  /** Before another proxy is observed: as if nothing had happened. `among`: its requests are driven beside each other. */
  reset(among = false): void {
    this.#among = among;
    for (const socket of this.#sockets) socket.destroy();
    this.#counts.clear();
    this.#held = [];
    this.begin();
  }

  /** Gives the answers that were held back (`@told`). */
  tell(): void {
    for (const give of this.#held.splice(0)) give();
  }

  /** Before a request. */
  begin(): void {
    this.#attempts.clear();
    this.received = [];
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#grpc.map((server) => server.stop()));
    await Promise.all(this.#servers.map((server) => new Promise((done) => server.close(done))));
  }

  #serve(socket: Socket, name: string, spec: UpstreamSpec): void {
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    const tls = socket instanceof TLSSocket ? peerOf(socket) : undefined;
    const open = (): Received => {
      const record: Received = { upstream: name, bytes: '', ...(tls === undefined ? {} : { tls }) };
      this.received.push(record);
      return record;
    };
    if (spec.kind === 'echo') {
      const record = open();
      const echo = echoTo(socket, `${name}:`);
      socket.on('data', (data: Buffer) => {
        record.bytes += data.toString('latin1');
        echo(data);
        if (data.includes('goodbye')) socket.end();
      });
    } else this.#serveHttp(socket, name, spec, open);
  }

  #serveHttp(socket: Socket, name: string, spec: UpstreamSpec, open: () => Received): void {
    const fields = Object.entries(spec.headers)
      .map(([key, value]) => `${key}: ${value}\r\n`)
      .join('');
    let text = '';
    let record: Received | undefined;
    let upgraded = false;
    const echo = echoTo(socket, 'ECHO:');
    socket.on('data', (data: Buffer) => {
      if (upgraded) {
        record!.bytes += data.toString('latin1');
        echo(data);
        return;
      }
      text += data.toString('latin1');
      while (text !== '') {
        if (text.includes('\r\n\r\n')) record ??= open();
        if (record === undefined) return;
        // What follows such a head is not waited for, and sent back.
        const tunnels = /\r\nx-tunnel: /i.test(headOf(text));
        const length = tunnels ? headOf(text).length : requestLength(text);
        record.bytes = text.slice(0, length);
        if (length === undefined) return;
        text = text.slice(length);
        const asks = tunnels || /\r\nupgrade: /i.test(record.bytes) || record.bytes.startsWith('CONNECT ');
        if (asks && /\r\nx-answer: /i.test(record.bytes)) {
          const word = this.#word(name, spec, record.bytes);
          upgraded = /^raw:(?:.*%0a)?HTTP\/1.\d%20(?:101|2)/i.test(word);
          this.#answer(socket, word, name, fields);
          if (upgraded) {
            if (text === '') return;
            record.bytes += text;
            echo(Buffer.from(text, 'latin1'));
            return;
          }
          record = undefined;
          continue;
        }
        if (asks) {
          upgraded = true;
          socket.write(
            record.bytes.startsWith('CONNECT ')
              ? 'HTTP/1.1 200 OK\r\n\r\n'
              : `HTTP/1.1 101 Switching Protocols\r\n${fields}connection: Upgrade\r\nupgrade: ${/\r\nupgrade: (\S+)/i.exec(record.bytes)![1]}\r\n\r\n`,
          );
          return;
        }
        this.#answer(socket, this.#word(name, spec, record.bytes), name, fields);
        record = undefined;
      }
    });
  }

  #answer(socket: Socket, word: string, name: string, fields: string): void {
    const [what = '', told] = word.split(/(@told)$/);
    const give = (): void => answer(socket, what, name, fields);
    if (told === undefined) give();
    else this.#held.push(give);
  }

  #word(name: string, spec: UpstreamSpec, request: string): string {
    const asked = /\r\nx-answer: ([^\r]*)/i.exec(request)?.[1]?.split(' ');
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    if (asked === undefined) return spec.answers[Math.min(count, spec.answers.length - 1)]!;
    const whose = this.#among ? targetOf(request) : '';
    const attempt = this.#attempts.get(whose) ?? 0;
    this.#attempts.set(whose, attempt + 1);
    return asked[Math.min(attempt, asked.length - 1)]!;
  }
}

/** Says once who sends back what: how many chunks it comes in is a matter of chance. */
function echoTo(socket: Socket, prefix: string): (data: Buffer) => void {
  let before = prefix;
  return (data) => {
    socket.write(Buffer.concat([Buffer.from(before), data]));
    before = '';
  };
}

/** With the empty line at its end; empty while that has not come. */
function headOf(text: string): string {
  return text.slice(0, text.indexOf('\r\n\r\n') + 4);
}

/** Of the first line of a request. */
export function targetOf(request: string): string {
  return request.slice(0, request.indexOf('\r\n')).split(' ')[1] ?? '';
}

function tlsServer(name: string): Server {
  const { certificatePem, keyPem } = identity(name);
  return createTlsServer({
    cert: certificatePem,
    key: keyPem,
    ca: authority('mesh').rootPem,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1', 'custom'],
  });
}

function peerOf(socket: TLSSocket): string {
  const peer = socket.getPeerCertificate();
  const name: string = peer?.subject?.CN === undefined ? '-' : String(peer.subject.CN);
  const server: unknown = (socket as { servername?: unknown }).servername;
  return `sni=${typeof server === 'string' ? server : '-'} alpn=${socket.alpnProtocol || '-'} peer=${name} trusted=${socket.authorized} ${socket.getProtocol()}`;
}

import { Duplex } from 'node:stream';
import { encodeFields } from '../codec/encode.ts';
import type { CodecErrorDetails } from '../codec/error.ts';
import { BodyMode, type MessageSink } from '../codec/parser.ts';
import { ResponseParser } from '../codec/response-parser.ts';
import { Headers } from '../http/headers.ts';
import { applyMutations } from '../program/headers.ts';
import type { LogSource, TunnelProgram } from '../program/types.ts';
import type { StreamInfo, UpstreamCluster, UpstreamSocket } from '../types.ts';

const DEFAULT_HEAD_BYTES = 60 * 1024;
const DEFAULT_HEADERS = 100;

/**
 * A connection's bytes as the payload of an HTTP/1.1 request over `socket`: CONNECT, where they go as they are, or
 * POST, where both ways are bodies. The request is sent at once; exactly one of `onOpen` (a 2xx, and a body that is not
 * over) and `onRefused` is called, and after the latter the connection is gone. A POST has no other half once one has
 * ended, and neither has a CONNECT over HTTP/1.1: whoever uses the stream ends both.
 */
export class HttpTunnel extends Duplex implements MessageSink {
  readonly #socket: UpstreamSocket;
  readonly #parser: ResponseParser;
  readonly #chunked: boolean;
  readonly #onOpen: () => void;
  readonly #onRefused: (reason: string) => void;
  readonly #info: StreamInfo;
  readonly #counts: UpstreamCluster['stats'];
  #settled = false;

  constructor(
    socket: UpstreamSocket,
    program: TunnelProgram,
    source: LogSource,
    requestId: string | undefined,
    { http: limits, stats }: UpstreamCluster,
    onOpen: () => void,
    onRefused: (reason: string) => void,
  ) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#info = source.info;
    this.#counts = stats;
    this.#chunked = program.postPath !== undefined;
    this.#onOpen = onOpen;
    this.#onRefused = onRefused;
    this.#parser = new ResponseParser(this);
    this.#parser.requestMethod = this.#chunked ? 'POST' : 'CONNECT';
    this.#parser.maxHeadBytes = limits?.maxResponseHeadersBytes ?? DEFAULT_HEAD_BYTES;
    this.#parser.maxHeaders = limits?.maxHeadersCount ?? DEFAULT_HEADERS;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', () => undefined);
    const head = requestHead(program, source, requestId);
    this.#countSent(head.length);
    const fieldBytes = head.length - head.indexOf('\n') - '\n\r\n'.length;
    this.#info.upstreamHeaderBytesSent = (this.#info.upstreamHeaderBytesSent ?? 0) + fieldBytes;
    socket.write(head, 'latin1');
    socket.resume();
  }

  readonly #onData = (data: Buffer): void => {
    if (this.destroyed || this.readableEnded) return;
    this.#info.upstreamWireBytesReceived = (this.#info.upstreamWireBytesReceived ?? 0) + data.length;
    this.#counts.upstream_cx_rx_bytes_total += data.length;
    this.#parser.execute(data);
  };

  readonly #onEnd = (): void => {
    if (this.destroyed) return;
    // To CONNECT it is half of an end, and the other half is this side's.
    if (!this.#parser.finish() || !this.#settled) this.#fail('', this.#chunked);
  };

  readonly #onClose = (): void => {
    if (!this.#settled) this.#fail('', true);
    else this.destroy();
  };

  // ---- from the parser
  onHead(): void {
    const { status, bodyMode, fieldBytes } = this.#parser;
    this.#countHead(fieldBytes);
    if (isInterim(status)) return;
    if (status < 200 || status > 299 || bodyMode === BodyMode.NONE) return this.#fail(`tunnel_response:${status}`);
    this.#settled = true;
    this.#onOpen();
  }
  onBody(data: Buffer): void {
    if (!this.#settled || this.destroyed) return;
    if (!this.push(data)) this.#socket.pause();
  }
  onEnd(): void {
    const { status } = this.#parser;
    if (isInterim(status)) this.#parser.next();
    else if (this.#settled && !this.destroyed) this.push(null);
  }
  onError(_details: CodecErrorDetails): void {
    this.#counts.upstream_cx_protocol_error++;
    if (!this.#settled && this.#parser.headComplete) this.#countHead(this.#parser.refusedBytes);
    this.#fail('');
  }

  /** As in Envoy, the second of the sums has everything that came before once more with each head. */
  #countHead(bytes: number): void {
    const all = (this.#info.upstreamHeaderBytesReceived ?? 0) + bytes;
    this.#info.upstreamHeaderBytesReceived = all;
    this.#info.upstreamHeaderBytesSummed = (this.#info.upstreamHeaderBytesSummed ?? 0) + all;
  }

  #countSent(bytes: number): void {
    this.#info.upstreamWireBytesSent = (this.#info.upstreamWireBytesSent ?? 0) + bytes;
    this.#counts.upstream_cx_tx_bytes_total += bytes;
  }

  /** `remote`: the other side has ended the connection. */
  #fail(reason: string, remote = false): void {
    this.#socket.destroy();
    if (this.#settled) return void this.destroy();
    this.#settled = true;
    if (remote) {
      this.#counts.upstream_cx_destroy_remote++;
      this.#counts.upstream_cx_destroy_remote_with_active_rq++;
    } else this.#counts.upstream_cx_destroy_local_with_active_rq++;
    this.#onRefused(reason);
  }

  // ---- a stream
  override _read(): void {
    this.#socket.resume();
  }
  override _write(data: Buffer, _encoding: string, done: () => void): void {
    const { writable } = this.#socket;
    if (!writable) return done();
    let room = true;
    const size = this.#chunked ? `${data.length.toString(16)}\r\n` : '';
    if (this.#chunked) this.#socket.write(size);
    this.#countSent(data.length + (this.#chunked ? size.length + 2 : 0));
    room = this.#socket.write(data);
    if (this.#chunked) room = this.#socket.write('\r\n');
    if (room) done();
    else this.#socket.once('drain', done);
  }
  override _final(done: () => void): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return done();
    this.#socket.once('close', done);
    this.#socket.end(this.#chunked ? '0\r\n\r\n' : '', () => {
      this.#socket.off('close', done);
      done();
    });
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#settled) {
      this.#settled = true;
      this.#counts.upstream_cx_destroy_local_with_active_rq++;
    }
    this.#socket.destroy();
    done(error);
  }
}

/** Something else is still to come; other statuses below 200 are answers that refuse. */
function isInterim(status: number): boolean {
  return status === 100 || (status >= 102 && status <= 104);
}

function requestHead(program: TunnelProgram, source: LogSource, requestId: string | undefined): string {
  const { hostname, postPath, headers } = program;
  const authority = hostname(source);
  const fields = new Headers();
  if (requestId !== undefined) fields.set(program.requestId!.header, requestId);
  applyMutations(headers, fields, source);
  if (postPath !== undefined) fields.set('transfer-encoding', 'chunked');
  const line = postPath === undefined ? `CONNECT ${authority}` : `POST ${postPath}`;
  return `${line} HTTP/1.1\r\nhost: ${authority}\r\n${encodeFields(fields.flat)}\r\n`;
}

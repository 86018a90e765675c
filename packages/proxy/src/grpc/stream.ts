import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Deps } from '../deps.ts';
import { http2 } from '../node-http2.ts';
import { HTTP2_ALPN } from '../tls/agreed.ts';
import type { UpstreamCluster, UpstreamHost, UpstreamSocket } from '../types.ts';
import { frame, FrameReader, FramingError } from './framing.ts';
import { StreamCount } from './stream-count.ts';

/** gRPC's status codes that are looked at here. */
export const GrpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  resourceExhausted: 8,
  internal: 13,
  unavailable: 14,
} as const;

export interface GrpcCall {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly authority: string;
  /** Sent with the request; names in lower case. */
  readonly metadata: readonly (readonly [string, string])[];
  /** The longest message that is taken, bytes. */
  readonly maxMessage: number;
}

export interface GrpcEvents {
  onMessage(message: Buffer): void;
  /** Called once, whatever ended the stream, unless it was closed from here. */
  onEnd(status: number, message: string): void;
}

/** What Envoy adds to calls of its own, unless it is told to leave it out. */
export function envoyHeaders({ net }: Deps): readonly (readonly [string, string])[] {
  return [
    ['x-envoy-internal', 'true'],
    ['x-forwarded-for', net.outerAddress],
  ];
}

const LOCAL_CONTEXT = {
  hash: undefined,
  metadataMatch: undefined,
  avoid: undefined,
  avoidAttempts: 0,
  priority: 'DEFAULT',
} as const;

/**
 * A bidirectional gRPC stream to a host of a cluster, on a connection of its own: the cluster chooses the host, secures
 * the connection and counts it. Messages that are sent before it stands are kept until it does.
 */
export class GrpcStream {
  readonly #call: GrpcCall;
  readonly #events: GrpcEvents;
  readonly #reader: FrameReader;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #early: Buffer[] | undefined = [];
  #ended = false;

  constructor(cluster: UpstreamCluster, call: GrpcCall, events: GrpcEvents) {
    this.#call = call;
    this.#events = events;
    this.#reader = new FrameReader(call.maxMessage);
    const chosen = cluster.choose({ ...LOCAL_CONTEXT, authority: call.authority });
    if (chosen instanceof Promise) chosen.then(this.#chosen, (error: Error) => this.#unavailable(error.message));
    else this.#chosen(chosen);
  }

  send(message: Uint8Array): void {
    const bytes = frame(message);
    if (this.#early !== undefined) this.#early.push(bytes);
    else this.#stream?.write(bytes);
  }

  /** Gives the stream up; nobody is called any more. */
  close(): void {
    this.#ended = true;
    this.#stream?.close(http2().constants.NGHTTP2_CANCEL);
    this.#session?.close();
  }

  readonly #chosen = (host: UpstreamHost | null): void => {
    if (this.#ended) return;
    // Whoever opens a stream is told of its end only after it has it.
    if (host === null) return queueMicrotask(() => this.#unavailable('no healthy upstream'));
    host.connect(
      (socket) => this.#connected(host, socket),
      ({ kind, reason }) =>
        queueMicrotask(() => this.#unavailable(reason === '' ? `connection failure: ${kind}` : reason)),
      HTTP2_ALPN,
    );
  };

  #connected(host: UpstreamHost, socket: UpstreamSocket): void {
    if (this.#ended) return void socket.destroy();
    socket.on('error', () => undefined);
    // Half of a connection is of no use to HTTP/2, and nobody else would notice.
    socket.allowHalfOpen = false;
    const session = http2().connect(`http://${this.#call.authority}`, { createConnection: () => socket });
    this.#session = session;
    session.on('error', (error) => this.#unavailable(error.message));
    session.on('close', () => this.#unavailable('the connection was closed'));
    const headers: Record<string, string | string[]> = {
      ':method': 'POST',
      ':path': this.#call.path,
      ':authority': this.#call.authority,
      te: 'trailers',
      'content-type': 'application/grpc',
    };
    for (const [name, value] of this.#call.metadata) {
      const before = headers[name];
      headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    const stream = session.request(headers, { endStream: false });
    this.#stream = stream;
    new StreamCount(host, stream);
    stream.on('response', (response) => this.#answered(response));
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('trailers', (trailers) => this.#status(trailers));
    stream.on('error', (error) => this.#unavailable(error.message));
    stream.on('close', () => this.#end(GrpcStatus.unavailable, 'the stream was closed without a status'));
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) stream.write(bytes);
  }

  #answered(headers: IncomingHttpHeaders & { ':status'?: number }): void {
    if (headers['grpc-status'] !== undefined) return this.#status(headers);
    if (headers[':status'] !== 200) this.#unavailable(`the server answered with HTTP status ${headers[':status']}`);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    let messages: Buffer[];
    try {
      messages = this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      return this.#end(GrpcStatus.resourceExhausted, error.message);
    }
    for (const message of messages) if (!this.#ended) this.#events.onMessage(message);
  }

  #status(headers: IncomingHttpHeaders): void {
    const status = Number(headers['grpc-status'] ?? GrpcStatus.unknown);
    const message = headers['grpc-message'];
    this.#end(
      Number.isInteger(status) ? status : GrpcStatus.unknown,
      decoded(typeof message === 'string' ? message : ''),
    );
  }

  #unavailable(message: string): void {
    this.#end(GrpcStatus.unavailable, message);
  }

  #end(status: number, message: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream?.close(http2().constants.NGHTTP2_CANCEL);
    this.#session?.close();
    this.#events.onEnd(status, message);
  }
}

/** Status messages are percent-encoded; what is not stays as it is. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** Test support: what log streams and log requests carry, as it came. */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { FrameReader } from '../../grpc/framing.ts';

export interface LogStream {
  readonly headers: IncomingHttpHeaders;
  /** In the order in which they came. */
  readonly messages: Buffer[];
}

export interface LogReceiver {
  readonly port: number;
  readonly streams: LogStream[];
  stop(): Promise<void>;
}

/** Takes whatever is sent; a stream that its client ends gets an empty answer. */
export async function startLogReceiver(port = 0): Promise<LogReceiver> {
  const sessions = new Set<ServerHttp2Session>();
  const streams: LogStream[] = [];
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const seen: LogStream = { headers, messages: [] };
    streams.push(seen);
    const reader = new FrameReader(1 << 24);
    stream.on('error', () => undefined);
    stream.on('data', (part: Buffer) =>
      seen.messages.push(...reader.push(part).map((message) => Buffer.from(message))),
    );
    stream.on('end', () => {
      if (stream.destroyed) return;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    streams,
    stop: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

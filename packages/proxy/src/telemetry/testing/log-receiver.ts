/** Test support: what log streams and log requests carry, as it came. */
import type { IncomingHttpHeaders } from 'node:http2';
import { FrameReader } from '../../grpc/framing.ts';
import { serveStreams, type StreamServer } from '../../grpc/testing/stream-server.ts';

export interface LogStream {
  readonly headers: IncomingHttpHeaders;
  /** In the order in which they came. */
  readonly messages: Buffer[];
}

export interface LogReceiver extends Pick<StreamServer, 'port' | 'stop'> {
  readonly streams: LogStream[];
}

/** Takes whatever is sent; a stream that its client ends gets an empty answer. */
export async function startLogReceiver(port = 0): Promise<LogReceiver> {
  const streams: LogStream[] = [];
  const server = await serveStreams((stream, headers) => {
    const seen: LogStream = { headers, messages: [] };
    streams.push(seen);
    const reader = new FrameReader(1 << 24);
    stream.on('data', (part: Buffer) =>
      seen.messages.push(...reader.push(part).map((message) => Buffer.from(message))),
    );
    stream.on('end', () => {
      if (stream.destroyed) return;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
  }, port);
  return { port: server.port, streams, stop: () => server.stop() };
}

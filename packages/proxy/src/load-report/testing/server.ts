/** Test support: a server that is told of load, and says what it wants to be told. */
import type { IncomingHttpHeaders } from 'node:http2';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import type { JsonObject } from '@mizzen/xds';
import { frame, FrameReader } from '../../grpc/framing.ts';
import { serveStreams } from '../../grpc/testing/stream-server.ts';

export interface LoadStream {
  readonly headers: IncomingHttpHeaders;
  readonly reports: JsonObject[];
  /** Asks for something else from now on. */
  ask(wanted: JsonObject): void;
  end(status: number): void;
}

export interface LoadServer {
  readonly port: number;
  readonly streams: LoadStream[];
  stop(): Promise<void>;
}

/** `wanted`: what is asked on each new stream; undefined: nothing by itself. */
export async function startLoadServer(wanted: JsonObject | undefined): Promise<LoadServer> {
  const streams: LoadStream[] = [];
  const { port, stop } = await serveStreams((stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    const reports: JsonObject[] = [];
    const reader = new FrameReader(1 << 22);
    let ended = 0;
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(ended) }));
    const ask = (next: JsonObject): void =>
      void stream.write(frame(encode('envoy.service.load_stats.v3.LoadStatsResponse', next)));
    stream.on('data', (part: Buffer) => {
      for (const message of reader.push(part))
        reports.push(decode('envoy.service.load_stats.v3.LoadStatsRequest', message));
    });
    streams.push({
      headers,
      reports,
      ask,
      end: (status) => {
        ended = status;
        stream.end();
      },
    });
    if (wanted !== undefined) ask(wanted);
  });
  return { port, streams, stop };
}

/** Test support: what a management server is, less what it says. */
import type { IncomingHttpHeaders } from 'node:http2';
import type { types } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import { frame, FrameReader } from '../../../grpc/framing.ts';
import { serveStreams, type StreamServer } from '../../../grpc/testing/stream-server.ts';

/** Of either form of the protocol. */
export type DiscoveryRequest = types.discovery.DiscoveryRequest & types.discovery.DeltaDiscoveryRequest;

export interface DiscoveryStream {
  readonly headers: IncomingHttpHeaders;
  readonly delta: boolean;
  /** Sends a response, unless the stream is over. */
  readonly say: (response: object) => void;
  readonly whenClosed: (fn: () => void) => void;
}

/** `open` says what to do with the requests of a stream. */
export function serveDiscovery(
  open: (stream: DiscoveryStream) => (request: DiscoveryRequest) => void,
  port = 0,
): Promise<StreamServer> {
  return serveStreams((stream, headers) => {
    const delta = /\/Delta\w+$/.test(String(headers[':path']));
    const type = `envoy.service.discovery.v3.${delta ? 'Delta' : ''}Discovery`;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    const take = open({
      headers,
      delta,
      say: (response) => {
        if (!stream.destroyed) stream.write(frame(encode(`${type}Response`, response)));
      },
      whenClosed: (fn) => void stream.on('close', fn),
    });
    const reader = new FrameReader(1 << 26);
    stream.on('data', (data: Buffer) => {
      for (const message of reader.push(data)) take(decode(`${type}Request`, message) as DiscoveryRequest);
    });
  }, port);
}

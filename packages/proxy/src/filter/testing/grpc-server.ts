/** Test support: a gRPC server by hand, so that what Envoy and this proxy send is seen as it is. */
import type { IncomingHttpHeaders } from 'node:http2';
import type { JsonObject } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import { frame } from '../../grpc/framing.ts';
import { serveStreams, type StreamServer } from '../../grpc/testing/stream-server.ts';

export type GrpcServer = Pick<StreamServer, 'port' | 'stop'>;

/** What a method answers: a message, a status in its place, or nothing ever. */
export type GrpcAnswer = { readonly message: object } | { readonly status: number } | 'never';

export function startGrpc(
  types: { readonly request: string; readonly answer: string },
  answer: (request: JsonObject, headers: IncomingHttpHeaders) => GrpcAnswer,
  port = 0,
): Promise<GrpcServer> {
  return serveStreams((stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const said = answer(decode(types.request, Buffer.concat(parts).subarray(5)), headers);
      if (said === 'never') return;
      const head = { ':status': 200, 'content-type': 'application/grpc' };
      if ('status' in said) {
        stream.respond({ ...head, 'grpc-status': String(said.status) }, { endStream: true });
        return;
      }
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(frame(encode(types.answer, said.message)));
    });
  }, port);
}

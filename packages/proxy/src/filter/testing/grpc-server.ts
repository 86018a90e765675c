/** Test support: a gRPC server by hand, so that what Envoy and this proxy send is seen as it is. */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { JsonObject } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';

export interface GrpcServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** What a method answers: a message, a status in its place, or nothing ever. */
export type GrpcAnswer = { readonly message: object } | { readonly status: number } | 'never';

export async function startGrpc(
  types: { readonly request: string; readonly answer: string },
  answer: (request: JsonObject, headers: IncomingHttpHeaders) => GrpcAnswer,
  port = 0,
): Promise<GrpcServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const parts: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const said = answer(decode(types.request, Buffer.concat(parts).subarray(5)), headers);
      if (said === 'never') return;
      const head = { ':status': 200, 'content-type': 'application/grpc' };
      if ('status' in said) {
        stream.respond({ ...head, 'grpc-status': String(said.status) }, { endStream: true });
        return;
      }
      const message = encode(types.answer, said.message);
      const framed = Buffer.alloc(5 + message.length);
      framed.writeUInt32BE(message.length, 1);
      framed.set(message, 5);
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(framed);
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    stop: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Test support: an HTTP/2 server by hand, so that what streams carry is seen as it is. */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

export interface StreamServer {
  readonly port: number;
  /** Ends the connections there are. */
  readonly disconnect: () => void;
  readonly stop: () => Promise<void>;
}

export async function serveStreams(
  open: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  port = 0,
): Promise<StreamServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    open(stream, headers);
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', done);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const disconnect = (): void => {
    for (const session of sessions) session.destroy();
  };
  return {
    port: address.port,
    disconnect,
    stop: async () => {
      disconnect();
      await new Promise((done) => server.close(done));
    },
  };
}

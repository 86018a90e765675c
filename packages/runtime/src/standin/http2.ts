import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { frame } from '../kubelet/grpc-health.ts';
import type { Identity } from './identity.ts';
import { render, wanted } from './http.ts';

/** `SERVING`, field 1 of grpc.health.v1.HealthCheckResponse. */
const SERVING = Buffer.from([0x08, 0x01]);

/** HTTP/2 without TLS: gRPC health checks are answered as healthy, other requests as over HTTP/1.1. */
export function answerHttp2(identity: Identity, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', () => undefined);
  const path = headers[':path'] ?? '/';
  if (String(headers['content-type'] ?? '').startsWith('application/grpc')) return answerGrpc(stream, path);
  let bodySize = 0;
  stream.on('data', (chunk: Buffer) => {
    bodySize += chunk.length;
  });
  stream.on('end', () => {
    const { status, delayMs } = wanted(path);
    setTimeout(() => {
      if (stream.destroyed) return;
      const fields = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
      const body = render(identity, {
        method: headers[':method'] ?? '',
        path,
        headers: { host: headers[':authority'], ...fields },
        bodySize,
        protocol: 'HTTP/2',
      });
      stream.respond({ ':status': status, 'content-type': 'application/json' });
      stream.end(headers[':method'] === 'HEAD' ? undefined : body);
    }, delayMs);
  });
}

function answerGrpc(stream: ServerHttp2Stream, path: string): void {
  stream.resume();
  if (path !== '/grpc.health.v1.Health/Check') {
    const message = 'a stand-in answers only health checks';
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': message },
      { endStream: true },
    );
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(frame(SERVING));
}

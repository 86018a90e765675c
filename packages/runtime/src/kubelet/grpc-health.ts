import http2 from 'node:http2';
import { after } from '../long-timer.ts';

const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/**
 * Asks `/grpc.health.v1.Health/Check`. Resolves with the serving status, or `code N` when the call itself failed.
 * Rejects when there is no connection or no answer in time.
 */
export function checkGrpcHealth(
  target: { readonly host: string; readonly port: number; readonly timeoutMs: number },
  service: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${target.host}:${target.port}`);
    const finish = (settle: () => void): void => {
      cancel();
      session.destroy();
      settle();
    };
    const cancel = after(target.timeoutMs, () => finish(() => reject(new Error('timed out'))));
    session.on('error', (error) => finish(() => reject(error)));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.33',
    });
    const chunks: Buffer[] = [];
    let code = '';
    stream.on('response', (headers) => {
      code = String(headers['grpc-status'] ?? '');
      if (headers[':status'] !== 200) code ||= `HTTP ${headers[':status']}`;
    });
    stream.on('trailers', (trailers) => {
      code ||= String(trailers['grpc-status'] ?? '');
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (error) => finish(() => reject(error)));
    stream.on('end', () => {
      finish(() => resolve(code === '0' || code === '' ? servingStatus(Buffer.concat(chunks)) : `code ${code}`));
    });
    stream.end(frame(healthCheckRequest(service)));
  });
}

/** A gRPC message: no compression, length, bytes. */
export function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function healthCheckRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([0x0a, name.length]), name]);
}

/** Field 1, a varint, of the first message. An empty message is the default, UNKNOWN. */
function servingStatus(body: Buffer): string {
  return STATUS[body[5] === 0x08 ? (body[6] ?? 0) : 0] ?? 'UNKNOWN';
}

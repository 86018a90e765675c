import { connect, type Socket } from 'node:net';
import type { k8s } from '@mizzen/api';
import { http } from '../node-http.ts';

export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const OK: ProbeResult = { ok: true };

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** GET; 200 to 399 is success, as for the kubelet. */
export function probeHttp(get: NonNullable<k8s.Probe['httpGet']>, target: ProbeTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const path = get.path ?? '/';
    const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.33', accept: '*/*' };
    for (const { name, value } of get.httpHeaders ?? []) headers[name.toLowerCase()] = value;
    const onError = (error: Error): void => resolve({ ok: false, reason: failure(error, target) });
    const send = (createConnection: () => Socket): void => {
      const request = http.request({
        host: target.host,
        port: target.port,
        path: path.startsWith('/') ? path : `/${path}`,
        headers,
        createConnection,
        timeout: target.timeoutMs,
        signal: AbortSignal.timeout(target.timeoutMs),
      });
      request.on('response', (response) => {
        const status = response.statusCode ?? 0;
        response.resume();
        response.on('error', () => undefined);
        request.destroy();
        const ok = status >= 200 && status < 400;
        resolve(ok ? OK : { ok: false, reason: `GET ${path} answered ${status}` });
      });
      request.on('error', onError);
      request.end();
    };
    // Most probes of a program that starts find nobody there, which a bare socket finds out with the least work.
    const socket = connect({ host: target.host, port: target.port });
    socket.setTimeout(target.timeoutMs, () => socket.destroy(new Error('timed out')));
    socket.on('error', onError);
    socket.once('connect', () => {
      if (get.scheme !== 'HTTPS') return send(() => socket);
      const tls = process.getBuiltinModule('node:tls');
      send(() => tls.connect({ socket, rejectUnauthorized: false }));
    });
  });
}

/** Success is a connection. */
export function probeTcp(target: ProbeTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.host, port: target.port });
    socket.setTimeout(target.timeoutMs, () => socket.destroy(new Error('timed out')));
    socket.once('connect', () => {
      socket.destroy();
      resolve(OK);
    });
    socket.once('error', (error) => resolve({ ok: false, reason: failure(error, target) }));
  });
}

/** grpc.health.v1.Health/Check over HTTP/2 without TLS; success is SERVING. */
export async function probeGrpc(service: string, target: ProbeTarget): Promise<ProbeResult> {
  try {
    const { checkGrpcHealth } = await import('./grpc-health.ts');
    const status = await checkGrpcHealth(target, service);
    return status === 'SERVING' ? OK : { ok: false, reason: `gRPC health is ${status}` };
  } catch (error) {
    return { ok: false, reason: failure(error as Error, target) };
  }
}

function failure(error: NodeJS.ErrnoException, { port, timeoutMs }: ProbeTarget): string {
  if (error.code === 'ECONNREFUSED') return `nothing listens on port ${port}`;
  if (error.name === 'TimeoutError' || error.name === 'AbortError' || error.message === 'timed out') {
    return `no answer on port ${port} within ${timeoutMs / 1000} s`;
  }
  return error.message;
}

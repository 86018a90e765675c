import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, type Identity } from './identity.ts';

const MAX_DELAY_S = 300;

/**
 * Answers any request with who answers and what was received. `/status/NNN` answers with that status, `/delay/SECONDS`
 * after that time, both anywhere at the end of the path.
 */
export function answerHttp(identity: Identity, request: IncomingMessage, response: ServerResponse): void {
  let bodySize = 0;
  request.on('data', (chunk: Buffer) => {
    bodySize += chunk.length;
  });
  request.on('end', () => {
    const { status, delayMs } = wanted(request.url ?? '/');
    setTimeout(() => {
      const body = render(identity, {
        method: request.method ?? '',
        path: request.url ?? '/',
        headers: request.headers,
        bodySize,
        protocol: `HTTP/${request.httpVersion}`,
      });
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(status === 204 || status === 304 || request.method === 'HEAD' ? undefined : body);
    }, delayMs);
  });
  request.on('error', () => response.destroy());
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bodySize: number;
  readonly protocol: string;
}

export function render(identity: Identity, received: Received): string {
  return `${JSON.stringify({ ...describe(identity), ...received }, undefined, 2)}\n`;
}

export function wanted(url: string): { status: number; delayMs: number } {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  const status = Number(/\/status\/(\d{3})$/.exec(path)?.[1] ?? 200);
  const delay = Number(/\/delay\/(\d+(?:\.\d+)?)$/.exec(path)?.[1] ?? 0);
  return { status: status >= 200 && status < 600 ? status : 200, delayMs: Math.min(delay, MAX_DELAY_S) * 1000 };
}

import http from 'node:http';
import type { Socket } from 'node:net';
import tls from 'node:tls';

export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  readonly timeoutMs: number;
}

export interface Incoming {
  readonly status: number;
  /** Status line and headers as received, with the empty line after them. */
  readonly head: string;
  readonly body: AsyncIterable<unknown>;
}

/** Sends a request by an HTTP proxy (`ADDRESS:PORT`): absolute form for http, a CONNECT tunnel for https. */
export async function send(proxy: string, outgoing: Outgoing): Promise<Incoming> {
  const { url, method, body, timeoutMs } = outgoing;
  const { hostname: host, port } = new URL(`http://${proxy}`);
  const secure = url.protocol === 'https:';
  const signal = AbortSignal.timeout(timeoutMs);
  const socket = secure ? await tunnel(host, Number(port), url, signal) : undefined;
  return new Promise((resolve, reject) => {
    const request = http.request({
      host,
      port,
      method,
      path: secure ? `${url.pathname}${url.search}` : `${url.origin}${url.pathname}${url.search}`,
      headers: headersOf(outgoing),
      setDefaultHeaders: false,
      signal,
      ...(socket === undefined ? { agent: false } : { createConnection: () => socket }),
    });
    request.on('error', (error) => reject(explain(error, timeoutMs)));
    request.on('response', (response) => {
      resolve({ status: response.statusCode ?? 0, head: headOf(response), body: response });
    });
    request.end(body);
  });
}

function headersOf({ url, headers, body }: Outgoing): string[] {
  const has = (name: string): boolean => headers.some(([n]) => n.toLowerCase() === name);
  const all: (readonly [string, string])[] = [];
  if (!has('host')) all.push(['host', url.host]);
  if (!has('user-agent')) all.push(['user-agent', 'mizzen-curl']);
  if (!has('accept')) all.push(['accept', '*/*']);
  all.push(...headers);
  if (body !== undefined) all.push(['content-length', String(body.length)]);
  all.push(['connection', 'close']);
  return all.flat();
}

function headOf(response: http.IncomingMessage): string {
  const lines = [`HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`];
  const raw = response.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function tunnel(host: string, port: number, url: URL, signal: AbortSignal): Promise<Socket> {
  const authority = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method: 'CONNECT', path: authority, agent: false, signal });
    request.on('error', reject);
    request.on('connect', (response, socket) => {
      if (response.statusCode !== 200) return reject(new Error(`CONNECT ${authority} answered ${response.statusCode}`));
      const secure = tls.connect({ socket, servername: url.hostname });
      secure.once('secureConnect', () => resolve(secure));
      secure.once('error', reject);
    });
    request.end();
  });
}

function explain(error: NodeJS.ErrnoException, timeoutMs: number): Error {
  if (error.code === 'ECONNREFUSED') return new Error('the sidecar does not listen (yet)');
  return error.name === 'TimeoutError' || error.name === 'AbortError'
    ? new Error(`no answer within ${timeoutMs / 1000} s`)
    : error;
}

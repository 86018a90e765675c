import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../deps.ts';
import { httpDate } from '../http/date.ts';

/** An answer to what is no request for anything at the admin endpoint. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly closes: boolean;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
};

/** Why a request is not looked at any further; undefined: it is. */
export function refusalOf({ httpVersion, headers, url = '' }: IncomingMessage): Refusal | undefined {
  if (httpVersion !== '1.1') return unreadable(426);
  if (headers.host === undefined) return { status: 400, body: '', closes: true };
  if (!url.startsWith('/')) return { status: 404, body: '', closes: false };
  if (url.includes('#') || /%00/.test(url) || URL.parse(`http://admin${url}`) === null)
    return { status: 400, body: '', closes: true };
  return undefined;
}

function unreadable(status: number): Refusal {
  return { status, body: REASONS[status]!, closes: true };
}

/** The fields in Envoy's order, and none of Node's own. */
export function refuse(clock: Clock, response: ServerResponse, { status, body, closes }: Refusal): void {
  for (const name of ['date', 'connection', 'transfer-encoding']) response.removeHeader(name);
  if (closes) response.shouldKeepAlive = false;
  response.writeHead(status, fieldsOf(clock, body, !response.shouldKeepAlive).flat());
  response.end(body);
}

/** Answers what Node cannot read. */
export function answerUnreadable(server: Server, clock: Clock): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const { status, body } = unreadable(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
    const fields = fieldsOf(clock, body, true).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${REASONS[status]!}\r\n${fields.join('')}\r\n${body}`);
  });
}

function fieldsOf(clock: Clock, body: string, closes: boolean): [string, string][] {
  const own: [string, string][] = [
    ['date', httpDate(clock)],
    ['server', 'envoy'],
  ];
  const close: [string, string][] = closes ? [['connection', 'close']] : [];
  if (body === '') return [...own, ...close, ['content-length', '0']];
  return [['content-length', String(body.length)], ['content-type', 'text/plain'], ...own, ...close];
}

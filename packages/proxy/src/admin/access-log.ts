import type { IncomingMessage } from 'node:http';
import { encodeFields } from '../codec/encode.ts';
import { nextConnectionId } from '../http/connection-id.ts';
import { Headers } from '../http/headers.ts';
import { StreamRecord } from '../http/info.ts';
import { outer } from '../http/request-fields.ts';
import { openLogs } from '../telemetry/open-logs.ts';
import type { ConnectionInfo } from '../types.ts';
import type { AdminAnswer, AdminContext } from './context.ts';

/** The fields of an answer. */
export function fieldsOf(type: string, date: string): [string, string][] {
  const sniff: [string, string] = ['x-content-type-options', 'nosniff'];
  return [
    // Failures of `/config_dump` say it twice.
    ...(type === 'text/plain' ? [sniff] : []),
    ['content-type', type],
    ['cache-control', 'no-cache, max-age=0'],
    sniff,
    ['date', date],
    ['server', 'envoy'],
  ];
}

const connections = new WeakMap<object, ConnectionInfo>();

/** Makes what writes a line about each answer; undefined: nobody wants any. */
export function adminLogger(
  context: AdminContext,
): ((request: IncomingMessage, answer: AdminAnswer, started: number) => void) | undefined {
  const { adminLogs, admin } = context.bootstrap;
  const pipe = admin?.kind === 'pipe' ? admin.path : undefined;
  if (adminLogs.length === 0) return undefined;
  const loggers = openLogs(adminLogs, context.accessLog);
  return (request, { status, type, body }, started) => {
    const { clock } = context.deps;
    const now = clock.now();
    const info = new StreamRecord(connectionOf(request, pipe), started, clock.wall() - (now - started));
    info.requestEndTime = started;
    info.responseStartTime = now;
    info.responseEndTime = now;
    info.responseUnfinished = false;
    info.responseCode = status;
    info.responseCodeDetails = 'admin_filter_response';
    info.bytesSent = Buffer.byteLength(body);
    info.bytesReceived = Number(request.headers['content-length'] ?? 0);
    const fields = request.rawHeaders.map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part));
    const [line, length] = [lineOf(request), fields.reduce((sum, part) => sum + part.length, 0)];
    info.headerBytesReceived = length + 3 * (fields.length / 2);
    info.wireBytesReceived = line.length + length + 4 * (fields.length / 2) + 2 + info.bytesReceived;
    const headers = new Headers(fields);
    for (const name of KEPT_APART) headers.remove(name);
    const from = info.connection.directRemoteAddress;
    headers.set('x-forwarded-proto', 'http');
    // Who comes by a path has no address.
    if (from !== '') {
      headers.append('x-forwarded-for', outer(from, context.deps.net.outerAddress));
      headers.set('x-envoy-external-address', from);
    }
    const answered = new Headers(fieldsOf(type, new Date(clock.wall()).toUTCString()).flat());
    info.headerBytesSent = encodeFields(answered.flat).length + CHUNKED.length;
    const source = {
      info,
      request: {
        method: request.method ?? '',
        path: request.url ?? '',
        authority: request.headers.host ?? '',
        scheme: 'http',
        headers,
      },
      response: { status, headers: answered },
    };
    for (const log of loggers) log(source);
  };
}

/** Fields that are none of the message. */
const KEPT_APART = ['host', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** Of every answer. */
const CHUNKED = 'transfer-encoding: chunked\r\n';

function lineOf({ method = '', url = '', httpVersion }: IncomingMessage): string {
  return `${method} ${url} HTTP/${httpVersion}\r\n`;
}

function connectionOf({ socket }: IncomingMessage, pipe: string | undefined): ConnectionInfo {
  let known = connections.get(socket);
  if (known === undefined) {
    known = {
      id: nextConnectionId(),
      directRemoteAddress: socket.remoteAddress ?? '',
      remotePort: socket.remotePort ?? 0,
      localAddress: socket.localAddress ?? '',
      localPort: socket.localPort ?? 0,
      pipe,
      tls: undefined,
      requestedServerName: '',
      applicationProtocol: '',
    };
    connections.set(socket, known);
  }
  return known;
}

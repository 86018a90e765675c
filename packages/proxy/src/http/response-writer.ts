import {
  chunkHead,
  encodeFields,
  encodeFieldsSpelled,
  lastChunk,
  spell,
  statusLine,
  statusLine10,
} from '../codec/encode.ts';
import type { RequestParser } from '../codec/request-parser.ts';
import type { ResponseHead } from '../types.ts';
import { httpDate } from './date.ts';
import type { Headers } from './headers.ts';
import { isUpgrade } from './is-upgrade.ts';
import { proxyStatus } from './proxy-status.ts';
import { appendVia } from './request-fields.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ActiveStream } from './stream.ts';

const Mode = { RAW: 0, CHUNKED: 1, NONE: 2 } as const;

/** Puts one response on a server connection: the fields every response gets, framing, and whether the connection stays. */
export class ResponseWriter {
  started = false;
  /** The connection ends with this response. */
  close = false;
  /** The body is counted and not sent (HEAD, 204, 304). */
  bodyless = false;
  #mode: number = Mode.RAW;
  #isHead = false;
  /** The client speaks HTTP/1.0. */
  http10 = false;
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  begin(parser: RequestParser): void {
    this.#isHead = parser.method === 'HEAD';
    this.http10 = parser.minor === 0;
  }

  get keepsConnection(): boolean {
    return !this.close;
  }

  /** A head before that of the response. */
  interim(stream: ActiveStream, status: number, headers: Headers | undefined): void {
    const { program } = this.#connection.hcm;
    let fields = '';
    if (headers !== undefined) {
      removeHops(headers, false);
      const id = program.alwaysSetRequestIdInResponse ? stream.request.headers.get('x-request-id') : undefined;
      if (id !== undefined) headers.set('x-request-id', id);
      fields = encodeFieldsSpelled(headers.flat, program.headerKeyFormat, undefined);
      stream.info.headerBytesSent += fields.length;
    }
    this.#connection.out.text(`${this.http10 ? statusLine10(status) : statusLine(status)}${fields}\r\n`);
  }

  head(stream: ActiveStream, head: ResponseHead, end: boolean): void {
    this.started = true;
    const connection = this.#connection;
    const { program, deps } = connection.hcm;
    const { proxyStatus: wanted } = program;
    const problem = wanted === undefined ? undefined : proxyStatus(stream.info, wanted);
    if (problem?.status !== undefined) head.status = problem.status;
    stream.info.responseCode = head.status;
    // As in Envoy, what was asked to switch may say that it switches, whatever its status.
    const asked = stream.upgrade !== '' && stream.upgrade !== 'connect';
    const switches = stream.tunnel ? head.status === 101 : asked && isUpgrade(head.headers);
    removeHops(head.headers, switches);
    const { flat } = head.headers;
    const { status } = head;
    let hasLength = false;
    let hasDate = false;
    let server = -1;
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i];
      if (name === 'content-length') hasLength = true;
      else if (name === 'date') hasDate = true;
      else if (name === 'server') server = i;
    }
    if (!hasDate) flat.push('date', httpDate(deps.clock));
    if (program.serverHeaderTransformation === 'OVERWRITE') {
      if (server >= 0) flat[server + 1] = program.serverName;
      else flat.push('server', program.serverName);
    } else if (program.serverHeaderTransformation === 'APPEND_IF_ABSENT' && server < 0) {
      flat.push('server', program.serverName);
    }
    if (program.alwaysSetRequestIdInResponse || stream.forcesTrace) {
      const id = stream.request.headers.get('x-request-id');
      if (id !== undefined) head.headers.set('x-request-id', id);
    }
    stream.tracing?.onResponse(head.headers);
    if (program.via !== '') appendVia(head.headers, program.via);
    if (problem !== undefined) appendProxyStatus(head.headers, problem.value);
    const empty = status === 204 || status < 200;
    this.bodyless = this.#isHead && !stream.tunnel;

    if (!connection.draining && !connection.last && connection.mustDrain) connection.startDraining();
    // Without a length an old client can only be told by the end of the connection.
    if (this.http10 && !hasLength) connection.knownLast = true;
    if (connection.knownLast && !connection.draining) connection.last = true;
    // What is not read of the request by now would have to be read before the next; closing is quicker.
    if (!stream.requestComplete && !stream.tunnel) connection.last = true;
    if (connection.last) this.close = true;
    // A tunnel ends with its connection; as in Envoy, only a 200 to a CONNECT, or an upgrade, is silent about it.
    if (stream.tunnel) this.close = true;
    if (!switches && !(stream.tunnel && status === 200)) {
      if (this.close || connection.draining) flat.push('connection', 'close');
      else if (this.http10) flat.push('connection', 'keep-alive');
    }
    const { spelling } = head.headers;
    const format = program.headerKeyFormat;
    const plain = format !== 'proper-case' && spelling === undefined;
    const fields = plain ? encodeFields(flat) : encodeFieldsSpelled(flat, format, spelling);
    const name = (lower: string): string => (plain ? lower : spell(lower, format, spelling));
    const reason = head.headers.spelling?.reason ?? '';
    let line = this.http10 ? statusLine10(status) : statusLine(status);
    if (reason !== '') line = `HTTP/1.${this.http10 ? 0 : 1} ${status} ${reason}\r\n`;
    const text = line + fields;
    let framing = '';
    if (stream.tunnel) {
      this.#mode = Mode.RAW;
    } else if (hasLength || empty || status === 304) {
      this.#mode = this.bodyless ? Mode.NONE : Mode.RAW;
    } else if (end && !this.#isHead) {
      framing = `${name('content-length')}: 0\r\n`;
    } else if (this.http10) {
      this.#mode = this.bodyless ? Mode.NONE : Mode.RAW;
    } else {
      framing = `${name('transfer-encoding')}: chunked\r\n`;
      this.#mode = this.#isHead ? Mode.NONE : Mode.CHUNKED;
    }
    stream.info.headerBytesSent += text.length + framing.length - line.length;
    connection.out.text(`${text}${framing}\r\n`);
  }

  data(data: Buffer): void {
    const { out } = this.#connection;
    if (this.#mode === Mode.RAW) {
      out.data(data);
    } else if (this.#mode === Mode.CHUNKED && data.length > 0) {
      out.text(chunkHead(data.length));
      out.data(data);
      out.text('\r\n');
    }
  }

  end(trailers: readonly string[] | undefined): void {
    if (this.#mode === Mode.CHUNKED) this.#connection.out.text(lastChunk(trailers));
  }
}

function appendProxyStatus(headers: Headers, value: string): void {
  const before = headers.get('proxy-status');
  headers.set('proxy-status', before === undefined || before === '' ? value : `${before}, ${value}`);
}

/** Drops fields about a connection, which is not the one that the response is sent on: whatever a route or a service adds. */
function removeHops(headers: Headers, upgraded: boolean): void {
  const { flat } = headers;
  let to = 0;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    switch (name) {
      case 'connection':
      case 'upgrade':
        if (!upgraded) continue;
        break;
      case 'transfer-encoding':
      case 'proxy-connection':
        continue;
    }
    if (to !== i) {
      flat[to] = name;
      flat[to + 1] = flat[i + 1]!;
    }
    to += 2;
  }
  if (to !== flat.length) flat.length = to;
}

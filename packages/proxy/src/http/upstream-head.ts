import { encodeFields, encodeFieldsSpelled, mayOmitLength, spell } from '../codec/encode.ts';
import type { RequestHead, UpstreamCluster } from '../types.ts';

/** The head of a request as its cluster wants heads spelled. */
export interface UpstreamHead {
  readonly text: string;
  /** The body follows in chunks. */
  readonly chunked: boolean;
  /** Bytes of the fields. */
  readonly fieldBytes: number;
}

export function upstreamHead(
  request: RequestHead,
  { http }: UpstreamCluster,
  upgrade: boolean,
  expectsBody: boolean,
): UpstreamHead {
  const { method, authority } = request;
  const { flat, spelling } = request.headers;
  const format = http?.headerKeyFormat ?? 'lowercase';
  const plain = format !== 'proper-case' && spelling === undefined;
  const name = (lower: string): string => (plain ? lower : spell(lower, format, spelling));
  const fields = plain ? encodeFields(flat) : encodeFieldsSpelled(flat, format, spelling);
  let target = method === 'CONNECT' ? authority : request.path;
  if (http?.fullUrl === true && method !== 'CONNECT') target = `${request.scheme}://${authority}${request.path}`;
  let framing = '';
  let chunked = false;
  if (!upgrade && !request.headers.has('content-length')) {
    if (expectsBody) {
      chunked = true;
      framing = `${name('transfer-encoding')}: chunked\r\n`;
    } else if (!mayOmitLength(method)) {
      framing = `${name('content-length')}: 0\r\n`;
    }
  }
  const host =
    authority === '' && request.hostIsEmpty !== true ? '' : `${plain ? 'host' : name('host')}: ${authority}\r\n`;
  return {
    text: `${method} ${target} HTTP/1.1\r\n${host}${fields}${framing}\r\n`,
    chunked,
    fieldBytes: host.length + fields.length + framing.length,
  };
}

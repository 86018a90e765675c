import { isIP } from 'node:net';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { Seen } from '../codec/names.ts';
import { ABSOLUTE_AUTHORITY, type RequestParser } from '../codec/request-parser.ts';
import type { HcmProgram, IpHeader, RouteConfigProgram } from '../program/types.ts';
import type { RequestHead } from '../types.ts';
import { Headers } from './headers.ts';
import type { StreamRecord } from './info.ts';
import { keepUpgrade } from './keep-upgrade.ts';
import { isPlainPath, normalizePath } from './path.ts';
import { mutateRequest } from './request-fields.ts';
import type { HcmRuntime } from './runtime.ts';

/** A reply that is due before any filter sees the request. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly details: string;
  readonly flags: number;
  readonly closes: boolean;
  /** The log says nothing of a request that was not understood. */
  readonly hideRequest: boolean;
  readonly headers?: readonly [string, string][];
}

/** The head that a parser holds; an absolute target's authority takes the place of Host. */
export function readHead(parser: RequestParser, program: HcmProgram): RequestHead {
  const { method, target, flat } = parser;
  if (parser.upgradeTo !== '') keepUpgrade(flat, parser);
  const headers = new Headers(flat);
  headers.spelling = parser.spelling;
  if (method === 'CONNECT') return { method, path: '', authority: target, scheme: '', headers };
  if (target.charCodeAt(0) !== 0x2f && program.allowAbsoluteUrl) {
    const parts = ABSOLUTE_AUTHORITY.exec(target);
    if (parts !== null) {
      const path = target.slice(parts[0].length);
      return { method, path: path === '' ? '/' : path, authority: parts[2]!, scheme: parts[1]!.toLowerCase(), headers };
    }
  }
  return { method, path: target, authority: parser.host, scheme: '', headers };
}

/** Checks a head and brings it into the form that filters and routes see; what to reply when it is refused. */
export function checkHead(
  request: RequestHead,
  parser: RequestParser,
  info: StreamRecord,
  routes: RouteConfigProgram | undefined,
  hcm: HcmRuntime,
  touchesPath: boolean,
  mutateEarly?: () => void,
): Refusal | undefined {
  const { program } = hcm;
  if ((parser.seen & Seen.HOST) === 0 && request.authority === '') {
    if (parser.minor !== 0 || program.defaultHostForHttp10 === '') return NO_HOST;
    request.authority = program.defaultHostForHttp10;
  }
  if (request.method === 'QUERY' && (request.headers.get('content-type') ?? '') === '') return NO_TYPE;
  const refusal = checkTarget(request, info, hcm, touchesPath);
  if (refusal !== undefined) return refusal;
  mutateEarly?.();
  if (request.authority === '' && request.method !== 'CONNECT') request.hostIsEmpty = true;
  for (const { name, rejectStatus } of program.ipHeaders ?? NO_HEADERS) {
    const value = request.headers.get(name);
    if (value !== undefined && isIP(value) !== 0) break;
    if (rejectStatus !== undefined) {
      request.headers.remove('x-envoy-internal');
      hcm.stats.downstream_rq_rejected_via_ip_detection++;
      return { ...NO_ADDRESS, status: rejectStatus };
    }
  }
  mutateRequest(request, info, parser.seen, program, routes, hcm.deps.random, hcm.deps.net.outerAddress);
  return undefined;
}

/** Brings path and host into the form that filters and routes see; what to reply when the path is refused. */
export function checkTarget(
  request: RequestHead,
  info: StreamRecord,
  hcm: HcmRuntime,
  touchesPath: boolean,
): Refusal | undefined {
  const { program } = hcm;
  const { path } = request;
  if (request.method !== 'CONNECT') {
    if (path.charCodeAt(0) !== 0x2f) {
      hcm.stats.downstream_rq_non_relative_path++;
      return NOT_A_PATH;
    }
    if ((touchesPath && !isPlainPath(path)) || path.includes('#')) {
      const result = normalizePath(path, program);
      request.path = result.path;
      // A gRPC client could not follow.
      const refused =
        result.verdict === 'reject' || (result.verdict === 'redirect' && isGrpc(request.headers.get('content-type')));
      if (refused) {
        hcm.stats.downstream_rq_failed_path_normalization++;
        return BAD_PATH;
      }
      if (result.verdict === 'redirect') {
        hcm.stats.downstream_rq_redirected_with_normalized_path++;
        return { ...BAD_PATH, status: 307, closes: false, headers: [['location', result.path]] };
      }
    }
  }
  if (program.stripPort !== 'none' || program.stripTrailingHostDot) normalizeHost(request, info, program);
  return undefined;
}

function normalizeHost(request: RequestHead, info: StreamRecord, program: HcmProgram): void {
  let host = request.authority;
  // One dot: of `a.:80.` it is the last.
  const dotted = program.stripTrailingHostDot && host.endsWith('.');
  if (dotted) host = host.slice(0, -1);
  const colon = host.lastIndexOf(':');
  let port = '';
  if (colon > host.lastIndexOf(']') && /^:\d+$/.test(host.slice(colon))) {
    port = host.slice(colon);
    host = host.slice(0, colon);
  }
  if (program.stripTrailingHostDot && !dotted && host.endsWith('.')) host = host.slice(0, -1);
  const strips =
    program.stripPort === 'any' ||
    (program.stripPort === 'matching' && port !== '' && Number(port.slice(1)) === info.connection.localPort);
  request.authority = strips ? host : host + port;
}

const NO_HOST: Refusal = {
  status: 400,
  body: '',
  details: 'missing_host_header',
  flags: 0,
  closes: false,
  hideRequest: false,
};
const NO_HEADERS: readonly IpHeader[] = [];
const NO_ADDRESS: Refusal = { ...NO_HOST, details: 'rejecting_because_detection_failed' };
const NO_TYPE: Refusal = { ...NO_HOST, details: 'query_missing_content_type' };
const BAD_PATH: Refusal = {
  status: 400,
  body: '',
  details: 'path_normalization_failed',
  flags: 0,
  closes: false,
  hideRequest: false,
};
const NOT_A_PATH: Refusal = {
  status: 404,
  body: '',
  details: 'absolute_path_rejected',
  flags: 0,
  closes: false,
  hideRequest: false,
};

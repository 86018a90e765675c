/** What a connection manager does to a request's fields before the filters see them. */
import { isIP } from 'node:net';
import { Seen } from '../codec/names.ts';
import type { Random } from '../deps.ts';
import type { HcmProgram, IpHeader, RouteConfigProgram } from '../program/types.ts';
import { asciiLower } from '../program/values.ts';
import type { ConnectionInfo, RequestHead, StreamInfo } from '../types.ts';
import { setTraceReason } from '../tracing/request-id.ts';
import { forwardClientCert } from './client-cert.ts';
import type { Headers } from './headers.ts';

/** Fields that only a trusted client may set. */
const INTERNAL_ONLY = new Set([
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-stream-duration-ms',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
]);
/** And these, when this proxy is the first of the mesh that it meets. */
const EDGE_ONLY = new Set([
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
  'x-envoy-original-host',
]);

/** `seen` is the parser's; it only saves looking for what is not there. */
export function mutateRequest(
  request: RequestHead,
  info: StreamInfo,
  seen: number,
  program: HcmProgram,
  routes: RouteConfigProgram | undefined,
  random: Random,
  /** By which others know this machine. */
  outerAddress = '127.0.0.1',
): void {
  const headers = request.headers;
  const connection = info.connection;
  const secure = connection.tls !== undefined;
  if ((seen & Seen.X_ENVOY) !== 0) headers.remove('x-envoy-internal');

  const forwarded = (seen & Seen.X_FORWARDED_FOR) !== 0 ? headers.get('x-forwarded-for') : undefined;
  const trusted = program.useRemoteAddress;
  let address: string | undefined;
  let single: boolean;
  if (trusted) {
    single = forwarded === undefined;
    if (program.xffNumTrustedHops > 0) address = addressFromEnd(forwarded, program.xffNumTrustedHops - 1);
    address ??= connection.directRemoteAddress;
    if (!program.skipXffAppend) appendForwarded(headers, connection, outerAddress);
    if (program.xffNumTrustedHops === 0 || (seen & Seen.X_FORWARDED_PROTO) === 0) {
      headers.set('x-forwarded-proto', protoOf(program, connection, secure));
    }
  } else if (program.ipHeaders !== undefined && (byHeader(headers, program.ipHeaders, info) || !program.asksXff)) {
    address = info.remoteAddress;
    single = info.remoteIsTrusted === true;
    if ((seen & Seen.X_FORWARDED_PROTO) === 0) headers.add('x-forwarded-proto', protoOf(program, connection, secure));
  } else {
    const isTrusted = program.xffIsTrusted;
    const fromStranger = isTrusted !== undefined && !isTrusted(connection.directRemoteAddress);
    address =
      isTrusted === undefined
        ? addressFromEnd(forwarded, program.xffNumTrustedHops)
        : fromStranger
          ? undefined
          : lastStranger(forwarded, isTrusted);
    single = forwarded !== undefined && !forwarded.includes(',');
    if (program.appendsUntrusted || fromStranger) appendForwarded(headers, connection, outerAddress);
    if ((seen & Seen.X_FORWARDED_PROTO) === 0) headers.add('x-forwarded-proto', protoOf(program, connection, secure));
  }
  const overwrites = trusted && program.xffNumTrustedHops === 0;
  if (program.appendXForwardedPort && (overwrites || (seen & Seen.X_FORWARDED_PORT) === 0))
    headers.set('x-forwarded-port', String(connection.localPort));
  const internal = single && address !== undefined && program.isInternalAddress(address);
  const edge = trusted && !internal;
  info.remoteAddress = address ?? connection.directRemoteAddress;
  // An absolute target's scheme is not believed of strangers.
  if (program.schemeOverwrite !== undefined) {
    request.scheme = program.schemeOverwrite;
    headers.set('x-forwarded-proto', program.schemeOverwrite);
  } else if (overwrites || request.scheme === '') request.scheme = schemeOf(headers.get('x-forwarded-proto'), secure);
  if ((seen & Seen.X_FORWARDED_PROTO) !== 0 && headers.get('x-forwarded-proto') === '') request.protoIsEmpty = true;

  if (internal) headers.add('x-envoy-internal', 'true');
  else if ((seen & Seen.X_ENVOY) !== 0) removeUntrusted(headers, edge);
  if (!internal && routes !== undefined) for (const name of routes.internalOnlyHeaders) headers.remove(name);

  const { userAgent } = program;
  if (userAgent !== undefined) {
    headers.set('x-envoy-downstream-service-cluster', userAgent.cluster);
    if ((headers.get('user-agent') ?? '') === '') headers.set('user-agent', userAgent.cluster);
    if (userAgent.node !== '') headers.set('x-envoy-downstream-service-node', userAgent.node);
  }
  if (program.via !== '') appendVia(headers, program.via);
  if ((seen & Seen.REFERER) !== 0) checkReferer(headers);
  if (edge && info.remoteAddress !== '') headers.set('x-envoy-external-address', info.remoteAddress);
  if (program.generateRequestId) {
    if ((seen & Seen.X_REQUEST_ID) === 0) headers.add('x-request-id', random.uuid());
    else if ((edge && !program.preserveExternalRequestId) || headers.get('x-request-id') === '') {
      headers.set('x-request-id', random.uuid());
    } else if (edge && program.packTraceReason) setTraceReason(headers, 'none');
  }
  if ((seen & Seen.X_FORWARDED_CLIENT_CERT) !== 0 || (connection.tls?.authenticated ?? false)) {
    forwardClientCert(request, info, program);
  }
}

/** Who comes by a pipe has no address to add. */
function appendForwarded(headers: Headers, { directRemoteAddress: from }: ConnectionInfo, outerAddress: string): void {
  if (from !== '') headers.append('x-forwarded-for', outer(from, outerAddress));
}

/** Whether a header says where the request comes from. */
function byHeader(headers: Headers, asked: readonly IpHeader[], info: StreamInfo): boolean {
  for (const { name, trusted } of asked) {
    const value = headers.get(name);
    if (value === undefined || isIP(value) === 0) continue;
    info.remoteAddress = value;
    info.remoteIsTrusted = trusted;
    return true;
  }
  return false;
}

/** A client that came from 127.0.0.1 is this machine, which others know by another address. */
export function outer(address: string, outerAddress: string): string {
  return address === '127.0.0.1' || address === '::1' ? outerAddress : address;
}

/** The address `hops` before the last of x-forwarded-for; undefined when there is none, or it is not an address. */
function addressFromEnd(forwarded: string | undefined, hops: number): string | undefined {
  if (forwarded === undefined) return undefined;
  let end = forwarded.length;
  for (let i = 0; i < hops; i++) {
    end = forwarded.lastIndexOf(',', end - 1);
    if (end < 0) return undefined;
  }
  const start = forwarded.lastIndexOf(',', end - 1) + 1;
  const text = forwarded.slice(start, end).trim();
  return isIP(text) !== 0 ? text : undefined;
}

/** The last address of x-forwarded-for that is not a trusted proxy's, where a trusted proxy brought the list. */
function lastStranger(forwarded: string | undefined, isTrusted: (address: string) => boolean): string | undefined {
  if (forwarded === undefined) return undefined;
  let last: string | undefined;
  for (const part of forwarded.split(',').toReversed()) {
    const address = part.trim();
    if (isIP(address) === 0) return undefined;
    last = address;
    if (!isTrusted(address)) break;
  }
  return last;
}

/** How a request came: by the port that was asked for elsewhere, if that says so, or else by its connection. */
function protoOf({ protoOfPort }: HcmProgram, { socketEnds, localPort }: ConnectionInfo, secure: boolean): string {
  const said = protoOfPort === undefined || socketEnds === undefined ? undefined : protoOfPort.get(localPort);
  return said ?? (secure ? 'https' : 'http');
}

function schemeOf(forwardedProto: string | undefined, secure: boolean): string {
  if (forwardedProto === 'http' || forwardedProto === 'https') return forwardedProto;
  const said = forwardedProto === undefined ? '' : asciiLower(forwardedProto);
  return said === 'http' || said === 'https' ? said : secure ? 'https' : 'http';
}

function removeUntrusted(headers: Headers, edge: boolean): void {
  const flat = headers.flat;
  for (let i = flat.length - 2; i >= 0; i -= 2) {
    const name = flat[i]!;
    if (name.charCodeAt(2) !== E) continue;
    if (INTERNAL_ONLY.has(name) || (edge && EDGE_ONLY.has(name))) flat.splice(i, 2);
  }
}

/** The third character of all their names. */
const E = 0x65;

/** A Referer that is no URL, or says more than where the client came from, is dropped. */
function checkReferer(headers: Headers): void {
  if (!REFERER.test(headers.get('referer') ?? '')) headers.remove('referer');
}
const REFERER =
  /^(?:[A-Za-z][\w+.-]*:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:[/?][!"$-~]*)?|[\w.~!$&'()*+,;=@%?-]*(?:\/[\w.~!$&'()*+,;=@%?/:-]*)?)$/;

export function appendVia(headers: Headers, via: string): void {
  const before = headers.get('via');
  headers.set('via', before === undefined || before === '' ? via : `${before}, ${via}`);
}

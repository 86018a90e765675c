import type { types } from '@mizzen/xds';
import { filterStateOf } from '../../filter-state/state.ts';
import { xxHash64, xxHash64OfBytes } from '../../lb/xxhash64.ts';
import type { Headers } from '../../http/headers.ts';
import { cookieSetter } from '../../http/set-cookie.ts';
import type { HashResult, HttpStream, RequestHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { queryParameter } from '../match/query.ts';
import { compileRegex } from '../match/regex.ts';
import type { Path } from '../path.ts';
import { asciiLower, milliseconds, wire } from '../values.ts';
import { xxHash64Seeded } from './xxhash64-seeded.ts';

/** What of a stream is hashed. */
export type Hashed = Pick<HttpStream, 'info'>;

interface Method {
  readonly terminal: boolean;
  /** Undefined: does not apply to this request. */
  evaluate(request: RequestHead, stream: Hashed): { readonly hash: bigint; readonly setCookie?: string } | undefined;
}

const MASK = (1n << 64n) - 1n;

/** Combines hash policies as Envoy does, so that the same request meets the same host. Undefined without policies. */
export function compileHashPolicies(
  context: CompileContext,
  policies: readonly types.route.RouteAction_HashPolicy[] | undefined,
  path: Path,
): ((request: RequestHead, stream: Hashed) => HashResult) | undefined {
  if (policies === undefined || policies.length === 0) return undefined;
  const methods = policies.flatMap((policy, i) => compileMethod(context, policy, [...path, i]) ?? []);
  return (request, stream) => {
    let key: bigint | undefined;
    let setCookie: string | undefined;
    for (const method of methods) {
      const result = method.evaluate(request, stream);
      if (result !== undefined) {
        // Rotated, so that two policies with the same value do not cancel each other out.
        const old = key === undefined ? 0n : ((key << 1n) & MASK) | (key >> 63n);
        key = old ^ result.hash;
        setCookie ??= result.setCookie;
      }
      if (method.terminal && key !== undefined) break;
    }
    return setCookie === undefined ? { key } : { key, setCookie };
  };
}

function compileMethod(
  context: CompileContext,
  policy: types.route.RouteAction_HashPolicy,
  path: Path,
): Method | undefined {
  const terminal = policy.terminal === true;
  if (policy.header !== undefined)
    return { terminal, evaluate: headerHash(context, policy.header, [...path, 'header']) };
  if (policy.cookie !== undefined)
    return { terminal, evaluate: cookieHash(context, policy.cookie, [...path, 'cookie']) };
  if (policy.queryParameter !== undefined) {
    const name = wire(policy.queryParameter.name ?? '');
    return {
      terminal,
      evaluate: (request) => {
        const value = queryParameter(request.path, name);
        return value === undefined ? undefined : { hash: xxHash64OfBytes(value) };
      },
    };
  }
  if (policy.connectionProperties !== undefined) {
    if (policy.connectionProperties.sourceIp !== true) return undefined;
    return {
      terminal,
      evaluate: (_request, { info }) =>
        info.remoteAddress === '' ? undefined : { hash: xxHash64(info.remoteAddress) },
    };
  }
  if (policy.filterState !== undefined) {
    const { key = '' } = policy.filterState;
    if (key === '') context.refuse([...path, 'filterState', 'key'], 'must not be empty');
    return {
      terminal,
      evaluate: (_request, { info }) => {
        const hashed = filterStateOf(info, key)?.hashed;
        return hashed === undefined ? undefined : { hash: xxHash64OfBytes(hashed) };
      },
    };
  }
  context.refuse(path, 'must say what to hash');
  return undefined;
}

function headerHash(
  context: CompileContext,
  header: types.route.RouteAction_HashPolicy_Header,
  path: Path,
): Method['evaluate'] {
  if (header.headerName === undefined || header.headerName === '')
    context.refuse([...path, 'headerName'], 'must not be empty');
  const name = asciiLower(header.headerName ?? '');
  const regex =
    header.regexRewrite === undefined
      ? undefined
      : compileRegex(context, header.regexRewrite.pattern, [...path, 'regexRewrite', 'pattern']);
  const substitution = header.regexRewrite?.substitution ?? '';
  return (request) => {
    const values = headerValues(request, name);
    if (values.length === 0) return undefined;
    const rewritten = regex === undefined ? values : values.map((value) => regex.replaceAll(value, substitution));
    if (rewritten.length === 1) return { hash: xxHash64OfBytes(rewritten[0]!) };
    // The same whatever order the fields came in: each hash is the seed of the next.
    let hash = 0n;
    for (const value of rewritten.sort()) hash = xxHash64Seeded(value, hash, 'latin1');
    return { hash };
  };
}

function headerValues(request: RequestHead, name: string): string[] {
  switch (name) {
    case ':path':
      return [request.path];
    case ':method':
      return [request.method];
    case ':scheme':
      return [request.scheme];
    case ':authority':
    case 'host':
      return [request.authority];
    default:
      return request.headers.getAll(name);
  }
}

function cookieHash(
  context: CompileContext,
  cookie: types.route.RouteAction_HashPolicy_Cookie,
  path: Path,
): Method['evaluate'] {
  if (cookie.name === undefined || cookie.name === '') context.refuse([...path, 'name'], 'must not be empty');
  const name = wire(cookie.name ?? '');
  const ttl = cookie.ttl === undefined ? undefined : Math.floor(milliseconds(cookie.ttl, 0) / 1000);
  const setCookie = cookieSetter(cookie, ttl ?? 0);
  return (request, stream) => {
    const given = cookieValue(request, name);
    if (given !== undefined && given !== '') return { hash: xxHash64OfBytes(given) };
    if (ttl === undefined) return undefined;
    // As Envoy: the value tells connections apart.
    const { connection } = stream.info;
    const value = xxHash64(
      `${connection.directRemoteAddress}:${connection.remotePort}${connection.localAddress}:${connection.localPort}`,
    )
      .toString(16)
      .padStart(16, '0');
    return { hash: xxHash64(value), setCookie: setCookie(value) };
  };
}

/** Value of a cookie, without quotes; undefined when it was not sent. */
export function cookieValue({ headers }: { readonly headers: Headers }, name: string): string | undefined {
  const { flat } = headers;
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] !== 'cookie') continue;
    for (const part of flat[i + 1]!.split(';')) {
      const pair = part.trim();
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals) !== name) continue;
      const value = pair.slice(equals + 1);
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return undefined;
}

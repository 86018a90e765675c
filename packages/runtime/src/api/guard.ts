import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A request that is not answered: status and stable code. */
export interface Refused {
  readonly status: 400 | 401 | 403;
  readonly code: string;
  readonly message: string;
}

export const WRONG_TOKEN = 'this is not the token of this mesh';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A web page that a person happens to visit can make their browser send requests to this port. So the request must have
 * been meant for this machine (Host: a name of another site that resolves here is DNS rebinding), must not come from a
 * page of another site (Origin, Sec-Fetch-Site), and whoever changes something must know the token. Without a `token`
 * there is nothing that it changes.
 */
export function refuse(request: IncomingMessage, port: number, token: string | undefined): Refused | undefined {
  const { host, origin, authorization } = request.headers;
  if (host === undefined || !isOwnAuthority(host, port)) {
    return {
      status: 403,
      code: 'bad-host',
      message: 'the Host of a request must be localhost or 127.0.0.1 with the port',
    };
  }
  if (origin !== undefined && !isOwnOrigin(origin, port)) {
    return { status: 403, code: 'bad-origin', message: 'pages of other sites may not ask' };
  }
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return { status: 403, code: 'bad-origin', message: 'pages of other sites may not ask' };
  }
  if (token === undefined || request.method === 'GET' || request.method === 'HEAD') return undefined;
  if (bearerOf(authorization) === undefined) {
    return {
      status: 401,
      code: 'token-missing',
      message: 'changes need the token from the state directory (Authorization: Bearer …)',
    };
  }
  if (!isTrusted(request, token)) return { status: 403, code: 'token-wrong', message: WRONG_TOKEN };
  return undefined;
}

/** Whether whoever asks has the token. */
export function isTrusted({ headers: { authorization } }: IncomingMessage, token: string): boolean {
  const given = bearerOf(authorization);
  return given !== undefined && sameText(given, token);
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
}

function isOwnAuthority(host: string, port: number): boolean {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(host.toLowerCase());
  return match !== null && LOOPBACK.has(match[1] ?? '') && Number(match[2] ?? 80) === port;
}

function isOwnOrigin(origin: string, port: number): boolean {
  return origin.startsWith('http://') && isOwnAuthority(origin.slice('http://'.length), port);
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

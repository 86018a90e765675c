import type { types } from '@mizzen/xds';
import { queryParameter } from '../../program/match/query.ts';
import { cookieValue } from '../../program/route/hash.ts';
import { asciiLower, wire } from '../../program/values.ts';
import type { RequestHead } from '../../types.ts';

/** A place where a token may be. */
export interface TokenLocation {
  /** In words. */
  readonly text: string;
  find(request: RequestHead): string | undefined;
  /** Takes the token out of a request that is sent on. */
  remove(request: RequestHead): void;
}

/** Without any place named: `authorization: Bearer …` and the query parameter `access_token`. */
export function compileLocations(provider: types.jwtAuthn.JwtProvider): readonly TokenLocation[] {
  const { fromHeaders = [], fromParams = [], fromCookies = [] } = provider;
  if (fromHeaders.length === 0 && fromParams.length === 0 && fromCookies.length === 0) {
    return [headerLocation('authorization', 'Bearer '), parameterLocation('access_token')];
  }
  return [
    ...fromHeaders.map((header) => headerLocation(asciiLower(header.name ?? ''), header.valuePrefix ?? '')),
    ...fromParams.map(parameterLocation),
    ...fromCookies.map(cookieLocation),
  ];
}

function headerLocation(name: string, valuePrefix: string): TokenLocation {
  const prefix = wire(valuePrefix);
  return {
    text: `header "${name}"`,
    find(request) {
      const value = request.headers.getJoined(name);
      if (value === undefined) return undefined;
      if (prefix === '') return value;
      const at = value.indexOf(prefix);
      return at < 0 ? undefined : tokenIn(value, at + prefix.length);
    },
    remove: (request) => void request.headers.remove(name),
  };
}

/** The first run of characters that a token can be made of. */
function tokenIn(value: string, from: number): string {
  const found = /[A-Za-z0-9_.-]+/.exec(value.slice(from));
  return found === null ? value : found[0];
}

function parameterLocation(name: string): TokenLocation {
  const wanted = wire(name);
  return {
    text: `query parameter "${name}"`,
    find: (request) => queryParameter(request.path, wanted),
    remove(request) {
      const question = request.path.indexOf('?');
      if (question < 0) return;
      const rest = request.path
        .slice(question + 1)
        .split('&')
        .filter((part) => part !== wanted && !part.startsWith(`${wanted}=`));
      request.path = request.path.slice(0, question) + (rest.length === 0 ? '' : `?${rest.join('&')}`);
    },
  };
}

function cookieLocation(name: string): TokenLocation {
  const wanted = wire(name);
  return {
    text: `cookie "${name}"`,
    find: (request) => cookieValue(request, wanted),
    // As in Envoy, cookies are passed on whatever `forward` says.
    remove: () => undefined,
  };
}

import type { types } from '@mizzen/xds';
import { queryParameter } from '../../program/match/query.ts';
import { REQUEST_SINGLE } from '../../codec/single-headers.ts';
import { cookieValue } from '../../program/route/hash.ts';
import { asciiLower, wire } from '../../program/values.ts';
import type { RequestHead } from '../../types.ts';

/** A place where a token may be. */
export interface TokenLocation {
  /** In words. */
  readonly text: string;
  find(request: RequestHead): readonly string[];
  /** Takes the token out of a request that is sent on. */
  remove(request: RequestHead): void;
}

export interface FoundToken {
  readonly location: TokenLocation;
  readonly text: string;
}

/** Every token of a request: a repeated header holds several. */
export function findTokens(locations: readonly TokenLocation[], request: RequestHead): readonly FoundToken[] {
  const found: FoundToken[] = [];
  for (const location of locations) for (const text of location.find(request)) found.push({ location, text });
  return found;
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
      const joined = REQUEST_SINGLE.has(name) ? request.headers.getJoined(name) : undefined;
      const values = joined === undefined ? request.headers.getAll(name) : [joined];
      if (prefix === '') return values;
      return values
        .filter((value) => value.includes(prefix))
        .map((value) => tokenIn(value, value.indexOf(prefix) + prefix.length));
    },
    remove: (request) => void request.headers.remove(name),
  };
}

/** From the first character that a token can begin with. */
function tokenIn(value: string, from: number): string {
  const rest = value.slice(from);
  const start = rest.search(/[A-Za-z0-9_.-]/);
  return start < 0 ? value : rest.slice(start);
}

function parameterLocation(name: string): TokenLocation {
  const wanted = wire(name);
  return {
    text: `query parameter "${name}"`,
    find: (request) => some(queryParameter(request.path, wanted)),
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
    find: (request) => some(cookieValue(request, wanted)),
    // As in Envoy, cookies are passed on whatever `forward` says.
    remove: () => undefined,
  };
}

function some(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

import type { types } from '@mizzen/xds';
import { REQUEST_SINGLE } from '../../codec/single-headers.ts';
import { requestHeader } from '../../program/match/header.ts';
import { cookieValue } from '../../program/route/hash.ts';
import { asciiLower, wire } from '../../program/values.ts';
import type { RequestHead } from '../../types.ts';

/** A place where a token may be. */
export interface TokenLocation {
  /** In words. */
  readonly text: string;
  /** The same for the same place. */
  readonly key: string;
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

/**
 * Without any place named: `authorization: Bearer …` and the query parameter `access_token`. Headers come first, cookies
 * last, each by name.
 */
export function compileLocations(provider: types.jwtAuthn.JwtProvider): readonly TokenLocation[] {
  const { fromHeaders = [], fromParams = [], fromCookies = [] } = provider;
  if (fromHeaders.length === 0 && fromParams.length === 0 && fromCookies.length === 0) {
    return [headerLocation('authorization', 'Bearer '), parameterLocation('access_token')];
  }
  return inOrder([
    ...fromHeaders.map((header) => headerLocation(asciiLower(header.name ?? ''), header.valuePrefix ?? '')),
    ...fromParams.map(parameterLocation),
    ...fromCookies.map(cookieLocation),
  ]);
}

/** Each place once, in the order in which Envoy looks at them. */
export function inOrder(locations: readonly TokenLocation[]): readonly TokenLocation[] {
  const byKey = new Map(locations.map((location) => [location.key, location]));
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function headerLocation(name: string, valuePrefix: string): TokenLocation {
  const prefix = wire(valuePrefix);
  return {
    text: `header "${name}"`,
    key: `1 ${name}${prefix}`,
    find(request) {
      const joined = name.startsWith(':') || REQUEST_SINGLE.has(name) ? requestHeader(request, name) : undefined;
      const values = joined === undefined ? request.headers.getAll(name) : [joined];
      if (prefix === '') return values;
      return values
        .filter((value) => value.includes(prefix))
        .map((value) => tokenIn(value, value.indexOf(prefix) + prefix.length));
    },
    remove: (request) => takeAway(request, name),
  };
}

function takeAway(request: RequestHead, name: string): void {
  switch (name) {
    case ':path':
      request.path = '';
      break;
    case ':method':
      request.method = '';
      break;
    case ':authority':
    case 'host':
      request.authority = '';
      request.hostIsEmpty = false;
      return;
    default:
      request.headers.remove(name);
      return;
  }
  // It cannot be sent on like that.
  request.headers.unchecked = true;
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
    key: `2 ${wanted}`,
    find: (request) => some(decodedParameter(request.path, wanted)),
    remove(request) {
      const question = request.path.indexOf('?');
      if (question < 0) return;
      const rest = request.path
        .slice(question + 1)
        .split('&')
        .filter((part) => unescaped(part.split('=', 1)[0] ?? '') !== wanted);
      request.path = request.path.slice(0, question) + (rest.length === 0 ? '' : `?${rest.join('&')}`);
    },
  };
}

/** First value of a parameter; names and values with their percent escapes undone. */
function decodedParameter(path: string, name: string): string | undefined {
  const [target = ''] = path.split('#', 1);
  const question = target.indexOf('?');
  if (question < 0) return undefined;
  for (const part of target.slice(question + 1).split('&')) {
    const equals = part.indexOf('=');
    if (unescaped(equals < 0 ? part : part.slice(0, equals)) === name) {
      return equals < 0 ? '' : unescaped(part.slice(equals + 1));
    }
  }
  return undefined;
}

function unescaped(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function cookieLocation(name: string): TokenLocation {
  const wanted = wire(name);
  return {
    text: `cookie "${name}"`,
    key: `3 ${wanted}`,
    find: (request) => some(cookieValue(request, wanted)),
    // As in Envoy, cookies are passed on whatever `forward` says.
    remove: () => undefined,
  };
}

function some(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

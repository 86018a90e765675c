import type { types } from '@mizzen/xds';
import type { Headers } from '../../http/headers.ts';
import type { RequestHead, ResponseHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { REQUEST_SINGLE, RESPONSE_SINGLE } from '../../codec/single-headers.ts';
import { asciiLower } from '../values.ts';
import { compileRegex } from './regex.ts';
import { compileString, containsMatch, exactMatch, prefixMatch, suffixMatch, type StringMatch } from './string.ts';

export interface HeaderMatch<H> {
  /** In words: `header "x-user" is "beta"`. */
  readonly text: string;
  readonly matches: (head: H) => boolean;
}

/** A request header as formats and hashes see it: pseudo headers by their names, repeated ones joined by a comma. */
export function requestHeader(request: RequestHead, name: string): string | undefined {
  if (name.charCodeAt(0) === 58 /* : */) {
    switch (name) {
      case ':path':
        return request.path === '' ? undefined : request.path;
      case ':method':
        return request.method === '' ? undefined : request.method;
      case ':authority':
        return authorityOf(request);
      case ':scheme':
        return request.method === '' ? undefined : request.scheme;
      default:
        return undefined;
    }
  }
  return name === 'host' ? authorityOf(request) : request.headers.getJoined(name);
}

/** Undefined of a request that could not be read: that has no method. */
function authorityOf({ method, authority }: RequestHead): string | undefined {
  return method === '' ? undefined : authority;
}

export function responseHeader(response: ResponseHead, name: string): string | undefined {
  return name === ':status' ? String(response.status) : response.headers.getJoined(name);
}

export function compileRequestHeader(
  context: CompileContext,
  matcher: types.route.HeaderMatcher,
  path: Path,
): HeaderMatch<RequestHead> {
  return compileHeader(context, matcher, path, (name) =>
    name.startsWith(':') || REQUEST_SINGLE.has(name) ? getRequestHeader(name) : undefined,
  );
}
export function compileResponseHeader(
  context: CompileContext,
  matcher: types.route.HeaderMatcher,
  path: Path,
): HeaderMatch<ResponseHead> {
  return compileHeader(context, matcher, path, (name) =>
    name.startsWith(':') || RESPONSE_SINGLE.has(name) ? (response) => responseHeader(response, name) : undefined,
  );
}

/** The cheapest way to one header: what can be known of its name is decided here and not per request. */
export function getRequestHeader(name: string): (request: RequestHead) => string | undefined {
  switch (name) {
    case ':path':
      return (request) => (request.path === '' ? undefined : request.path);
    case ':method':
      return (request) => (request.method === '' ? undefined : request.method);
    case ':authority':
    case 'host':
      return authorityOf;
    case ':scheme':
      return (request) => (request.method === '' ? undefined : request.scheme);
    default:
      return name.startsWith(':') ? () => undefined : (request) => request.headers.getJoined(name);
  }
}

/**
 * A header that is repeated matches when one of its fields does (all joined, where Envoy keeps one); inverted, when none does. A missing one fails every
 * value matcher, inverted or not, unless it counts as empty.
 */
function compileHeader<H extends { readonly headers: Headers }>(
  context: CompileContext,
  matcher: types.route.HeaderMatcher,
  path: Path,
  pseudo: (name: string) => ((head: H) => string | undefined) | undefined,
): HeaderMatch<H> {
  if (matcher.name === undefined || matcher.name === '') context.refuse([...path, 'name'], 'must not be empty');
  const name = asciiLower(matcher.name ?? '');
  const get = pseudo(name);
  const invert = matcher.invertMatch === true;
  const missingIsEmpty = matcher.treatMissingHeaderAsEmpty === true;
  const value = valueMatch(context, matcher, path);
  if (value === undefined) {
    const present = (matcher.presentMatch ?? true) !== invert;
    if (missingIsEmpty) return { text: `header "${name}" counts as present`, matches: () => present };
    return {
      text: present ? `header "${name}" is present` : `header "${name}" is absent`,
      matches:
        get === undefined
          ? (head) => head.headers.has(name) === present
          : (head) => (get(head) !== undefined) === present,
    };
  }
  const { matches } = value;
  const whenMissing = missingIsEmpty && matches('') !== invert;
  const missing = missingIsEmpty ? ' (missing counts as empty)' : invert ? ' (and is there)' : '';
  const text = `header "${name}" ${invert ? 'is not one that ' : ''}${value.text}${missing}`;
  if (get !== undefined) {
    return {
      text,
      matches: (head) => {
        const given = get(head);
        return given === undefined ? whenMissing : matches(given) !== invert;
      },
    };
  }
  return {
    text,
    matches: ({ headers: { flat } }) => {
      let there = false;
      for (let i = 0; i < flat.length; i += 2) {
        if (flat[i] !== name) continue;
        if (matches(flat[i + 1]!)) return !invert;
        there = true;
      }
      return there ? invert : whenMissing;
    },
  };
}

/** Undefined: only presence counts. */
function valueMatch(context: CompileContext, matcher: types.route.HeaderMatcher, path: Path): StringMatch | undefined {
  const {
    exactMatch: exact,
    prefixMatch: prefix,
    suffixMatch: suffix,
    containsMatch: contains,
    rangeMatch: range,
  } = matcher;
  if (matcher.stringMatch !== undefined) return compileString(context, matcher.stringMatch, [...path, 'stringMatch']);
  if (exact !== undefined)
    return exact === '' ? { text: 'has any value', matches: () => true } : exactMatch(exact, false);
  if (prefix !== undefined) return prefixMatch(prefix, false);
  if (suffix !== undefined) return suffixMatch(suffix, false);
  if (contains !== undefined) return containsMatch(contains, false);
  if (matcher.safeRegexMatch !== undefined) {
    const regex = compileRegex(context, matcher.safeRegexMatch, [...path, 'safeRegexMatch']);
    return { text: `matches the regular expression "${regex?.source}"`, matches: regex?.matches ?? (() => false) };
  }
  if (range !== undefined) {
    const start = Number(range.start ?? 0);
    const end = Number(range.end ?? 0);
    return {
      text: `is a number from ${start} to below ${end}`,
      matches: (value) => {
        const number = wholeNumber(value);
        return number !== undefined && number >= start && number < end;
      },
    };
  }
  return undefined;
}

/** A decimal whole number with optional sign and surrounding blanks. */
export function wholeNumber(text: string): number | undefined {
  const trimmed = text.trim();
  return /^[+-]?\d{1,19}$/.test(trimmed) ? Number(trimmed) : undefined;
}

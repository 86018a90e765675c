import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { wire } from '../values.ts';
import { compileString } from './string.ts';

export interface QueryMatch {
  readonly text: string;
  /** `path` is a request target with its query. */
  readonly matches: (path: string) => boolean;
}

/**
 * First value of a query parameter as it is on the wire, percent escapes included; undefined when it is absent. A
 * parameter without `=` is present and empty. Matched without building anything but the value.
 */
export function queryParameter(path: string, name: string): string | undefined {
  const question = path.indexOf('?');
  if (question < 0) return undefined;
  const hash = path.indexOf('#', question);
  const end = hash < 0 ? path.length : hash;
  let start = question + 1;
  while (start < end) {
    let next = path.indexOf('&', start);
    if (next < 0 || next > end) next = end;
    let equals = path.indexOf('=', start);
    if (equals < 0 || equals > next) equals = next;
    if (equals - start === name.length && path.startsWith(name, start)) {
      return equals === next ? '' : path.slice(equals + 1, next);
    }
    start = next + 1;
  }
  return undefined;
}

/** The first value of a parameter whose name and value may be escaped, without the escapes. */
export function decodedParameter(path: string, name: string): string | undefined {
  const [, query] = /^[^?]*\?([^#]*)/.exec(path) ?? [];
  for (const part of query?.split('&') ?? []) {
    const equals = part.indexOf('=');
    if (decoded(equals < 0 ? part : part.slice(0, equals)) === name)
      return equals < 0 ? '' : decoded(part.slice(equals + 1));
  }
  return undefined;
}

function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

export function compileQuery(
  context: CompileContext,
  matcher: types.route.QueryParameterMatcher,
  path: Path,
  read = queryParameter,
): QueryMatch {
  if (matcher.name === undefined || matcher.name === '') context.refuse([...path, 'name'], 'must not be empty');
  const name = wire(matcher.name ?? '');
  if (matcher.stringMatch !== undefined) {
    const value = compileString(context, matcher.stringMatch, [...path, 'stringMatch']);
    return {
      text: `query parameter "${matcher.name}" ${value.text}`,
      matches: (target) => {
        const given = read(target, name);
        return given !== undefined && value.matches(given);
      },
    };
  }
  const present = matcher.presentMatch ?? true;
  return {
    text: `query parameter "${matcher.name}" is ${present ? 'present' : 'absent'}`,
    matches: (target) => (read(target, name) !== undefined) === present,
  };
}

/** Undoes the escapes of what could have stood there as it is, and drops the percent sign of what is no escape, as Envoy does. */
export function unescapeQuery(query: string): string {
  let text = '';
  for (let i = 0; i < query.length; i++) {
    const c = query[i]!;
    if (c !== '%' || i + 2 >= query.length) {
      text += c;
      continue;
    }
    const escape = query.slice(i, i + 3);
    if (!/^%[0-9a-f]{2}$/i.test(escape)) continue;
    const char = String.fromCharCode(parseInt(escape.slice(1), 16));
    text += PLAIN.test(char) ? char : escape;
    i += 2;
  }
  return text;
}
const PLAIN = /^[!#-;=?-[\]_`a-z~]$/;

/** The target without its query and fragment. */
export function pathOnly(target: string): string {
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c === 63 /* ? */ || c === 35 /* # */) return target.slice(0, i);
  }
  return target;
}

import type { types } from '@mizzen/xds';
import type { Headers } from '../../http/headers.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { compileString } from './string.ts';

export interface CookieMatch {
  readonly text: string;
  readonly matches: (headers: Headers) => boolean;
}

/** A cookie that is not there fails every match, inverted or not. */
export function compileCookie(context: CompileContext, matcher: types.route.CookieMatcher, path: Path): CookieMatch {
  const { name = '', stringMatch = {}, invertMatch = false } = matcher;
  if (name === '') context.refuse([...path, 'name'], 'must not be empty');
  const value = compileString(context, stringMatch, [...path, 'stringMatch']);
  return {
    text: `cookie "${name}" ${invertMatch ? 'not ' : ''}${value.text}`,
    matches: (headers) => {
      const given = cookie(headers, name);
      return given === undefined ? invertMatch : value.matches(given) !== invertMatch;
    },
  };
}

/** The first cookie of that name, without the quotes around its value. */
function cookie(headers: Headers, name: string): string | undefined {
  for (const field of headers.getAll('cookie')) {
    for (const part of field.split(';')) {
      const text = part.trim();
      const equals = text.indexOf('=');
      if (equals < 0 || text.slice(0, equals) !== name) continue;
      const value = text.slice(equals + 1);
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return undefined;
}

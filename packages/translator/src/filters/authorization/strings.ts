import type { types } from '@mizzen/xds';

type StringMatcher = types.matcher.StringMatcher;

export const ANY_VALUE: StringMatcher = { safeRegex: { regex: '.+' } };

/**
 * Istio's value syntax: `*` (present, not empty), `*suffix`, `prefix*`, or the exact value. With `prefix` (such as
 * `spiffe://`) in front of what is compared, a suffix becomes a regular expression.
 */
export function stringMatcher(value: string, prefix = ''): StringMatcher {
  if (value === '*') return ANY_VALUE;
  if (value.startsWith('*')) {
    const suffix = value.slice(1);
    return prefix === '' ? { suffix } : { safeRegex: { regex: `${prefix}.*${quoteRegex(suffix)}` } };
  }
  if (value.endsWith('*')) return { prefix: prefix + value.slice(0, -1) };
  return { exact: prefix + value };
}

/** A header compared by Istio's value syntax; `*` asks for its presence. */
export function headerMatcher(name: string, value: string): types.route.HeaderMatcher {
  return value === '*' ? { name, presentMatch: true } : { name, stringMatch: stringMatcher(value) };
}

/** A host, without regard to case. */
export function hostMatcher(value: string): types.route.HeaderMatcher {
  const name = ':authority';
  return value === '*'
    ? { name, presentMatch: true }
    : { name, stringMatch: { ...stringMatcher(value), ignoreCase: true } };
}

/** Escapes what RE2 would take as syntax. */
export function quoteRegex(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

/** `text` as a regular expression in which `*` stands for anything. */
export function wildcardRegex(text: string): string {
  return text.split('*').map(quoteRegex).join('.*');
}

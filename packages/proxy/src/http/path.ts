/** Path normalisation as Envoy does it before anything looks at a path. */
import type { HcmProgram } from '../program/types.ts';

export interface PathResult {
  /** As far as it was normalised. */
  readonly path: string;
  /** `redirect`: the client is sent to `path`. */
  readonly verdict: 'ok' | 'reject' | 'redirect';
}

/** Characters that a canonical path has as escapes. */
const ESCAPED = /["<>^`{|}]/g;
const ESCAPED_SLASH = /%2f|%5c/i;
/** A dot segment that carries parameters, which Java's servers take for the dot segment alone. */
const DOTS_WITH_PARAMETERS = /(\/\.\.?);[^/]*/g;
/** Anything that normalisation could change. */
const PLAIN = /^(?:\/[\w!$&'()*+,;=:@~-][\w!$&'()*+,;=:@~.-]*)*\/?$/;

/** True when `path` needs no look by `normalizePath`, whatever the options. */
export function isPlainPath(path: string): boolean {
  return PLAIN.test(path);
}

/** `path` with its query, as it came. */
export function normalizePath(path: string, options: HcmProgram): PathResult {
  if (path.includes('#')) return { path, verdict: 'reject' };
  const mark = path.indexOf('?');
  const query = mark < 0 ? '' : path.slice(mark);
  let plain = mark < 0 ? path : path.slice(0, mark);
  let redirect = false;
  if (options.escapedSlashes !== 'KEEP_UNCHANGED' && ESCAPED_SLASH.test(plain)) {
    redirect = options.escapedSlashes === 'UNESCAPE_AND_REDIRECT';
    plain = plain.replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\');
    if (options.escapedSlashes === 'REJECT_REQUEST') return { path: plain + query, verdict: 'reject' };
  }
  if (options.normalizePath) {
    const canonical = canonicalPath(plain);
    if (canonical === undefined) return { path: plain + query, verdict: 'reject' };
    plain = canonical;
  }
  // Envoy splits and joins: a path of nothing but slashes keeps the first and the last.
  if (options.mergeSlashes && plain.includes('//'))
    plain = /^\/+$/.test(plain) ? '//' : plain.replaceAll(/\/{2,}/g, '/');
  return { path: plain + query, verdict: redirect ? 'redirect' : 'ok' };
}

/**
 * RFC 3986 normalisation: dot segments resolved, backslashes are slashes, percent-escapes of unreserved characters
 * undone. Dot segments lose their parameters before that (`/..;x/`), so not where dots or slashes come as something else.
 * Undefined when the path is not valid.
 */
export function canonicalPath(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  let text = path.includes(';') ? path.replaceAll(DOTS_WITH_PARAMETERS, '$1') : path;
  if (text.includes('\\')) text = text.replaceAll('\\', '/');
  if (text.includes('%')) {
    let valid = true;
    text = text.replaceAll(/%([0-9A-Fa-f]{2})?/g, (escape, digits: string | undefined) => {
      if (digits === undefined) return escape;
      const code = Number.parseInt(digits, 16);
      if (code === 0) valid = false;
      const char = String.fromCharCode(code);
      return /[A-Za-z0-9\-._~]/.test(char) ? char : escape;
    });
    if (!valid) return undefined;
  }
  text = text.replaceAll(ESCAPED, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  if (!text.includes('/.')) return text;
  const out: string[] = [];
  const segments = text.slice(1).split('/');
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]!;
    const last = i === segments.length - 1;
    if (segment === '.') {
      if (last) out.push('');
    } else if (segment === '..') {
      out.pop();
      if (last) out.push('');
    } else {
      out.push(segment);
    }
  }
  return `/${out.join('/')}`;
}

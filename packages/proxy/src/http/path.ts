/** Path normalisation as Envoy does it before anything looks at a path. */
import type { HcmProgram } from '../program/types.ts';

export type PathResult =
  /** Possibly changed. */
  | { readonly path: string }
  | { readonly reject: true }
  /** The client is sent to this path. */
  | { readonly redirect: string };

const REJECT: PathResult = { reject: true };
const ESCAPED_SLASH = /%2f|%5c/i;
/** Anything that normalisation could change. */
const PLAIN = /^(?:\/[\w!$&'()*+,;=:@~-][\w!$&'()*+,;=:@~.-]*)*\/?$/;

/** True when `path` needs no look by `normalizePath`, whatever the options. */
export function isPlainPath(path: string): boolean {
  return PLAIN.test(path);
}

/** `path` with its query, as it came. */
export function normalizePath(path: string, options: HcmProgram): PathResult {
  if (path.includes('#')) return REJECT;
  const mark = path.indexOf('?');
  const query = mark < 0 ? '' : path.slice(mark);
  let plain = mark < 0 ? path : path.slice(0, mark);
  let redirect = false;
  if (options.escapedSlashes !== 'KEEP_UNCHANGED' && ESCAPED_SLASH.test(plain)) {
    if (options.escapedSlashes === 'REJECT_REQUEST') return REJECT;
    redirect = options.escapedSlashes === 'UNESCAPE_AND_REDIRECT';
    plain = plain.replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\');
  }
  if (options.normalizePath) {
    const canonical = canonicalPath(plain);
    if (canonical === undefined) return REJECT;
    plain = canonical;
  }
  if (options.mergeSlashes && plain.includes('//')) plain = plain.replaceAll(/\/{2,}/g, '/');
  return redirect ? { redirect: plain + query } : { path: plain + query };
}

/**
 * RFC 3986 normalisation: dot segments resolved, backslashes are slashes, percent-escapes of unreserved characters
 * undone. Undefined when the path is not valid.
 */
export function canonicalPath(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  let text = path.includes('\\') ? path.replaceAll('\\', '/') : path;
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

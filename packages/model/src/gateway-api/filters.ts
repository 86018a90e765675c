import type { gwapi, networking } from '@mizzen/api';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Names are in lowercase; of several entries for one name the first counts. */
export function headerOperations({ set, add, remove }: gwapi.HeaderFilter): networking.Headers_HeaderOperations {
  return {
    ...(set === undefined || set.length === 0 ? {} : { set: toMap(set) }),
    ...(add === undefined || add.length === 0 ? {} : { add: toMap(add) }),
    ...(remove === undefined || remove.length === 0 ? {} : { remove }),
  };
}

function toMap(headers: readonly gwapi.NameValue[]): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const { name, value } of headers) out[name.toLowerCase()] ??= value;
  return out;
}

/** Marks, in `uri` of an HTTPRedirect, a replacement for the part of the path that matched. */
export const PREFIX_MARK = '%PREFIX()%';

export function redirect(filter: gwapi.RequestRedirect): networking.HTTPRedirect {
  const out: Mutable<networking.HTTPRedirect> = {};
  const { statusCode, hostname, scheme, port, path } = filter;
  if (statusCode !== undefined) out.redirectCode = statusCode;
  if (hostname !== undefined) out.authority = hostname;
  if (scheme !== undefined) out.scheme = scheme;
  if (port !== undefined) out.port = port;
  else out.derivePort = scheme === undefined ? 'FROM_REQUEST_PORT' : 'FROM_PROTOCOL_DEFAULT';
  if (path?.type === 'ReplaceFullPath') out.uri = path.replaceFullPath ?? '';
  else if (path?.type === 'ReplacePrefixMatch') out.uri = `${PREFIX_MARK}${path.replacePrefixMatch ?? ''}`;
  return out;
}

/** Undefined when nothing is to be changed. `/` in place of a prefix takes it away. */
export function rewrite({ hostname, path }: gwapi.URLRewrite): networking.HTTPRewrite | undefined {
  const out: Mutable<networking.HTTPRewrite> = {};
  if (path?.type === 'ReplacePrefixMatch') {
    const uri = (path.replacePrefixMatch ?? '').replace(/\/$/, '');
    out.uri = uri === '' ? '/' : uri;
  } else if (path?.type === 'ReplaceFullPath') {
    out.uriRegexRewrite = { match: '/.*', rewrite: path.replaceFullPath ?? '' };
  }
  if (hostname !== undefined && hostname !== '') out.authority = hostname;
  return Object.keys(out).length === 0 ? undefined : out;
}

export function mirrorShare({ percent, fraction }: gwapi.RequestMirror): { readonly percentage?: networking.Percent } {
  if (fraction !== undefined) {
    return { percentage: { value: (100 * fraction.numerator) / (fraction.denominator ?? 100) } };
  }
  return percent === undefined ? {} : { percentage: { value: percent } };
}

export function corsPolicy(filter: gwapi.CORSFilter): networking.CorsPolicy {
  const { allowOrigins = [], allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge } = filter;
  return {
    ...(allowOrigins.length === 0 ? {} : { allowOrigins: allowOrigins.map(originMatch) }),
    ...(allowCredentials === true ? { allowCredentials } : {}),
    ...(allowMethods === undefined ? {} : { allowMethods }),
    ...(allowHeaders === undefined ? {} : { allowHeaders }),
    ...(exposeHeaders === undefined ? {} : { exposeHeaders }),
    ...(maxAge === undefined || maxAge <= 0 ? {} : { maxAge: `${maxAge}s` }),
    unmatchedPreflights: 'IGNORE',
  };
}

/** Any origin: a scheme (RFC 3986, section 3.1) and an authority. */
const ANY_ORIGIN = String.raw`^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$`;

function originMatch(origin: string): networking.StringMatch {
  if (origin === '*') return { regex: ANY_ORIGIN };
  if (!origin.includes('*')) return { exact: origin };
  const escaped = origin.split('*').map((part) => part.replaceAll(/[\\.+?()|[\]{}^$]/g, String.raw`\$&`));
  return { regex: `^${escaped.join('.*')}$` };
}

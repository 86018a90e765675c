import type { types } from '@mizzen/xds';
import type { RequestHead, StreamInfo } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { pathOnly } from '../match/query.ts';
import type { Path } from '../path.ts';
import { wire } from '../values.ts';
import type { PathMatch } from './match.ts';
import { compilePathRewrite } from './rewrite.ts';

export interface Redirect {
  readonly status: number;
  /** The request's path as the redirect rewrites it; undefined: as it is. */
  readonly rewrite: ((request: RequestHead, info: StreamInfo) => string | undefined) | undefined;
  /** The request itself keeps its path. */
  readonly keepsPath: boolean;
  /** `path` is the request's after the rewrite. */
  location(request: RequestHead, path: string): string;
}

const STATUS = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
} as const;

export function compileRedirect(
  context: CompileContext,
  action: types.route.RedirectAction,
  match: PathMatch,
  at: Path,
): Redirect {
  const scheme =
    action.schemeRedirect !== undefined && action.schemeRedirect !== ''
      ? action.schemeRedirect
      : action.httpsRedirect === true
        ? 'https'
        : undefined;
  const port = action.portRedirect === undefined || action.portRedirect === 0 ? '' : `:${action.portRedirect}`;
  const host = wire(action.hostRedirect ?? '');
  const pathRedirect = wire(action.pathRedirect ?? '');
  const rewrite = compilePathRewrite(
    context,
    { prefixRewrite: action.prefixRewrite, regexRewrite: action.regexRewrite, pathRewrite: action.pathRewrite },
    match,
    at,
  );
  const hasQuery = pathRedirect.includes('?');
  const strip = action.stripQuery === true;
  const made = (action.pathRewrite ?? '') !== '';
  return {
    status: STATUS[action.responseCode ?? 'MOVED_PERMANENTLY'],
    keepsPath: made,
    rewrite:
      rewrite === undefined
        ? undefined
        : !made
          ? (request, info) => rewrite(request.path, { info, request })
          : (request, info) => {
              const only = pathOnly(request.path);
              const path = rewrite(only, { info, request });
              // A query that a format has made is the only one.
              return path === undefined || strip || path.includes('?') ? path : path + request.path.slice(only.length);
            },
    location: (request, path) => {
      const toScheme = scheme ?? request.scheme;
      const toHost = host === '' ? requestHost(request, toScheme, port) : host;
      let target = path;
      if (pathRedirect !== '') {
        const query = hasQuery ? -1 : target.indexOf('?');
        target = query < 0 ? pathRedirect : pathRedirect + target.slice(query);
      }
      if (!target.startsWith('/')) target = `/${target}`;
      // What a format has made is left as it is.
      if (strip && !hasQuery && !(made && path !== request.path)) {
        const query = target.indexOf('?');
        if (query >= 0) target = target.slice(0, query);
      }
      return `${toScheme}://${toHost}${port}${target}`;
    },
  };
}

/** The host as it was asked for; its port goes when another is given, or when it was the default of the scheme left. */
function requestHost(request: RequestHead, toScheme: string, toPort: string): string {
  const host = request.authority;
  if (host === '') return host;
  const bracket = host.startsWith('[') ? host.lastIndexOf(']:') : -2;
  const colon = bracket === -2 ? host.lastIndexOf(':') : bracket < 0 ? -1 : bracket + 1;
  if (colon < 0) return host;
  const proto = request.headers.get('x-forwarded-proto') ?? request.scheme;
  const port = host.slice(colon);
  const drop =
    toPort !== '' ||
    (toScheme !== proto && ((proto === 'https' && port === ':443') || (proto === 'http' && port === ':80')));
  return drop ? host.slice(0, colon) : host;
}

/** Where a request was sent to, which is what a direct response that is a redirect, or says 201, names. */
export function ownLocation(request: RequestHead): string {
  const { path } = request;
  return `${request.scheme}://${requestHost(request, request.scheme, '')}${path.startsWith('/') ? path : `/${path}`}`;
}

/** What `requireTls` answers plain requests with: the host as it was asked for, with whatever port. */
export function httpsRedirect(request: RequestHead): string {
  return `https://${request.authority}${request.path}`;
}

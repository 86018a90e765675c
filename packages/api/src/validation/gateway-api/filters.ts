import { didYouMean } from '@mizzen/diagnostics';
import type { Path } from '@mizzen/diagnostics';
import type {
  HTTPRouteFilter,
  HTTPRouteMatch,
  HeaderFilter,
  PathModifier,
  RequestMirror,
  RequestRedirect,
} from '../../gateway-api.ts';
import { checkPort } from '../checks/numbers.ts';
import { checkHeaderName } from '../checks/text.ts';
import { BAD_VALUE, CONFLICT, DUPLICATE, NOT_ALLOWED, OUT_OF_RANGE, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { checkBackendRef } from './backend-ref.ts';
import { checkHostname } from './hostnames.ts';
import { requireAll } from './required.ts';

/** Type of a filter → its field. */
const FIELDS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
} as const;
/** Types that the Gateway API has and Istio does not implement: it leaves out the whole route. */
const REFUSED: Readonly<Record<string, string>> = {
  ExtensionRef: 'Istio has no filter of its own to refer to',
  ExternalAuth: 'use an AuthorizationPolicy with `action: CUSTOM`',
};
const ON_BACKENDS: readonly string[] = ['RequestHeaderModifier', 'ResponseHeaderModifier'];
const REDIRECT_CODES = [301, 302, 303, 307, 308];

/** `matches`: of the rule they belong to. */
export function checkFilters(
  report: Report,
  path: Path,
  filters: readonly HTTPRouteFilter[],
  matches: readonly HTTPRouteMatch[],
  onBackend = false,
): void {
  const types = new Set<string>();
  filters.forEach((filter, index) => {
    const at = [...path, index];
    const { type } = filter;
    if (!requireAll(report, at, filter, 'a filter', 'type')) return;
    if (Object.hasOwn(REFUSED, type)) {
      report.error(
        NOT_ALLOWED,
        [...at, 'type'],
        `filter \`${type}\` is not supported, by Istio neither`,
        REFUSED[type],
      );
      return;
    }
    if (!Object.hasOwn(FIELDS, type)) {
      const guess = didYouMean(type, Object.keys(FIELDS));
      const help = guess === undefined ? `one of ${Object.keys(FIELDS).join(', ')}` : `did you mean \`${guess}\`?`;
      report.error(BAD_VALUE, [...at, 'type'], `\`${type}\` is not a type of filter`, help);
      return;
    }
    if (onBackend && !ON_BACKENDS.includes(type)) {
      const message = `filter \`${type}\` is not supported for one backend, by Istio neither`;
      report.error(NOT_ALLOWED, [...at, 'type'], message, 'use it as a filter of the rule');
      return;
    }
    if (types.has(type) && type !== 'RequestMirror') {
      report.error(DUPLICATE, [...at, 'type'], `filter \`${type}\` can be there only once`);
    }
    types.add(type);
    const field = FIELDS[type as keyof typeof FIELDS];
    for (const other of Object.values(FIELDS)) {
      if (other === field || filter[other] === undefined) continue;
      report.error(CONFLICT, [...at, other], `a filter of type \`${type}\` cannot have \`${other}\``, undefined, 'key');
    }
    if (filter[field] === undefined) report.error(REQUIRED, at, `a filter of type \`${type}\` needs \`${field}\``);
    else checkFilter(report, [...at, field], filter, matches);
  });
  if (types.has('RequestRedirect') && types.has('URLRewrite')) {
    report.error(CONFLICT, path, 'a rule either redirects or rewrites', undefined, 'key');
  }
}

function checkFilter(report: Report, path: Path, filter: HTTPRouteFilter, matches: readonly HTTPRouteMatch[]): void {
  const { requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite, cors } = filter;
  if (requestHeaderModifier) checkHeaders(report, path, requestHeaderModifier);
  if (responseHeaderModifier) checkHeaders(report, path, responseHeaderModifier);
  if (requestMirror) checkMirror(report, path, requestMirror);
  if (requestRedirect) checkRedirect(report, path, requestRedirect, matches);
  if (urlRewrite) {
    if (urlRewrite.hostname !== undefined) checkHostname(report, [...path, 'hostname'], urlRewrite.hostname);
    if (urlRewrite.path) checkModifier(report, [...path, 'path'], urlRewrite.path, matches);
  }
  if (cors?.maxAge !== undefined && cors.maxAge < 1) {
    report.error(OUT_OF_RANGE, [...path, 'maxAge'], '`maxAge` is at least 1 second');
  }
}

function checkHeaders(report: Report, path: Path, { set = [], add = [], remove = [] }: HeaderFilter): void {
  for (const [field, list] of [
    ['set', set],
    ['add', add],
  ] as const) {
    list.forEach((header, index) => {
      const at = [...path, field, index];
      if (requireAll(report, at, header, 'a header', 'name')) checkHeaderName(report, [...at, 'name'], header.name);
      if ((header as Partial<typeof header>).value === undefined)
        report.error(REQUIRED, at, 'a header needs a `value`');
    });
  }
  remove.forEach((name, index) => checkHeaderName(report, [...path, 'remove', index], name));
}

function checkMirror(report: Report, path: Path, mirror: RequestMirror): void {
  const { percent, fraction } = mirror;
  // The types say what a valid resource has; this one may lack it.
  const backend = mirror.backendRef as RequestMirror['backendRef'] | undefined;
  if (backend === undefined) report.error(REQUIRED, path, 'a mirror needs a `backendRef`');
  else checkBackendRef(report, [...path, 'backendRef'], backend);
  if (percent !== undefined && fraction !== undefined) {
    report.error(CONFLICT, [...path, 'fraction'], 'only one of `percent` and `fraction` can be set', undefined, 'key');
  }
  if (percent !== undefined && (percent < 0 || percent > 100)) {
    report.error(OUT_OF_RANGE, [...path, 'percent'], `\`${percent}\` is not a percentage between 0 and 100`);
  }
  if (fraction === undefined) return;
  if (!requireAll(report, [...path, 'fraction'], fraction, 'a `fraction`', 'numerator')) return;
  const { numerator, denominator = 100 } = fraction;
  if (denominator < 1 || numerator < 0 || numerator > denominator) {
    report.error(OUT_OF_RANGE, [...path, 'fraction'], `\`${numerator}/${denominator}\` is not between 0 and 1`);
  }
}

function checkRedirect(
  report: Report,
  path: Path,
  { hostname, port, statusCode, path: modifier }: RequestRedirect,
  matches: readonly HTTPRouteMatch[],
): void {
  if (hostname !== undefined) checkHostname(report, [...path, 'hostname'], hostname);
  if (port !== undefined) checkPort(report, [...path, 'port'], port);
  if (statusCode !== undefined && !REDIRECT_CODES.includes(statusCode)) {
    const message = `\`${statusCode}\` is not a status of a redirect`;
    report.error(BAD_VALUE, [...path, 'statusCode'], message, `one of ${REDIRECT_CODES.join(', ')}`);
  }
  if (modifier) checkModifier(report, [...path, 'path'], modifier, matches);
}

function checkModifier(report: Report, path: Path, modifier: PathModifier, matches: readonly HTTPRouteMatch[]): void {
  if (!requireAll(report, path, modifier, 'a `path` of a filter', 'type')) return;
  const { type } = modifier;
  const field = type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  const other = type === 'ReplaceFullPath' ? 'replacePrefixMatch' : 'replaceFullPath';
  if (modifier[field] === undefined) report.error(REQUIRED, path, `\`${type}\` needs \`${field}\``);
  if (modifier[other] !== undefined) {
    report.error(CONFLICT, [...path, other], `\`${other}\` does not go with \`${type}\``, undefined, 'key');
  }
  const only = matches.length === 1 && (matches[0]?.path?.type ?? 'PathPrefix') === 'PathPrefix';
  if (type === 'ReplacePrefixMatch' && !only && matches.length > 0) {
    const help = 'use a rule of its own for each match';
    report.error(CONFLICT, [...path, 'type'], '`ReplacePrefixMatch` needs exactly one match, a `PathPrefix`', help);
  }
}

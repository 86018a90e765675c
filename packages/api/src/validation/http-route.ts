import type { Path } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import type {
  HTTPMatchRequest,
  HTTPRedirect,
  HTTPRetry,
  HTTPRewrite,
  HTTPRoute,
} from '../gen/istio.networking.v1alpha3.ts';
import { checkDestination, checkGatewayNames, checkWeightedDestinations } from './checks/destination.ts';
import { checkLabels } from './checks/labels.ts';
import { isDnsLabel } from './checks/names.ts';
import { checkDuration, checkPort } from './checks/numbers.ts';
import { HEADER_HELP, checkMatchRegex, checkRegex, checkStringMatch, isHeaderName } from './checks/text.ts';
import { checkCors } from './cors.ts';
import { checkFault, checkHttpStatus } from './fault.ts';
import { checkAuthority, checkHeaderOperations } from './header-operations.ts';
import {
  BAD_NAME,
  BAD_VALUE,
  CONFLICT,
  DEPRECATED,
  NOT_ALLOWED,
  OUT_OF_RANGE,
  REQUIRED,
  SUSPICIOUS,
} from './report.ts';
import type { Report } from './report.ts';

// An import of node:http would load undici too (to re-export its WebSocket), which every start would wait for.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

export function checkHttpRoute(report: Report, path: Path, route: HTTPRoute, isDelegate: boolean): void {
  checkCombination(report, path, route, isDelegate);
  route.match?.forEach((match, index) => checkMatch(report, [...path, 'match', index], match));
  checkHeaderOperations(report, [...path, 'headers'], route.headers);
  checkCors(report, [...path, 'corsPolicy'], route.corsPolicy);
  checkFault(report, [...path, 'fault'], route.fault);
  checkMirroring(report, path, route);
  if (route.redirect) checkRedirect(report, [...path, 'redirect'], route.redirect);
  if (route.directResponse) checkDirectResponse(report, [...path, 'directResponse'], route.directResponse);
  if (route.retries) checkRetries(report, [...path, 'retries'], route.retries);
  if (route.rewrite) checkRewrite(report, [...path, 'rewrite'], route.rewrite);
  checkAuthority(report, path, route.rewrite, route.headers);
  route.route?.forEach(({ headers }, i) => checkHeaderOperations(report, [...path, 'route', i, 'headers'], headers));
  checkWeightedDestinations(report, [...path, 'route'], route.route);
  checkDuration(report, [...path, 'timeout'], route.timeout);
}

/** A route ends in one place: destinations, a redirect, a response, or another VirtualService. */
function checkCombination(report: Report, path: Path, route: HTTPRoute, isDelegate: boolean): void {
  if (!isDelegate && route.delegate) {
    for (const field of ['redirect', 'route'] as const) {
      if (route[field] === undefined) continue;
      report.error(
        CONFLICT,
        [...path, field],
        `a route with a \`delegate\` cannot have a \`${field}\``,
        undefined,
        'key',
      );
    }
    return;
  }
  if (route.delegate) {
    report.error(NOT_ALLOWED, [...path, 'delegate'], 'a delegate cannot delegate again', undefined, 'key');
  }
  const end = route.redirect ? 'redirect' : route.directResponse ? 'directResponse' : undefined;
  if (end) {
    for (const field of ['route', 'fault', 'rewrite', 'directResponse'] as const) {
      const given = field === 'route' ? (route.route?.length ?? 0) > 0 : route[field] !== undefined;
      if (field === end || !given) continue;
      report.error(
        CONFLICT,
        [...path, field],
        `a route with a \`${end}\` cannot have a \`${field}\``,
        undefined,
        'key',
      );
    }
  } else if (!route.route?.length) {
    report.error(REQUIRED, path, 'a route needs a `route`, a `redirect` or a `directResponse`');
  }
  if (route.mirror && route.mirrors?.length) {
    report.error(CONFLICT, [...path, 'mirrors'], '`mirror` and `mirrors` cannot both be set', undefined, 'key');
  }
}

/** `@request.auth.claims.NAME` or `@request.auth.claims[NAME][NAME]`: a claim of the request's token. */
const CLAIM = /^@request\.auth\.claims(?:\.[^.].*|(?:\[[^\]]+\])+)$/;

function checkMatch(report: Report, path: Path, match: HTTPMatchRequest): void {
  for (const field of ['headers', 'withoutHeaders'] as const) {
    for (const [name, header] of Object.entries(match[field] ?? {})) {
      const at = [...path, field, name];
      if (name === '' || (!isHeaderName(name) && !CLAIM.test(name))) {
        const message = name === '' ? 'a header name cannot be empty' : `\`${name}\` is not a valid header name`;
        report.error(BAD_NAME, at, message, HEADER_HELP, 'key');
      }
      // `*` alone means that the header is there.
      if (field === 'headers' || header?.regex !== '*') checkStringMatch(report, at, header);
    }
  }
  checkMatchRegex(report, [...path, 'uri'], match.uri);
  checkStringMatch(report, [...path, 'scheme'], match.scheme);
  checkStringMatch(report, [...path, 'method'], match.method);
  checkStringMatch(report, [...path, 'authority'], match.authority);
  for (const [name, value] of Object.entries(match.queryParams ?? {})) {
    checkStringMatch(report, [...path, 'queryParams', name], value);
  }
  if (match.port) checkPort(report, [...path, 'port'], match.port);
  checkLabels(report, [...path, 'sourceLabels'], match.sourceLabels);
  checkGatewayNames(report, [...path, 'gateways'], match.gateways);
  if (match.sourceNamespace && !isDnsLabel(match.sourceNamespace)) {
    report.error(BAD_NAME, [...path, 'sourceNamespace'], `\`${match.sourceNamespace}\` is not a namespace`);
  }
}

function checkMirroring(report: Report, path: Path, route: HTTPRoute): void {
  const percent = (at: Path, value: number): void => {
    if (value < 0 || value > 100) report.error(OUT_OF_RANGE, at, `\`${value}\` is not a percentage between 0 and 100`);
  };
  if (route.mirrorPercent !== undefined) {
    const at = [...path, 'mirrorPercent'];
    percent(at, route.mirrorPercent);
    report.warn(DEPRECATED, at, '`mirrorPercent` is deprecated', 'use `mirrorPercentage`', 'key');
  }
  percent([...path, 'mirrorPercentage', 'value'], route.mirrorPercentage?.value ?? 0);
  checkDestination(report, [...path, 'mirror'], route.mirror);
  route.mirrors?.forEach(({ destination, percentage }, index) => {
    const at = [...path, 'mirrors', index];
    if (!destination) report.error(REQUIRED, at, 'a mirror needs a `destination`');
    checkDestination(report, [...at, 'destination'], destination);
    percent([...at, 'percentage', 'value'], percentage?.value ?? 0);
  });
}

function checkRedirect(report: Report, path: Path, redirect: HTTPRedirect): void {
  const { uri, authority, scheme, port, derivePort, redirectCode } = redirect;
  if (!uri && !authority && !scheme && port === undefined && derivePort === undefined) {
    report.error(REQUIRED, path, 'a redirect must change something: `uri`, `authority`, `scheme` or `port`');
  }
  if (redirectCode && (redirectCode < 300 || redirectCode > 399)) {
    report.error(OUT_OF_RANGE, [...path, 'redirectCode'], `\`${redirectCode}\` is not the status of a redirect (3xx)`);
  }
  if (scheme && scheme !== 'http' && scheme !== 'https') {
    report.error(BAD_VALUE, [...path, 'scheme'], `\`${scheme}\` is not a scheme`, 'one of `http`, `https`');
  }
  if (port) checkPort(report, [...path, 'port'], port);
}

function checkDirectResponse(report: Report, path: Path, response: NonNullable<HTTPRoute['directResponse']>): void {
  checkHttpStatus(report, [...path, 'status'], response.status);
  const size = response.body?.string?.length ?? response.body?.bytes?.length ?? 0;
  if (size > 1024 * 1024) report.error(OUT_OF_RANGE, [...path, 'body'], 'the body must be less than 1 MB');
  else if (size > 100 * 1024) report.warn(SUSPICIOUS, [...path, 'body'], 'a body this large is sent to every proxy');
}

const RETRY_ON = new Set(
  (
    '5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream retriable-status-codes ' +
    'retriable-headers envoy-ratelimited http3-post-connect-failure ' +
    'cancelled deadline-exceeded internal resource-exhausted unavailable'
  ).split(' '),
);

function checkRetries(report: Report, path: Path, retries: HTTPRetry): void {
  const { attempts = 0, perTryTimeout, retryOn, retryRemoteLocalities, backoff } = retries;
  if (attempts < 0) report.error(OUT_OF_RANGE, [...path, 'attempts'], '`attempts` cannot be negative');
  if (attempts === 0 && (perTryTimeout !== undefined || retryOn || retryRemoteLocalities !== undefined)) {
    report.error(CONFLICT, path, '`attempts` is 0, which switches retries off; the other settings cannot be set');
  }
  checkDuration(report, [...path, 'perTryTimeout'], perTryTimeout);
  checkDuration(report, [...path, 'backoff'], backoff);
  for (const condition of retryOn ? retryOn.split(',') : []) {
    if (RETRY_ON.has(condition) || condition in STATUS_CODES) continue;
    const guess =
      didYouMean(condition.trim(), RETRY_ON) ?? (RETRY_ON.has(condition.trim()) ? condition.trim() : undefined);
    const help = guess ? `did you mean \`${guess}\`?` : undefined;
    report.error(BAD_VALUE, [...path, 'retryOn'], `\`${condition}\` is not a condition to retry on`, help);
  }
}

function checkRewrite(report: Report, path: Path, rewrite: HTTPRewrite): void {
  const { uri, uriRegexRewrite, authority } = rewrite;
  if (uri && uriRegexRewrite) {
    report.error(CONFLICT, [...path, 'uriRegexRewrite'], '`uri` and `uriRegexRewrite` cannot both be set');
  } else if (!uri && !uriRegexRewrite && !authority) {
    report.error(REQUIRED, path, 'a rewrite must change something: `uri`, `uriRegexRewrite` or `authority`');
  } else if (uriRegexRewrite) {
    const at = [...path, 'uriRegexRewrite'];
    const { match, rewrite: replacement } = uriRegexRewrite;
    if (!match || !replacement) report.error(REQUIRED, at, '`uriRegexRewrite` needs both `match` and `rewrite`');
    else checkRegex(report, [...at, 'match'], match);
  }
}

import type { Path } from '@mizzen/diagnostics';
import type { CorsPolicy } from '../gen/istio.networking.v1alpha3.ts';
import { checkHeaderName, checkMatchRegex } from './checks/text.ts';
import { checkDuration } from './checks/numbers.ts';
import { parseDuration } from './duration.ts';
import { BAD_VALUE, OUT_OF_RANGE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', '*']);

export function checkCors(report: Report, path: Path, policy: CorsPolicy | undefined): void {
  if (!policy) return;
  policy.allowOrigins?.forEach((origin, index) => {
    const at = [...path, 'allowOrigins', index];
    if (!origin.exact && !origin.prefix && !origin.regex) {
      report.error(REQUIRED, at, 'an allowed origin needs `exact`, `prefix` or `regex`');
    } else checkMatchRegex(report, at, origin);
  });
  policy.allowMethods?.forEach((method, index) => {
    if (METHODS.has(method)) return;
    report.error(BAD_VALUE, [...path, 'allowMethods', index], `\`${method}\` is not an HTTP method`);
  });
  for (const field of ['allowHeaders', 'exposeHeaders'] as const) {
    policy[field]?.forEach((name, index) => {
      if (name !== '*') checkHeaderName(report, [...path, field, index], name);
    });
  }
  checkDuration(report, [...path, 'maxAge'], policy.maxAge);
  if (policy.maxAge !== undefined && (parseDuration(policy.maxAge) ?? 0) % 1000 !== 0) {
    report.error(OUT_OF_RANGE, [...path, 'maxAge'], `\`maxAge\` counts whole seconds; \`${policy.maxAge}\` is not`);
  }
}

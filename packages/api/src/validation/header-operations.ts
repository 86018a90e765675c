import type { Path } from '@mizzen/diagnostics';
import type { HTTPRewrite, Headers } from '../gen/istio.networking.v1alpha3.ts';
import { checkHeaderValue } from './checks/text.ts';
import { BAD_NAME, CONFLICT, NOT_ALLOWED } from './report.ts';
import type { Report } from './report.ts';

/** Headers added, set and removed, on requests and responses. */
export function checkHeaderOperations(report: Report, path: Path, headers: Headers | undefined): void {
  for (const side of ['request', 'response'] as const) {
    const operations = headers?.[side];
    for (const operation of ['add', 'set'] as const) {
      for (const [name, value] of Object.entries(operations?.[operation] ?? {})) {
        const at = [...path, side, operation, name];
        // A request's authority may be changed; `checkAuthority` sees that it is changed once.
        checkName(report, at, name, side === 'request' && isAuthority(name), 'key');
        checkHeaderValue(report, at, value);
      }
    }
    operations?.remove?.forEach((name, i) => checkName(report, [...path, side, 'remove', i], name, false, 'value'));
  }
}

function checkName(report: Report, path: Path, name: string, authorityAllowed: boolean, at: 'key' | 'value'): void {
  if (name === '') report.error(BAD_NAME, path, 'a header name cannot be empty', undefined, at);
  else if (!authorityAllowed && (name.startsWith(':') || name.toLowerCase() === 'host')) {
    report.error(NOT_ALLOWED, path, `header \`${name}\` cannot be changed here`, undefined, at);
  }
}

function isAuthority(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === ':authority' || lower === 'host';
}

/** The authority can be rewritten, or set or added as a header: once. */
export function checkAuthority(
  report: Report,
  path: Path,
  rewrite: HTTPRewrite | undefined,
  headers: Headers | undefined,
): void {
  let current = rewrite?.authority ?? '';
  for (const operation of ['set', 'add'] as const) {
    for (const [name, value] of Object.entries(headers?.request?.[operation] ?? {})) {
      if (!isAuthority(name)) continue;
      if (current !== '') {
        const at = [...path, 'headers', 'request', operation, name];
        report.error(CONFLICT, at, `the authority is changed twice: to \`${current}\` and to \`${value}\``);
        return;
      }
      current = value;
    }
  }
}

import type { Path } from '@mizzen/diagnostics';
import { BAD_HOST } from '../report.ts';
import type { Report } from '../report.ts';
import { isIpAddress } from './addresses.ts';
import { isDnsLabel, isPartialWildcard, wildcardDomainProblem } from './names.ts';

/** `namespace/host`, where the namespace may be `*` or `.`; a Gateway also takes a host alone, a Sidecar also `~/`. */
export function checkNamespacedHost(report: Report, path: Path, text: string, of: 'gateway' | 'sidecar'): void {
  const slash = text.indexOf('/');
  if (slash < 0) {
    if (of === 'gateway') checkHost(report, path, text, of);
    else
      report.error(BAD_HOST, path, `\`${text}\` must be of the form \`namespace/host\``, `did you mean \`*/${text}\`?`);
    return;
  }
  const namespace = text.slice(0, slash);
  if (namespace === '' || slash === text.length - 1) {
    report.error(BAD_HOST, path, `neither part of \`${text}\` can be empty`, 'write `namespace/host`');
  }
  if (!isNamespace(namespace, of)) report.error(BAD_HOST, path, `\`${namespace}\` is not a namespace`);
  checkHost(report, path, text.slice(slash + 1), of);
}

function isNamespace(namespace: string, of: 'gateway' | 'sidecar'): boolean {
  if (namespace === '*' || namespace === '.' || isDnsLabel(namespace)) return true;
  // In a Sidecar, `~` is no namespace and `~name` all but that one.
  return of === 'sidecar' && (namespace === '~' || (namespace.startsWith('~') && isDnsLabel(namespace.slice(1))));
}

function checkHost(report: Report, path: Path, host: string, of: 'gateway' | 'sidecar'): void {
  if (host !== '*' && !host.includes('.')) {
    report.error(BAD_HOST, path, `\`${host}\` is a short name; only full names are allowed here`);
  }
  const problem = wildcardDomainProblem(host);
  if (problem !== undefined && !(of === 'gateway' && isIpAddress(host))) report.error(BAD_HOST, path, problem);
  if (isPartialWildcard(host)) {
    report.error(
      BAD_HOST,
      path,
      `\`${host}\` is not allowed: \`*\` must stand for a whole label`,
      'like `*.example.com`',
    );
  }
}

import type { Path } from '@mizzen/diagnostics';
import { isIpAddress } from '../checks/addresses.ts';
import { wildcardDomainProblem } from '../checks/names.ts';
import { BAD_HOST } from '../report.ts';
import type { Report } from '../report.ts';

const HOSTNAME = /^(?:\*\.)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** A name in lowercase, whose first label may be `*`; no port, no address. */
export function checkHostname(report: Report, path: Path, host: string): void {
  const problem = wildcardDomainProblem(host);
  if (isIpAddress(host)) report.error(BAD_HOST, path, `\`${host}\` is an address, not a name`);
  else if (host === '*') {
    report.error(BAD_HOST, path, '`*` alone is not a hostname here', 'leave the hostname out for all hosts');
  } else if (problem !== undefined) report.error(BAD_HOST, path, problem);
  else if (!HOSTNAME.test(host)) {
    const help = host === host.toLowerCase() ? undefined : 'write it in lowercase';
    report.error(BAD_HOST, path, `\`${host}\` is not a hostname`, help);
  }
}

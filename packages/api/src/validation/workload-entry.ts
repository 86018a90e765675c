import type { Path } from '@mizzen/diagnostics';
import type { WorkloadEntry } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { UNIX_PREFIX, checkUnixAddress, isIpAddress } from './checks/addresses.ts';
import { checkLabels } from './checks/labels.ts';
import { checkPortName, fqdnProblem } from './checks/names.ts';
import { checkPort } from './checks/numbers.ts';
import { BAD_ADDRESS, BAD_VALUE, CONFLICT, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';

export function checkWorkloadEntry({ spec }: Resource<WorkloadEntry>, report: Report): void {
  checkWorkload(report, ['spec'], spec, { names: true });
}

export interface WorkloadRules {
  /** Its address may be a domain name. */
  readonly names: boolean;
  /** The ports of the ServiceEntry it is an endpoint of, by name. */
  readonly servicePorts?: ReadonlySet<string>;
}

/** A WorkloadEntry, by itself or as an endpoint of a ServiceEntry. */
export function checkWorkload(report: Report, path: Path, entry: WorkloadEntry, rules: WorkloadRules): void {
  const { address = '', network, ports } = entry;
  if (address === '') {
    if (!network) {
      report.error(REQUIRED, path, 'an `address` is required');
      return;
    }
    report.warn(
      SUSPICIOUS,
      path,
      `there is no \`address\`; it is reached through the gateway of network \`${network}\``,
    );
  }
  if (address.startsWith(UNIX_PREFIX)) checkSocket(report, path, entry, address, rules);
  else if (address !== '' && !isIpAddress(address)) {
    if (!rules.names) report.error(BAD_ADDRESS, [...path, 'address'], `\`${address}\` is not an IP address`);
    else if (fqdnProblem(address) !== undefined) {
      const message = `\`${address}\` is neither a domain name nor an IP address`;
      report.error(BAD_ADDRESS, [...path, 'address'], message);
    }
  }
  checkEndpointPorts(report, [...path, 'ports'], ports, rules.servicePorts);
  checkLabels(report, [...path, 'labels'], entry.labels);
}

function checkSocket(report: Report, path: Path, entry: WorkloadEntry, address: string, rules: WorkloadRules): void {
  checkUnixAddress(report, [...path, 'address'], address.slice(UNIX_PREFIX.length));
  if (Object.keys(entry.ports ?? {}).length > 0) {
    report.error(CONFLICT, [...path, 'ports'], `a unix socket (\`${address}\`) has no \`ports\``);
  }
  if (rules.servicePorts && rules.servicePorts.size !== 1) {
    report.error(CONFLICT, [...path, 'address'], 'a unix socket can be the endpoint of exactly one service port');
  }
}

export function checkEndpointPorts(
  report: Report,
  path: Path,
  ports: WorkloadEntry['ports'],
  servicePorts: ReadonlySet<string> | undefined,
): void {
  for (const [name, port] of Object.entries(ports ?? {})) {
    const at = [...path, name];
    if (servicePorts && !servicePorts.has(name)) {
      const help = `its ports: ${[...servicePorts].map((p) => `\`${p}\``).join(', ') || 'none'}`;
      report.error(BAD_VALUE, at, `the ServiceEntry has no port named \`${name}\``, help, 'key');
    }
    checkPortName(report, at, name);
    checkPort(report, at, port);
  }
}

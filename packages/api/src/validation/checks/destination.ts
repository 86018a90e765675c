import type { Path } from '@mizzen/diagnostics';
import type { Destination } from '../../gen/istio.networking.v1alpha3.ts';
import { BAD_HOST, BAD_NAME, OUT_OF_RANGE, REQUIRED, SUSPICIOUS } from '../report.ts';
import type { Report } from '../report.ts';
import { checkFqdn, checkSubsetName, checkWildcardDomain, isDnsLabel } from './names.ts';
import { checkPort } from './numbers.ts';

export function checkDestination(report: Report, path: Path, destination: Destination | undefined): void {
  if (!destination) return;
  const { host = '', subset, port } = destination;
  if (host === '*') report.error(BAD_HOST, [...path, 'host'], 'a destination cannot be every host (`*`)');
  else checkWildcardDomain(report, [...path, 'host'], host);
  if (subset) checkSubsetName(report, [...path, 'subset'], subset);
  if (port) checkPort(report, [...path, 'port', 'number'], port.number);
}

interface Weighted {
  readonly destination?: Destination;
  readonly weight?: number;
}

export function checkWeightedDestinations(report: Report, path: Path, list: readonly Weighted[] | undefined): void {
  let total = 0;
  list?.forEach(({ destination, weight = 0 }, index) => {
    if (!destination) report.error(REQUIRED, [...path, index], 'a route needs a `destination`');
    checkDestination(report, [...path, index, 'destination'], destination);
    if (weight < 0) report.error(OUT_OF_RANGE, [...path, index, 'weight'], '`weight` cannot be negative');
    total += weight;
  });
  if (list && list.length > 1 && total === 0) {
    report.error(OUT_OF_RANGE, path, 'the weights of the destinations add up to 0', 'give each a `weight`');
  }
}

/** Names of gateways: `mesh`, `name`, `namespace/name`. */
export function checkGatewayNames(report: Report, path: Path, names: readonly string[] | undefined): void {
  for (const [index, name] of (names ?? []).entries()) {
    const at = [...path, index];
    const slash = name.indexOf('/');
    if (slash < 0) {
      const [first, second] = name.split('.');
      if (second !== undefined) {
        report.warn(SUSPICIOUS, at, `\`${name}\` names a gateway in an old format`, `write \`${second}/${first}\``);
      }
      checkFqdn(report, at, name);
      continue;
    }
    const namespace = name.slice(0, slash);
    const gateway = name.slice(slash + 1);
    if (!isDnsLabel(namespace)) report.error(BAD_NAME, at, `\`${namespace}\` is not a valid namespace`);
    if (!isDnsLabel(gateway)) report.error(BAD_NAME, at, `\`${gateway}\` is not a valid name of a gateway`);
  }
}

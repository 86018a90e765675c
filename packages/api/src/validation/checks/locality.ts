import type { Path } from '@mizzen/diagnostics';
import type { LocalityLoadBalancerSetting, OutlierDetection } from '../../gen/istio.networking.v1alpha3.ts';
import { BAD_VALUE, CONFLICT, DUPLICATE, NO_EFFECT, OUT_OF_RANGE } from '../report.ts';
import type { Report } from '../report.ts';

const TOPOLOGY = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

/** Localities are `region/zone/subzone`, the last of them perhaps `*`. */
export function checkLocality(
  report: Report,
  path: Path,
  setting: LocalityLoadBalancerSetting | undefined,
  outlier: OutlierDetection | undefined,
): void {
  if (!setting) return;
  const { distribute = [], failover = [], failoverPriority = [] } = setting;
  if (distribute.length > 0 && failover.length > 0) {
    report.error(CONFLICT, [...path, 'failover'], '`distribute` and `failover` cannot both be set');
    return;
  }
  const clash = failover.length > 0 ? failoverPriority.findIndex((label) => TOPOLOGY.includes(label)) : -1;
  if (clash >= 0) {
    const label = failoverPriority[clash];
    report.error(CONFLICT, [...path, 'failoverPriority', clash], `\`${label}\` cannot be used with \`failover\``);
    return;
  }
  checkDistribute(report, [...path, 'distribute'], distribute);
  if ((failover.length > 0 || failoverPriority.length > 0) && !outlier) {
    report.warn(NO_EFFECT, path, 'failover needs `outlierDetection`: without it no endpoint is ever found unhealthy');
  }
  failover.forEach(({ from = '', to = '' }, index) => {
    const at = [...path, 'failover', index];
    if (from === to) report.error(BAD_VALUE, at, `failover must lead to another region than \`${from}\``);
    for (const region of [from, to]) {
      if (region.includes('/')) report.error(BAD_VALUE, at, `failover is between regions: \`${region}\` says more`);
      if (region.includes('*')) report.error(BAD_VALUE, at, `\`*\` is not supported in failover regions`);
    }
  });
}

type Distribute = NonNullable<LocalityLoadBalancerSetting['distribute']>;

function checkDistribute(report: Report, path: Path, distribute: Distribute): void {
  distribute.forEach(({ to = {} }, index) => {
    const at = [...path, index, 'to'];
    let total = 0;
    for (const [locality, weight] of Object.entries(to)) {
      if (weight < 1 || weight > 100) {
        report.error(
          OUT_OF_RANGE,
          [...at, locality],
          `a locality's weight must be between 1 and 100, not \`${weight}\``,
        );
      }
      total += weight;
    }
    if (total !== 100) report.error(OUT_OF_RANGE, at, `the weights of the localities add up to ${total}, not 100`);
    checkLocalities(report, at, Object.keys(to));
  });
  checkLocalities(
    report,
    path,
    distribute.map(({ from = '' }) => from),
  );
}

function checkLocalities(report: Report, path: Path, localities: readonly string[]): void {
  const seen: string[][] = [];
  for (const locality of localities) {
    const star = locality.indexOf('*');
    const parts = locality.split('/');
    if (star >= 0 && star < locality.length - 1) {
      report.error(BAD_VALUE, path, `\`*\` must be the end of locality \`${locality}\``);
    } else if (parts.includes('')) {
      report.error(BAD_VALUE, path, `locality \`${locality}\` has an empty part`, 'write `region/zone/subzone`');
    } else {
      const kept = parts.filter((part) => part !== '*');
      // `*` after all others is what they leave over; after `*` nothing is left.
      const overlaps = seen.some((other) =>
        kept.length === 0 ? other.length === 0 : kept.every((part, i) => (other[i] ?? part) === part),
      );
      if (overlaps) report.error(DUPLICATE, path, `locality \`${locality}\` overlaps with one before it`);
      seen.push(kept);
      continue;
    }
    return;
  }
}

import type { Path } from '@mizzen/diagnostics';
import type { LoadBalancerSettings, OutlierDetection, TrafficPolicy } from '../../gen/istio.networking.v1alpha3.ts';
import { BAD_ADDRESS, BAD_VALUE, CONFLICT, DEPRECATED, OUT_OF_RANGE, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { isIpAddress } from './addresses.ts';
import { checkClientTls } from './client-tls.ts';
import { checkConnectionPool } from './connection-pool.ts';
import { checkLocality } from './locality.ts';
import { fqdnProblem } from './names.ts';
import { checkDuration, checkPercent, checkPort } from './numbers.ts';

const PER_PORT = ['outlierDetection', 'connectionPool', 'loadBalancer', 'tls'] as const;
const WHOLE = [...PER_PORT, 'portLevelSettings', 'tunnel', 'proxyProtocol', 'retryBudget'] as const;

export function checkTrafficPolicy(report: Report, path: Path, policy: TrafficPolicy | undefined): void {
  if (!policy) return;
  if (WHOLE.every((field) => policy[field] === undefined)) {
    report.error(REQUIRED, path, 'a traffic policy needs at least one field');
    return;
  }
  if (policy.tunnel && policy.proxyProtocol) {
    report.error(CONFLICT, [...path, 'proxyProtocol'], '`tunnel` and `proxyProtocol` cannot both be set');
    return;
  }
  checkCommon(report, path, policy);
  policy.portLevelSettings?.forEach((settings, index) => {
    const at = [...path, 'portLevelSettings', index];
    if (!settings.port) report.error(REQUIRED, at, 'port level settings need a `port`');
    if (PER_PORT.every((field) => settings[field] === undefined)) {
      report.error(REQUIRED, at, 'port level settings need at least one field besides `port`');
    } else checkCommon(report, at, settings);
  });
  if (policy.tunnel) checkTunnel(report, [...path, 'tunnel'], policy.tunnel);
  checkPercent(report, [...path, 'retryBudget', 'percent'], policy.retryBudget?.percent);
}

function checkCommon(report: Report, path: Path, policy: Pick<TrafficPolicy, (typeof PER_PORT)[number]>): void {
  checkOutlierDetection(report, [...path, 'outlierDetection'], policy.outlierDetection);
  checkConnectionPool(report, [...path, 'connectionPool'], policy.connectionPool);
  checkLoadBalancer(report, [...path, 'loadBalancer'], policy.loadBalancer, policy.outlierDetection);
  checkClientTls(report, [...path, 'tls'], policy.tls);
}

function checkTunnel(report: Report, path: Path, tunnel: NonNullable<TrafficPolicy['tunnel']>): void {
  const { protocol, targetHost = '', targetPort } = tunnel;
  if (protocol && protocol !== 'CONNECT' && protocol !== 'POST') {
    const help = 'one of `CONNECT`, `POST`';
    report.error(BAD_VALUE, [...path, 'protocol'], `\`${protocol}\` is not a tunnel protocol`, help);
  }
  if (fqdnProblem(targetHost) !== undefined && !isIpAddress(targetHost)) {
    const message = `\`${targetHost}\` is neither a domain name nor an IP address`;
    report.error(BAD_ADDRESS, [...path, 'targetHost'], message);
  }
  checkPort(report, [...path, 'targetPort'], targetPort);
}

function checkOutlierDetection(report: Report, path: Path, outlier: OutlierDetection | undefined): void {
  if (!outlier) return;
  checkDuration(report, [...path, 'baseEjectionTime'], outlier.baseEjectionTime);
  checkDuration(report, [...path, 'interval'], outlier.interval);
  if (outlier.consecutiveErrors) {
    const help = 'use `consecutiveGatewayErrors` or `consecutive5xxErrors`';
    report.warn(DEPRECATED, [...path, 'consecutiveErrors'], '`consecutiveErrors` is deprecated', help, 'key');
  }
  if (!outlier.splitExternalLocalOriginErrors && (outlier.consecutiveLocalOriginFailures ?? 0) > 0) {
    report.error(
      CONFLICT,
      [...path, 'consecutiveLocalOriginFailures'],
      '`consecutiveLocalOriginFailures` counts only with `splitExternalLocalOriginErrors: true`',
    );
  }
  checkPercent(report, [...path, 'maxEjectionPercent'], outlier.maxEjectionPercent);
  checkPercent(report, [...path, 'minHealthPercent'], outlier.minHealthPercent);
  checkPercent(report, [...path, 'failurePercentageThreshold'], outlier.failurePercentageThreshold);
  outlier.outlierDetectionHttpErrorCodes?.forEach((status, index) => {
    if (status >= 100 && status <= 599) return;
    const at = [...path, 'outlierDetectionHttpErrorCodes', index];
    report.error(OUT_OF_RANGE, at, `\`${status}\` is not an HTTP status`);
  });
}

function checkLoadBalancer(
  report: Report,
  path: Path,
  settings: LoadBalancerSettings | undefined,
  outlier: OutlierDetection | undefined,
): void {
  if (!settings) return;
  if (settings.consistentHash) checkConsistentHash(report, [...path, 'consistentHash'], settings.consistentHash);
  checkLocality(report, [...path, 'localityLbSetting'], settings.localityLbSetting, outlier);
  checkDuration(report, [...path, 'warmupDurationSecs'], settings.warmupDurationSecs);
  const { warmup } = settings;
  if (!warmup) return;
  const at = [...path, 'warmup'];
  if (warmup.duration === undefined) report.error(REQUIRED, at, '`warmup` needs a `duration`');
  checkDuration(report, [...at, 'duration'], warmup.duration);
  checkPercent(report, [...at, 'minimumPercent'], warmup.minimumPercent);
  if (warmup.aggression !== undefined && warmup.aggression <= 0) {
    report.error(OUT_OF_RANGE, [...at, 'aggression'], '`aggression` must be greater than 0');
  }
}

type ConsistentHash = NonNullable<LoadBalancerSettings['consistentHash']>;

function checkConsistentHash(report: Report, path: Path, hash: ConsistentHash): void {
  if (hash.httpCookie && !hash.httpCookie.name)
    report.error(REQUIRED, [...path, 'httpCookie'], 'a cookie needs a `name`');
  if (Number(hash.minimumRingSize ?? 0) !== 0) {
    const at = [...path, 'minimumRingSize'];
    report.warn(DEPRECATED, at, '`minimumRingSize` is deprecated here', 'use `ringHash.minimumRingSize`', 'key');
    if (hash.ringHash ?? hash.maglev) {
      report.error(CONFLICT, at, '`minimumRingSize` cannot be set with `ringHash` or `maglev`');
    }
  }
  if (!hash.maglev) return;
  const size = Number(hash.maglev.tableSize ?? 0);
  const at = [...path, 'maglev', 'tableSize'];
  if (size >= 5_000_011) report.error(OUT_OF_RANGE, at, '`tableSize` must be less than 5000011');
  if (!isPrime(size)) report.error(OUT_OF_RANGE, at, `\`tableSize\` must be a prime number, which ${size} is not`);
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false;
  return true;
}

import type { PeerAuthentication } from '../gen/istio.security.v1beta1.ts';
import type { Resource } from '../resource.ts';
import { checkSelector } from './checks/labels.ts';
import { isPort } from './checks/numbers.ts';
import { CONFLICT, OUT_OF_RANGE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

export function checkPeerAuthentication({ spec }: Resource<PeerAuthentication>, report: Report): void {
  const { selector, portLevelMtls } = spec;
  const path = ['spec', 'portLevelMtls'];
  const ports = Object.keys(portLevelMtls ?? {});
  if (ports.length > 0 && Object.keys(selector?.matchLabels ?? {}).length === 0) {
    report.error(CONFLICT, path, '`portLevelMtls` needs a `selector`: only a workload has ports', undefined, 'key');
  }
  if (portLevelMtls && ports.length === 0) report.error(REQUIRED, path, '`portLevelMtls` must not be empty');
  for (const port of ports) {
    if (/^\d+$/.test(port) && isPort(Number(port))) continue;
    report.error(OUT_OF_RANGE, [...path, port], `port \`${port}\` must be between 1 and 65535`, undefined, 'key');
  }
  if (selector)
    checkSelector(report, ['spec', 'selector', 'matchLabels'], selector.matchLabels, 'every workload in the namespace');
}

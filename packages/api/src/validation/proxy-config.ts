import type { ProxyConfig } from '../gen/istio.networking.v1beta1.ts';
import type { Resource } from '../resource.ts';
import { checkSelector } from './checks/labels.ts';
import { checkNotNegative } from './checks/numbers.ts';
import type { Report } from './report.ts';

export function checkProxyConfig({ spec }: Resource<ProxyConfig>, report: Report): void {
  const everything = 'every workload in the namespace';
  if (spec.selector) checkSelector(report, ['spec', 'selector', 'matchLabels'], spec.selector.matchLabels, everything);
  checkNotNegative(report, ['spec'], spec, 'concurrency');
}

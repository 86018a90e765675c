import type { DestinationRule } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { checkExportTo, checkLabels, checkSelector } from './checks/labels.ts';
import { checkSubsetName, checkWildcardDomain } from './checks/names.ts';
import { checkTrafficPolicy } from './checks/traffic-policy.ts';
import { DUPLICATE } from './report.ts';
import type { Report } from './report.ts';

export function checkDestinationRule({ spec, metadata }: Resource<DestinationRule>, report: Report): void {
  checkWildcardDomain(report, ['spec', 'host'], spec.host ?? '');
  checkTrafficPolicy(report, ['spec', 'trafficPolicy'], spec.trafficPolicy);
  const names = new Set<string>();
  spec.subsets?.forEach(({ name = '', labels, trafficPolicy }, index) => {
    const path = ['spec', 'subsets', index];
    if (names.has(name)) report.error(DUPLICATE, [...path, 'name'], `there are two subsets \`${name}\``);
    names.add(name);
    checkSubsetName(report, [...path, 'name'], name);
    checkLabels(report, [...path, 'labels'], labels);
    checkTrafficPolicy(report, [...path, 'trafficPolicy'], trafficPolicy);
  });
  const { namespace } = metadata;
  checkExportTo(report, ['spec', 'exportTo'], spec.exportTo, {
    namespace,
    ownNamespaceOnly: spec.workloadSelector !== undefined,
  });
  if (spec.workloadSelector) {
    const everything = 'every client in the namespace';
    checkSelector(report, ['spec', 'workloadSelector', 'matchLabels'], spec.workloadSelector.matchLabels, everything);
  }
}

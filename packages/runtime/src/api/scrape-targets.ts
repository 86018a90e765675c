import type { LocalProxy } from '@mizzen/translator';
import type { ControlState } from '../control/control.ts';

/** What Prometheus' HTTP service discovery takes: addresses with the labels of all their metrics. */
export interface ScrapeTarget {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the metrics of every pod are to be had that has some. */
export function scrapeTargets({ pods }: ControlState): ScrapeTarget[] {
  return pods.flatMap(({ name, namespace, owner, labels, nodeMetadata }) => {
    const metrics = (nodeMetadata?.['MIZZEN'] as LocalProxy | undefined)?.metrics;
    if (metrics === undefined) return [];
    return [
      {
        targets: [`${metrics.address}:${metrics.port}`],
        labels: {
          namespace,
          pod: name,
          workload: owner.name,
          ...(labels['app'] === undefined ? {} : { app: labels['app'] }),
          ...(labels['version'] === undefined ? {} : { version: labels['version'] }),
        },
      },
    ];
  });
}

import type { LocalProxy } from '@mizzen/translator';
import { announcedMetrics } from '../kubelet/announced-metrics.ts';
import type { ControlState } from '../control/control.ts';

/** What Prometheus' HTTP service discovery takes: addresses with the labels of all their metrics. */
export interface ScrapeTarget {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the metrics of every pod are to be had that has some, and those of applications that are not among them. */
export function scrapeTargets({ pods, desired }: ControlState): ScrapeTarget[] {
  return pods.flatMap((pod) => {
    const { name, namespace, owner, labels, nodeMetadata } = pod;
    const metrics = (nodeMetadata?.['MIZZEN'] as LocalProxy | undefined)?.metrics;
    const common = {
      namespace,
      pod: name,
      workload: owner.name,
      ...(labels['app'] === undefined ? {} : { app: labels['app'] }),
      ...(labels['version'] === undefined ? {} : { version: labels['version'] }),
    };
    const own = metrics === undefined ? [] : [{ targets: [`${metrics.address}:${metrics.port}`], labels: common }];
    if (metrics?.application !== undefined) return own;
    const template = desired.find((each) => each.owner.namespace === owner.namespace && each.owner.name === owner.name);
    const announced = template && announcedMetrics(template.annotations);
    if (announced?.asked !== true) return own;
    const { port, path } = announced;
    const target = `127.0.0.1:${pod.applicationPorts[port] ?? port}`;
    return [...own, { targets: [target], labels: { ...common, __metrics_path__: path, endpoint: 'application' } }];
  });
}

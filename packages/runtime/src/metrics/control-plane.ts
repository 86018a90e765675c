import { ControlPlaneMetrics } from '@mizzen/control-plane';
import type { Clock, Root } from '@mizzen/control-plane';
import manifest from '../../package.json' with { type: 'json' };
import { addProcessMetrics } from './process-metrics.ts';

/** Prometheus' text format. */
export const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';

/** The metrics of a control plane and of the process that it is. */
export function controlPlaneMetrics(clock: Clock, root: Root): ControlPlaneMetrics {
  const metrics = new ControlPlaneMetrics({ clock, root, version: manifest.version });
  addProcessMetrics(metrics.registry);
  return metrics;
}

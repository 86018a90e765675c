import { controlPlane } from './control-plane-dashboard.ts';
import { mesh, service, workload } from './mesh-dashboards.ts';
import type { DashboardPlan } from './panel.ts';

export const DASHBOARDS: readonly DashboardPlan[] = [mesh, service, workload, controlPlane];

const SOURCE = { type: 'prometheus', uid: 'mizzen-prometheus' };

/** A dashboard as Grafana has it in files. */
export function dashboard({ uid, title, variables, panels }: DashboardPlan): object {
  return {
    uid,
    title: `Mizzen: ${title}`,
    tags: ['mizzen'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    templating: {
      list: variables.map(([name, query]) => ({
        name,
        type: 'query',
        datasource: SOURCE,
        query: { query, refId: name },
        refresh: 2,
        includeAll: true,
        multi: true,
        current: { text: 'All', value: '$__all' },
      })),
    },
    panels: panels.map(({ title: text, unit, kind = 'timeseries', queries }, i) => ({
      id: i + 1,
      type: kind,
      title: text,
      datasource: SOURCE,
      gridPos: { h: 8, w: 12, x: (i % 2) * 12, y: Math.trunc(i / 2) * 8 },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: queries.map(([expr, legendFormat], q) => ({
        refId: String.fromCharCode(65 + q),
        datasource: SOURCE,
        expr,
        legendFormat,
      })),
    })),
  };
}

export const DATA_SOURCE = (url: string): object => ({
  apiVersion: 1,
  datasources: [
    { name: 'Mizzen Prometheus', uid: SOURCE.uid, type: 'prometheus', access: 'proxy', url, isDefault: true },
  ],
});
export const PROVIDER = (path: string): object => ({
  apiVersion: 1,
  providers: [{ name: 'mizzen', folder: 'Mizzen', type: 'file', options: { path } }],
});

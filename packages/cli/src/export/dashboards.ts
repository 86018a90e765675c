import { controlPlane } from './control-plane-dashboard.ts';
import { mesh, service, workload } from './mesh-dashboards.ts';
import type { DashboardPlan } from './panel.ts';
import { SCRAPE_INTERVAL } from './rule.ts';

export const DASHBOARDS: readonly DashboardPlan[] = [mesh, service, workload, controlPlane];

const UID = 'mizzen-prometheus';
const NAME = 'Mizzen Prometheus';
/** Whichever Prometheus is chosen above the dashboard, so that it is of use in a Grafana that has another one. */
const SOURCE = { type: 'prometheus', uid: '${datasource}' };
const SOURCES = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  refresh: 1,
  current: { text: NAME, value: UID },
};

/** A dashboard as Grafana has it in files. */
export function dashboard({ uid, title, variables, panels }: DashboardPlan): object {
  return {
    uid,
    title: `Mizzen: ${title}`,
    tags: ['mizzen'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    templating: {
      list: [
        SOURCES,
        ...variables.map(([name, query]) => ({
          name,
          type: 'query',
          datasource: SOURCE,
          query: { query, refId: name },
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        })),
      ],
    },
    panels: panels.map(({ title: text, unit, kind = 'timeseries', queries, exemplars }, i) => ({
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
        ...(exemplars === true ? { exemplar: true } : {}),
      })),
    })),
  };
}

/** The console's page of the trace that an exemplar names. `$$`: in provisioning, `$` begins a variable of the environment. */
const TRACE = '/#/trace?id=$${__value.raw}';

/** `console`: where traces of exemplars are shown. */
export const DATA_SOURCE = (url: string, console: string): object => ({
  apiVersion: 1,
  datasources: [
    {
      name: NAME,
      uid: UID,
      type: 'prometheus',
      access: 'proxy',
      url,
      isDefault: true,
      jsonData: {
        httpMethod: 'POST',
        timeInterval: SCRAPE_INTERVAL,
        exemplarTraceIdDestinations: [{ name: 'trace_id', url: console + TRACE, urlDisplayLabel: 'Trace' }],
      },
    },
  ],
});
export const PROVIDER = (path: string): object => ({
  apiVersion: 1,
  providers: [{ name: 'mizzen', folder: 'Mizzen', type: 'file', options: { path } }],
});

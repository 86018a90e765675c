import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { dump } from 'js-yaml';
import { ApiFile } from '@mizzen/runtime/supervisor/api-file.ts';
import { DEFAULT_API_PORT, DEFAULT_CONSOLE_PORT } from '@mizzen/runtime/supervisor/options.ts';
import { type Command, type Invocation, text, UsageError } from '../command.ts';
import { DASHBOARDS, DATA_SOURCE, dashboard, PROVIDER } from '../export/dashboards.ts';
import { ALERTS } from '../export/alerts.ts';
import { RECORDING } from '../export/recording.ts';
import { JOBS, SCRAPE_INTERVAL } from '../export/rule.ts';
import { client, meshFlags } from '../running.ts';

const API = `http://127.0.0.1:${DEFAULT_API_PORT}`;
const CONSOLE = `http://127.0.0.1:${DEFAULT_CONSOLE_PORT}`;
const PROMETHEUS = 'http://127.0.0.1:9090';

/** Scrapes the control plane whose API is at `api`, and every pod of its mesh, whichever there are at that time. */
function scrapeConfiguration(api: string): object {
  const { protocol, host } = new URL(api);
  const fixed = (name: string, path: string): object => ({
    job_name: name,
    scheme: protocol.slice(0, -1),
    metrics_path: path,
    static_configs: [{ targets: [host] }],
  });
  return {
    global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
    rule_files: ['rules/*.yaml'],
    scrape_configs: [
      {
        job_name: JOBS.pods,
        metrics_path: '/stats/prometheus',
        http_sd_configs: [{ url: `${api}/api/prometheus/targets`, refresh_interval: '5s' }],
      },
      fixed(JOBS.controlPlane, '/metrics'),
      fixed(JOBS.workloads, '/metrics/workloads'),
    ],
  };
}

/** Files of somebody else with these names are left alone, and none is written, unless `--force` is set. */
function write({ out, err, values }: Invocation, files: Readonly<Record<string, string>>, folder: string): number {
  const others = Object.entries(files)
    .map(([name, content]) => ({ path: join(folder, name), content }))
    .filter(({ path, content }) => values.force !== true && existsSync(path) && !holds(path, content))
    .map(({ path }) => `\`${path}\``);
  if (others.length > 0) {
    err.write(`mizzen: ${others.join(', ')} would be overwritten\n  hint: name another directory, or add --force\n`);
    return 1;
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    } catch (error) {
      err.write(`mizzen: \`${path}\` cannot be written: ${(error as Error).message}\n`);
      return 1;
    }
    out.write(`${path}\n`);
  }
  return 0;
}

/** False also for what cannot be read. */
function holds(path: string, content: string): boolean {
  try {
    return readFileSync(path, 'utf8') === content;
  } catch {
    return false;
  }
}

const force = { type: 'boolean', help: 'overwrite files that are there already' } as const;

/** Of what is scraped or shown. @throws UsageError */
function checkUrl(url: string, flag: string): void {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new UsageError(`--${flag}: \`${url}\` is no http or https URL`);
}

function folderOf({ positionals }: Invocation): string {
  if (positionals.length > 1) throw new UsageError(`\`${positionals[1]}\`: one directory is enough`);
  return positionals[0] ?? '.';
}

const yaml = (value: object): string => dump(value, { lineWidth: 120, noRefs: true });

export const prometheus: Command = {
  name: 'export prometheus',
  usage: '[DIR]',
  summary: 'Writes what a Prometheus needs to watch the mesh: what to scrape, recording rules and alerts.',
  description: 'Pods are found by asking the API of the running mesh, so the files stay right when pods come and go.',
  flags: {
    ...meshFlags,
    api: { type: 'string', value: 'URL', help: `the API of the mesh (that of the running one, or ${API})` },
    force,
  },
  examples: ['mizzen export prometheus monitoring && prometheus --config.file=monitoring/prometheus.yaml'],
  run(invocation) {
    const { values } = invocation;
    const running = new ApiFile(client(values).state).read();
    const api = (text(values, 'api') ?? running ?? API).replace(/\/+$/, '');
    checkUrl(api, 'api');
    const files = {
      'prometheus.yaml': yaml(scrapeConfiguration(api)),
      'rules/recording.yaml': yaml(RECORDING),
      'rules/alerts.yaml': yaml(ALERTS),
    };
    return Promise.resolve(write(invocation, files, folderOf(invocation)));
  },
};

export const grafana: Command = {
  name: 'export grafana',
  usage: '[DIR]',
  summary: 'Writes dashboards of the mesh, its services, workloads and control plane, and the provisioning for them.',
  description: 'Start Grafana with GF_PATHS_PROVISIONING set to the `provisioning` directory.',
  flags: {
    ...meshFlags,
    prometheus: { type: 'string', value: 'URL', help: `where Prometheus is (${PROMETHEUS})` },
    console: { type: 'string', value: 'URL', help: `where traces are shown (that of the running mesh, or ${CONSOLE})` },
    force,
  },
  examples: ['mizzen export grafana monitoring'],
  run(invocation) {
    const { values } = invocation;
    const folder = folderOf(invocation);
    const url = text(values, 'prometheus') ?? PROMETHEUS;
    checkUrl(url, 'prometheus');
    const shown = text(values, 'console') ?? new ApiFile(client(values).state).console() ?? CONSOLE;
    checkUrl(shown, 'console');
    const files: Record<string, string> = {
      'provisioning/datasources/mizzen.yaml': yaml(DATA_SOURCE(url, shown.replace(/\/+$/, ''))),
      'provisioning/dashboards/mizzen.yaml': yaml(PROVIDER(resolve(folder, 'dashboards'))),
    };
    for (const plan of DASHBOARDS)
      files[`dashboards/${plan.uid}.json`] = `${JSON.stringify(dashboard(plan), undefined, 2)}\n`;
    return Promise.resolve(write(invocation, files, folder));
  },
};

import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Mesh, send, up } from './lib/mesh.ts';

/** A real Prometheus reads the running observatory with the example's own configuration, only faster. */
const example = join(repositoryRoot, 'examples/observatory');
let folder: string;
let mesh: Mesh;
let prometheus: ChildProcess;
let port: number;
let log = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-prometheus-'));
  const metricsPort = await freePort();
  mesh = await up(['examples/observatory', '--gateway-port', `9464=${metricsPort}`], { readyMs: 240_000 });
  port = await freePort();
  cpSync(join(example, 'prometheus/alerts.yml'), join(folder, 'alerts.yml'));
  const config = readFileSync(join(example, 'prometheus/mesh.yml'), 'utf8')
    .replace('scrape_interval: 15s', 'scrape_interval: 500ms\n  scrape_timeout: 500ms')
    .replace('evaluation_interval: 10s', 'evaluation_interval: 500ms')
    .replaceAll('127.0.0.1:9464', `127.0.0.1:${metricsPort}`)
    .replace('localhost:9090', `localhost:${port}`);
  writeFileSync(join(folder, 'prometheus.yml'), config);
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  prometheus.on('error', (error) => (log += `${error.message} (npm run tools installs it)\n`));
  prometheus.stderr?.on('data', (data: Buffer) => (log += data.toString()));
}, 300_000);

afterAll(async () => {
  if (prometheus.pid !== undefined && prometheus.exitCode === null) {
    const gone = new Promise((done) => prometheus.once('exit', done));
    prometheus.kill('SIGTERM');
    await gone;
  }
  await mesh.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}
interface Answered {
  readonly targets: readonly Target[];
  readonly activeTargets: readonly Target[];
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[];
  readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: [number, string] }[];
}
async function api(path: string): Promise<Answered> {
  const { status, body } = await send(port, `/api/v1${path}`);
  if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
  return (JSON.parse(body) as { data: Answered }).data;
}
const query = async (expr: string): Promise<Answered['result']> =>
  (await api(`/query?query=${encodeURIComponent(expr)}`)).result;

it('has all targets up, by their names', async () => {
  const expected = [
    'prometheus up',
    'dashboard-service dashboard-service:5000 up',
    'system-info-service system-info-service:5002 up',
    'time-service time-service:5001 up',
    'weather-service weather-service:5003 up',
  ];
  await expect
    .poll(
      async () => {
        try {
          const { activeTargets } = await api('/targets');
          return activeTargets
            .map(({ labels, health, lastError }) => {
              const name = labels['job'] === 'prometheus' ? 'prometheus' : `${labels['job']} ${labels['instance']}`;
              return `${name} ${health}${lastError}`;
            })
            .toSorted();
        } catch {
          return log;
        }
      },
      { interval: 250 },
    )
    .toEqual(expected.toSorted());
});

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

it('answers the query of every panel with data', async () => {
  const text = readFileSync(join(example, 'grafana/dashboards/microservices-overview.json'), 'utf8');
  const { panels } = JSON.parse(text) as Dashboard;
  const empty = async (): Promise<string[]> => {
    // Somebody looks at the page meanwhile.
    await mesh.get('/api/aggregate');
    await mesh.get('/api/time-proxy');
    const found: string[] = [];
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const values = (await query(expr)).map(({ value }) => Number(value[1]));
        if (values.length === 0 || values.some((each) => Number.isNaN(each)))
          found.push(`${title}: ${expr} ${values.join()}`);
      }
    }
    return found;
  };
  await expect.poll(empty, { interval: 500 }).toEqual([]);
  expect((await query('up{job=~".+-service"}')).map(({ value }) => value[1])).toEqual(['1', '1', '1', '1']);
});

it('has every rule loaded and none firing', async () => {
  const { status, body } = await send(port, '/api/v1/rules?type=alert');
  expect(status).toBe(200);
  const { groups } = (JSON.parse(body) as { data: { groups: { rules: { name: string; health: string }[] }[] } }).data;
  const rules = groups.flatMap((group) => group.rules);
  expect(rules).toHaveLength(11);
  await expect
    .poll(async () => (await send(port, '/api/v1/rules?type=alert')).body.match(/"health":"ok"/g)?.length)
    .toBe(11);
  expect((await api('/alerts')).alerts.filter(({ state }) => state === 'firing')).toEqual([]);
});

it('notices that a service is down, and that it is back', async () => {
  const down = async (): Promise<unknown[]> =>
    (await api('/alerts')).alerts
      .filter(({ labels }) => labels['alertname'] === 'ServiceDown')
      .map(({ labels }) => labels['job']);
  await mesh.mizzen('scale', 'time-service=0', '-n', 'observatory');
  await expect.poll(down, { interval: 250 }).toEqual(['time-service']);
  await mesh.mizzen('scale', 'time-service=1', '-n', 'observatory');
  await expect.poll(down, { interval: 250 }).toEqual([]);
});

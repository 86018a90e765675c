import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, requireTool } from '@mizzen/testkit';

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
export interface Prometheus {
  query(expr: string): Promise<readonly Sample[]>;
  /** Names of the alerts that fire. */
  firing(): Promise<readonly string[]>;
  /** Labels of the exemplars of what is asked for, of the last minutes. */
  exemplars(expr: string): Promise<readonly Readonly<Record<string, string>>[]>;
  targets(): Promise<readonly { readonly health: string; readonly scrapeUrl: string }[]>;
  stop(): Promise<void>;
}

/** A real Prometheus with an exported configuration, made impatient. */
export async function startPrometheus(folder: string): Promise<Prometheus> {
  for (const name of ['prometheus.yaml', 'rules/recording.yaml', 'rules/alerts.yaml']) {
    const file = join(folder, name);
    const hurried = readFileSync(file, 'utf8')
      .replace(/(interval: )\d+s/g, '$11s')
      .replace(/for: .*/g, 'for: 0s')
      .replaceAll('[1m]', '[5s]');
    writeFileSync(file, hurried);
  }
  const data = mkdtempSync(join(tmpdir(), 'mizzen-prometheus-'));
  const port = await freePort();
  const child = spawn(
    requireTool('prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const api = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) break;
    if (tries > 200 || child.exitCode !== null) throw new Error(`Prometheus does not start:\n${output}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    query: async (expr) => (await api<{ result: Sample[] }>(`/api/v1/query?query=${encodeURIComponent(expr)}`)).result,
    firing: async () => {
      const { alerts } = await api<{ alerts: { labels: Record<string, string>; state: string }[] }>('/api/v1/alerts');
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels['alertname']!);
    },
    exemplars: async (expr) => {
      const [now, query] = [Date.now() / 1000, encodeURIComponent(expr)];
      const found = await api<{ exemplars: { labels: Record<string, string> }[] }[]>(
        `/api/v1/query_exemplars?query=${query}&start=${now - 600}&end=${now + 60}`,
      );
      return found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
    },
    targets: async () =>
      (await api<{ activeTargets: { health: string; scrapeUrl: string }[] }>('/api/v1/targets')).activeTargets,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

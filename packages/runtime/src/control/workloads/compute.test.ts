import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildSnapshot, parseDocuments, withSpan } from '@mizzen/api';
import type { Resource } from '@mizzen/api';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { buildModel } from '@mizzen/model';
import { defaultGateways } from '../default-gateways.ts';
import { overlay } from '../overlay.ts';
import { NO_SETTINGS } from '../settings/types.ts';
import type { Settings } from '../settings/types.ts';
import { computeWorkloads } from './compute.ts';
import type { WorkloadOptions, Workloads } from './compute.ts';

const directory = join(import.meta.dirname, 'testdata');
const usual: WorkloadOptions = {
  settings: NO_SETTINGS,
  standIns: true,
  inject: 'always',
  engine: 'mizzen',
  gatewayPorts: {},
};

function compute(text: string, options: Partial<WorkloadOptions> = {}): Workloads & { readonly rendered: string[] } {
  const { resources, diagnostics } = parseDocuments('/work/all.yaml', text);
  expect(diagnostics).toEqual([]);
  const built = buildSnapshot(resources as Resource[], { version: 1 }).snapshot;
  const { resources: added, notices } = defaultGateways(built);
  const snapshot = overlay(built, added);
  const result = computeWorkloads(buildModel(snapshot, []), { ...usual, ...options });
  const rendered = result.diagnostics.map((each) => renderDiagnostic(withSpan(each, snapshot), { source: () => text }));
  return { ...result, notices: [...notices, ...result.notices], rendered };
}

const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

for (const file of readdirSync(directory).filter((name) => name.endsWith('.in.yaml'))) {
  const name = file.replace('.in.yaml', '');
  test(`${name} is computed as recorded`, () => {
    const { workloads, gateways, notices, rendered } = compute(read(file));
    const text = `${JSON.stringify({ workloads, gateways, notices, diagnostics: rendered.map((each) => each.split('\n')) }, null, 2)}\n`;
    const expected = join(directory, `${name}.out.json`);
    if (!existsSync(expected) || process.env['UPDATE'] !== undefined) writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, 'utf8'));
  });
}

test.each([
  ['serviceAccountName: web', 'web'],
  ['serviceAccount: web', 'web'],
  ["serviceAccountName: ''", 'default'],
  ['hostNetwork: false', 'default'],
])('a pod with `%s` runs as %s', (field, account) => {
  const spec = `{ ${field}, containers: [{ name: web }] }`;
  const { workloads } = compute(`apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: ${spec}\n`);
  expect(workloads[0]?.serviceAccount).toBe(account);
});

test('the same files give the same hashes, whatever else is in them', () => {
  const text = read('environment.in.yaml');
  const [before] = compute(text).workloads;
  const more = `${text}---\napiVersion: v1\nkind: Service\nmetadata: { name: another, namespace: shop }\nspec: { ports: [{ port: 80 }] }\n`;
  const [after] = compute(more.replace('replicas: 3', 'replicas: 4')).workloads;
  expect(after?.templateHash).toBe(before?.templateHash);
  expect(after?.replicas).toBe(4);
  expect(after?.serviceEnvironment['ANOTHER_SERVICE_PORT']).toBe('80');
});

test('what a template or something it refers to says changes the hash', () => {
  const text = read('environment.in.yaml');
  const [before] = compute(text).workloads;
  for (const [from, to] of [
    ['LEVEL: info', 'LEVEL: debug'],
    ['c2VjcmV0', 'bmV3'],
    ['node main.js', 'node other.js'],
    ['version: v2', 'version: v3'],
  ] as const) {
    expect(compute(text.replace(from, to)).workloads[0]?.templateHash).not.toBe(before?.templateHash);
  }
});

test('--inject labelled follows Istio: nothing without a label', () => {
  const sidecars = compute(read('injection.in.yaml'), { inject: 'labelled' }).workloads.filter((each) => each.sidecar);
  expect(sidecars.map((each) => each.owner.name)).toEqual(['enabled', 'says-yes']);
});

test('--no-stand-ins refuses what has nothing to run, with its line', () => {
  const { workloads, rendered } = compute(read('destinations.in.yaml'), { standIns: false });
  expect(workloads).toEqual([]);
  expect(rendered[0]).toMatch(
    /^error\[MZ0101\] \/work\/all\.yaml:\d+:\d+ {2}nothing says how to run container `app` of Deployment `orders` here\n/,
  );
});

test('no more pods of a workload run than a machine may have room for, which is said', () => {
  const { workloads, notices } = compute(`apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2147483647
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web }] } }
`);
  expect(workloads[0]?.replicas).toBe(1000);
  expect(notices).toContain('Deployment `web` runs 1000 times: one machine has no room for more');
});

test('--gateway-port moves a port, and no two gateways share one', () => {
  const { gateways } = compute(read('gateways.in.yaml'), { gatewayPorts: { 80: 9000 } });
  const named = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: metrics, namespace: istio-system }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 9464, name: http-metrics, protocol: HTTP }, hosts: ['*'] }
    - { port: { number: 9465, name: http-metricsish, protocol: HTTP }, hosts: ['*'] }
---
`;
  expect(compute(named + read('gateways.in.yaml')).gateways.flatMap((each) => each.gatewayMetrics ?? [])).toEqual([
    9464,
  ]);
  const ports = gateways.flatMap((each) => Object.values(each.gatewayPorts ?? {}));
  expect(new Set(ports).size).toBe(ports.length);
  expect(ports).toContain(9000);
});

test.each([
  ['', undefined, undefined],
  ['', false, false],
  ['true', false, undefined],
  ['F', undefined, false],
  ['nonsense', false, false],
])('merge-metrics `%s` in a mesh with enablePrometheusMerge %s: %s', (annotation, ofMesh, merges) => {
  const mesh = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: mesh, namespace: istio-system }
spec: { meshConfig: { enablePrometheusMerge: ${ofMesh} } }
---
`;
  const annotations = annotation === '' ? '' : `, annotations: { prometheus.istio.io/merge-metrics: '${annotation}' }`;
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: web${annotations} }\nspec: { containers: [{ name: web }] }\n`;
  const { workloads } = compute((ofMesh === undefined ? '' : mesh) + pod);
  expect(workloads.map(({ mergeMetrics }) => mergeMetrics)).toEqual([merges]);
});

test('mizzen.yaml says how things run, over annotations, and adds to the environment', () => {
  const main = {
    run: ['node', 'x.js'],
    dir: '/elsewhere',
    base: '/',
    requires: undefined,
    build: undefined,
    watch: ['src'],
    env: { PLAIN: 'changed', NEW: '$(PLAIN)!' },
  };
  const settings: Settings = {
    ...NO_SETTINGS,
    workloads: new Map([
      [
        'orders.shop',
        {
          main,
          containers: {
            metrics: {
              run: 'external',
              dir: '/',
              base: '/',
              requires: undefined,
              build: undefined,
              watch: [],
              env: {},
            },
          },
          engine: undefined,
        },
      ],
    ]),
  };
  const containers = compute(read('environment.in.yaml'), { settings }).workloads[0]?.containers;
  expect(containers?.map((each) => each.run)).toEqual([
    {
      kind: 'command',
      command: ['node', 'x.js'],
      dir: '/elsewhere',
      watch: ['/elsewhere/src'],
    },
    { kind: 'external' },
  ]);
  const env = new Map(containers?.[0]?.env.map((each) => [each.name, each.value]));
  expect(env.get('PLAIN')).toBe('changed');
  expect(env.get('NEW')).toBe('$(PLAIN)!');
});

test('mizzen.yaml leaves to annotations what it does not say', () => {
  const main = { run: undefined, dir: undefined, base: '/elsewhere', watch: undefined, requires: undefined };
  const settings: Settings = {
    ...NO_SETTINGS,
    workloads: new Map([
      ['web', { main: { ...main, build: 'make', env: { A: 'b' } }, containers: {}, engine: undefined }],
    ]),
  };
  const annotations = `{ mizzen.dev/run: ./web, mizzen.dev/dir: app, mizzen.dev/watch: src, mizzen.dev/build: go build }`;
  const { workloads } = compute(
    `apiVersion: v1\nkind: Pod\nmetadata: { name: web, annotations: ${annotations} }\nspec: { containers: [{ name: web }] }\n`,
    { settings },
  );
  const run = { kind: 'command', command: './web', dir: '/work/app', watch: ['/work/app/src'], build: 'make' };
  expect(workloads[0]?.containers[0]).toMatchObject({ run, env: [{ name: 'A', value: 'b' }] });
});

test('annotations say what must be installed and how a program is built', () => {
  const annotations = `{ mizzen.dev/run: ./web, mizzen.dev/requires: 'go, git', mizzen.dev/build: go build . }`;
  const { workloads } = compute(
    `apiVersion: v1\nkind: Pod\nmetadata: { name: web, annotations: ${annotations} }\nspec: { containers: [{ name: web }] }\n`,
  );
  expect(workloads[0]?.containers[0]?.run).toEqual({
    kind: 'command',
    command: './web',
    dir: '/work',
    watch: [],
    requires: ['go', 'git'],
    build: 'go build .',
  });
});

// What costs its square takes minutes, and what costs no more than itself a moment, on any machine.
test.each(['x', 'x.', 'x+', 'x-', 'x://'])(
  'a value of the environment costs no more than its length: %s again and again',
  { timeout: 20_000 },
  (part) => {
    const env = `env: [{ name: KEY, value: "${part.repeat(500_000)}" }, { name: DB, value: "tcp://db:5432" }]`;
    const { workloads } = compute(
      `apiVersion: v1
kind: Service
metadata: { name: db }
spec: { ports: [{ name: tcp, port: 5432 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { containers: [{ name: web, ${env} }] }
`,
    );
    expect(workloads[0]?.tcpDestinations).toMatchObject([{ host: 'db', port: 5432 }]);
  },
);

test('a container that lists no port has those that services lead to', () => {
  const { workloads } = compute(`
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ name: http-web, port: 80, targetPort: 8000 }, { name: tcp-db, port: 3306 }, { name: dns, port: 53, protocol: UDP }]
---
apiVersion: v1
kind: Service
metadata: { name: other }
spec: { selector: { app: other }, ports: [{ port: 99 }] }
---
apiVersion: v1
kind: Service
metadata: { name: named }
spec: { selector: { app: web }, ports: [{ name: x, port: 81, targetPort: http }, { name: y, port: 82, targetPort: 5000 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: app, image: web }, { name: side, image: side, ports: [{ containerPort: 5000 }] }] } }
`);
  expect(workloads[0]?.containers.map((each) => each.ports)).toEqual([
    [
      { name: 'http-web', port: 8000 },
      { name: 'tcp-db', port: 3306 },
    ],
    [{ name: undefined, port: 5000 }],
  ]);
});

test('proxies are what mizzen.yaml, then an annotation, then the mesh says', () => {
  const deployment = (name: string, annotation = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  template:
    metadata:
      labels: { app: ${name} }
      annotations: { ${annotation} }
    spec: { containers: [{ name: a }] }
---`;
  const text = [
    deployment('as-the-mesh'),
    deployment('annotated', 'mizzen.dev/engine: mizzen'),
    deployment('both', 'mizzen.dev/engine: envoy'),
    deployment('unknown', 'mizzen.dev/engine: nginx'),
    deployment('without', "mizzen.dev/engine: envoy, sidecar.istio.io/inject: 'false'"),
    deployment('gate', 'mizzen.dev/engine: mizzen, inject.istio.io/templates: gateway'),
  ].join('');
  const settings: Settings = {
    ...NO_SETTINGS,
    workloads: new Map([['both', { main: undefined, containers: {}, engine: 'mizzen' }]]),
  };
  const { workloads, gateways, rendered, notices } = compute(text, { engine: 'envoy', settings });
  expect([...workloads, ...gateways].map(({ owner, engine }) => [owner.name, engine])).toEqual([
    ['as-the-mesh', 'envoy'],
    ['annotated', 'mizzen'],
    ['both', 'mizzen'],
    ['unknown', 'envoy'],
    ['without', undefined],
    ['gate', 'mizzen'],
  ]);
  expect(notices).toEqual([
    "`annotated`, `both`, `gate` run on Mizzen's own proxy: `mizzen validate --engine mizzen` names what that does not support",
  ]);
  expect(rendered).toEqual([
    expect.stringMatching(/^error\[MZ0103\] .*there is no engine `nginx`; Deployment `unknown` runs on `envoy`/),
  ]);
});

test('Envoys are started with what EnvoyFilters add to their bootstrap, and anew when that changes', () => {
  const deployment = (name: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec: { template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: a }] } } }
---`;
  const filter = (interval: string): string => `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: flush }
spec:
  workloadSelector: { labels: { app: a } }
  configPatches:
    - applyTo: BOOTSTRAP
      patch: { operation: MERGE, value: { stats_flush_interval: ${interval} } }
---`;
  const text = `${deployment('a')}${deployment('b')}`;
  const [a, b] = compute(`${text}${filter('2s')}`, { engine: 'envoy' }).workloads;
  expect([a?.bootstrap, b?.bootstrap]).toEqual([{ statsFlushInterval: '2s' }, undefined]);
  const [later, same] = compute(`${text}${filter('3s')}`, { engine: 'envoy' }).workloads;
  expect(later?.templateHash).not.toBe(a?.templateHash);
  expect(same?.templateHash).toBe(b?.templateHash);
  expect(compute(`${text}${filter('2s')}`).workloads[0]?.bootstrap).toBeUndefined();
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '@mizzen/testkit';
import { ControlProcess } from '../control/testing/control-process.ts';
import type { GraphAnswer, TopAnswer, TrafficAnswer } from './types.ts';
import type { RequestTraffic } from '@mizzen/proxy/process/protocol.ts';

const deployment = (name: string, app: string, version: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${app}, version: ${version} } }
  template:
    metadata: { labels: { app: ${app}, version: ${version} } }
    spec: { containers: [{ name: web, ports: [{ containerPort: 8080 }] }] }
---
`;
const SYSTEM = `${deployment('client', 'client', 'v1')}${deployment('web-v1', 'web', 'v1')}${deployment('web-v2', 'web', 'v2')}apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: nobody }
spec: { selector: { app: nobody }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;

let control: ControlProcess;
let api: string;
let webConsole: string;

beforeAll(async () => {
  control = new ControlProcess({ 'system.yaml': SYSTEM });
  control.start({ consolePort: 0 });
  api = await control.api();
  webConsole = `http://${(await control.saw('listening')).console}`;
  await control.run();
});
afterAll(() => control.remove());

const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(repositoryRoot, 'docs/reference/schemas/graph.schema.json'), 'utf8')) as object,
);
async function graph(window = 300): Promise<GraphAnswer> {
  const answer = (await (await fetch(`${api}/api/graph?window=${window}`)).json()) as GraphAnswer;
  expect(validate(answer), JSON.stringify(validate.errors)).toBe(true);
  return answer;
}
const addressOf = (workload: string): string =>
  `${control.pods.find(({ owner }) => owner.name === workload)?.address}:8080`;
const WEB = 'outbound|80||web.default.svc.cluster.local';

test('workloads are there before anything was sent', async () => {
  const { nodes, edges } = await graph();
  expect(edges).toEqual([]);
  expect(nodes.map(({ name, app, version, health }) => [name, app, version, health])).toEqual([
    ['client', 'client', 'v1', 'idle'],
    ['web-v1', 'web', 'v1', 'idle'],
    ['web-v2', 'web', 'v2', 'idle'],
  ]);
});

test('what is sent becomes edges between workloads, with errors, latencies and mutual TLS', async () => {
  const node = control.pods.find(({ owner }) => owner.name === 'client')?.node ?? '';
  const send = (
    cluster: string,
    requests: number,
    errors: number,
    unsent: number,
    workload?: string,
    clientErrors = 0,
  ): void => {
    const hosts =
      workload === undefined
        ? []
        : [{ address: addressOf(workload), requests, errors, clientErrors, connections: 1, tls: true }];
    const times: [number, number][] =
      requests === 0
        ? []
        : [
            [5, requests - 1],
            [250, 1],
          ];
    control.send({ type: 'traffic', nodes: [{ node, clusters: [{ cluster, unsent, times, hosts }] }] });
  };
  send(WEB, 90, 0, 0, 'web-v1', 3);
  send(WEB, 10, 5, 0, 'web-v2');
  send('outbound|80||nobody.default.svc.cluster.local', 0, 0, 7);
  send('inbound|8080||', 50, 0, 0, 'client');
  await expect.poll(async () => (await graph()).edges.length).toBe(3);
  const { edges, nodes } = await graph();
  const to = (name: string): GraphAnswer['edges'][number] | undefined =>
    edges.find(({ target }) => target === nodes.find((each) => each.name === name)?.id);
  const [first, second, third] = [to('web-v1'), to('web-v2'), to('nobody.default.svc.cluster.local')];
  expect(first).toMatchObject({ source: 'workload/default/client', health: 'healthy', errorRate: 0, mtls: true });
  expect(first).toMatchObject({ service: 'web.default.svc.cluster.local', port: 80, protocol: 'http', p50: 5 });
  expect(first).toMatchObject({ p99: 250, latencyShared: true });
  expect(first!.clientErrorRate / first!.requestRate).toBeCloseTo(3 / 90, 2);
  expect(second).toMatchObject({ health: 'failing', clientErrorRate: 0 });
  expect(first!.requestRate / second!.requestRate).toBeCloseTo(9, 0);
  expect(second!.errorRate / second!.requestRate).toBeCloseTo(0.5, 1);
  expect(third).toMatchObject({ health: 'failing', p50: null });
  expect(nodes.find(({ name }) => name === 'nobody.default.svc.cluster.local')).toMatchObject({ kind: 'service' });
  expect(nodes.find(({ name }) => name === 'web-v2')).toMatchObject({ health: 'failing' });
});

test('standard metrics become rates, errors and durations by version', async () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  const schemaOf = (name: string): ReturnType<typeof ajv.compile> =>
    ajv.compile(JSON.parse(readFileSync(join(repositoryRoot, `docs/reference/schemas/${name}.schema.json`), 'utf8')));
  const node = control.pods.find(({ owner }) => owner.name === 'client')?.node ?? '';
  const of = (version: string, errors: number): RequestTraffic => ({
    reporter: 'source',
    source: 'client',
    sourceNamespace: 'default',
    service: 'web.default.svc.cluster.local',
    destination: `web-${version}`,
    destinationNamespace: 'default',
    version,
    requests: 20,
    errors,
    clientErrors: 2,
    times: [[4.05, 20]],
  });
  control.send({ type: 'traffic', nodes: [{ node, clusters: [], requests: [of('v1', 0), of('v2', 3)] }] });
  const ask = async (query: string): Promise<TrafficAnswer> =>
    (await (await fetch(`${api}/api/traffic?${query}`)).json()) as TrafficAnswer;
  const service = 'service=web.default.svc.cluster.local';
  const versions = async (): Promise<unknown> =>
    (await ask(service)).inbound.map(({ name, total }) => [name, total.requests, total.errors, total.p99]);
  await expect.poll(versions).toEqual([
    ['v1', 20, 0, 4.05],
    ['v2', 20, 3, 4.05],
  ]);
  const traffic = schemaOf('traffic');
  for (const query of [service, 'workload=default/client']) expect(traffic(await ask(query))).toBe(true);
  expect((await ask('workload=default/client')).outbound.map(({ name }) => name)).toEqual([
    'web.default v1',
    'web.default v2',
  ]);
  const summary: unknown = await (await fetch(`${api}/api/traffic`)).json();
  expect(schemaOf('traffic-summary')(summary)).toBe(true);
  expect(summary).toMatchObject({ services: [{ requests: 40, errors: 3, clientErrors: 4 }] });
  const now = (await (await fetch(`${api}/api/top?window=300`)).json()) as TopAnswer;
  const top = schemaOf('top');
  expect(top(now), JSON.stringify(top.errors)).toBe(true);
  const [first, second] = ['web-v1', 'web-v2'].map((name) => now.workloads.find((each) => each.name === name)!);
  expect(second).toMatchObject({ namespace: 'default', ready: 1, restarts: 0, p50: 4.05, cpu: null });
  expect([first!.requestRate, first!.errorRate]).toEqual([second!.requestRate, 0]);
  expect(second!.errorRate / second!.requestRate).toBeCloseTo(3 / 20, 1);
  expect(second!.clientErrorRate / second!.requestRate).toBeCloseTo(2 / 20, 1);
  expect(now.services).toMatchObject([{ service: 'web.default.svc.cluster.local', p99: 4.05 }]);
  expect((await fetch(`${api}/api/top?window=0`)).status).toBe(400);
  expect((await fetch(`${api}/api/traffic?workload=default/absent`)).status).toBe(404);
  expect((await fetch(`${api}/api/traffic?workload=a/b&service=c`)).status).toBe(400);
});

test('client errors are a class of their own: from one in ten a look is worth it, and nothing is failing', async () => {
  const node = control.pods.find(({ owner }) => owner.name === 'client')?.node ?? '';
  const cluster = 'outbound|80||web.default.svc.cluster.local';
  const [address, rest] = [addressOf('web-v1'), { errors: 0, connections: 0, tls: true }];
  const hosts = [{ address, requests: 400, clientErrors: 400, ...rest }];
  control.send({ type: 'traffic', nodes: [{ node, clusters: [{ cluster, unsent: 0, times: [], hosts }] }] });
  const health = async (): Promise<unknown> => (await graph()).nodes.find(({ name }) => name === 'web-v1')?.health;
  await expect.poll(health).toBe('degraded');
});

test('edges stay when nothing is sent any more, and go with their workloads', async () => {
  await expect.poll(async () => (await graph(1)).edges.map(({ requestRate }) => requestRate)).toEqual([0, 0]);
  control.write('system.yaml', SYSTEM.replace(deployment('web-v2', 'web', 'v2'), ''));
  control.pods = control.pods.filter(({ owner }) => owner.name !== 'web-v2');
  await expect.poll(async () => (await graph(1)).nodes.map(({ name }) => name)).toEqual(['client', 'web-v1']);
  await control.report();
  await expect.poll(async () => (await graph(1)).edges.length).toBe(1);
});

test('changes come as events', async () => {
  const response = await fetch(`${webConsole}/api/graph/events?window=300`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value ?? '';
  expect(first).toMatch(/^event: graph\ndata: \{.*\}\n\n$/s);
  expect(validate(JSON.parse(first.split('data: ')[1]!))).toBe(true);
  // Rates of all the time there was change with every second.
  expect((await reader.read()).value).toMatch(/^event: graph\n/);
  await reader.cancel();
});

test('windows are whole numbers of seconds', async () => {
  for (const window of ['0', '301', 'x', '1.5']) {
    expect((await fetch(`${api}/api/graph?window=${window}`)).status).toBe(400);
  }
});

test('the console is served with its API, and only there', async () => {
  const page = await fetch(`${webConsole}/`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const [, script] = /src="(\/assets\/[^"]+)"/.exec(await page.text()) ?? [];
  expect((await fetch(`${webConsole}${script}`)).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect((await fetch(`${webConsole}/api/workloads`)).status).toBe(200);
  for (const path of ['/assets/absent.js', '/assets/..%2f..%2fpackage.json', '/package.json', '/src/main.tsx'])
    expect([path, (await fetch(`${webConsole}${path}`)).status]).toEqual([path, 404]);
  expect((await fetch(`${api}/`)).status).toBe(404);
  expect((await fetch(`${webConsole}/`, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
  expect((await fetch(`${webConsole}/api/stop`, { method: 'POST' })).status).toBe(401);
});

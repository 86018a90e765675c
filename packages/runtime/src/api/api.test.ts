import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigDump, ServiceEndpoints, SyncStatus } from '@mizzen/control-plane';
import { repositoryRoot } from '@mizzen/testkit';
import { ControlProcess } from '../control/testing/control-process.ts';
import type { WorkloadStatus } from '../protocol.ts';
import type { ExplanationReport } from '../explain/report.ts';
import type { ConfigStatusAnswer, TraceAnswer, TracesAnswer, WorkloadAnswer, WorkloadsAnswer } from './types.ts';

const SYSTEM = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web-v1 }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web, version: v1 } }
    spec: { serviceAccountName: web, containers: [{ name: web, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }
    - { port: { number: 443, name: tls, protocol: HTTPS }, hosts: ['*'], tls: { mode: SIMPLE, credentialName: absent } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: broken }
spec: { hosts: 7 }
`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let control: ControlProcess;
let port: number;

beforeAll(async () => {
  control = new ControlProcess({ 'system.yaml': SYSTEM, 'compose.yaml': 'services: {}\n' });
  control.start();
  port = Number((await control.saw('listening')).api.split(':')[1]);
});
afterAll(() => control.remove());

function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
const authorized = (): Record<string, string> => ({ authorization: `Bearer ${control.token}` });
const codeOf = (answer: Answer): string => (JSON.parse(answer.body) as { error: { code: string } }).error.code;

const ajv = new Ajv2020({ strict: true });
function checked<T>(schema: string, answer: Answer): T {
  const value = JSON.parse(answer.body) as T;
  const text = readFileSync(join(repositoryRoot, `docs/reference/schemas/${schema}.schema.json`), 'utf8');
  const validate = ajv.compile(JSON.parse(text) as object);
  expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  return value;
}

test('not ready before anything runs, and says what is missing; ready when it does', async () => {
  const before = await ask('GET', '/ready');
  expect(before.status).toBe(503);
  expect(checked('ready', before)).toEqual({
    ready: false,
    waiting: [
      { namespace: 'default', name: 'web-v1', ready: 0, replicas: 2, state: 'starting' },
      { namespace: 'istio-system', name: 'istio-ingressgateway', ready: 0, replicas: 1, state: 'starting' },
    ],
  });
  await control.run();
  const after = await ask('GET', '/ready');
  expect([after.status, checked('ready', after)]).toEqual([200, { ready: true, waiting: [] }]);
});

test('what has done its work is not waited for', async () => {
  const finished = control.pods.map((pod) =>
    pod.owner.name === 'web-v1' ? { ...pod, ready: false, phase: 'Succeeded' as const } : pod,
  );
  const before = control.pods;
  control.pods = finished;
  await control.report();
  expect((await ask('GET', '/ready')).status).toBe(200);
  control.pods = finished.map((pod) => (pod.phase === 'Succeeded' ? { ...pod, phase: 'Failed' as const } : pod));
  await control.report();
  expect((await ask('GET', '/ready')).status).toBe(503);
  control.pods = before;
  await control.report();
});

test('workloads are as the supervisor reports them', async () => {
  const [web] = checked<WorkloadsAnswer>('workloads', await ask('GET', '/api/workloads')).workloads;
  expect(web).toMatchObject({
    name: 'web-v1',
    version: 'v1',
    ready: 2,
    identity: 'spiffe://cluster.local/ns/default/sa/web',
  });
  const status: WorkloadStatus = {
    owner: { kind: 'Deployment', namespace: 'default', name: 'web-v1' },
    version: 'v1',
    replicas: 5,
    ready: 2,
    gateway: false,
    standIn: true,
    engine: 'mizzen',
    serviceAccount: 'web',
    inboundRequests: 12,
    outboundRequests: 3,
    state: 'updating',
  };
  control.send({ type: 'workloads', workloads: [status] });
  await expect.poll(async () => (await ask('GET', '/ready')).status).toBe(503);
  const one = checked<WorkloadAnswer>('workload', await ask('GET', '/api/workloads/default/web-v1'));
  expect(one).toMatchObject({ replicas: 5, state: 'updating', inboundRequests: 12 });
  expect(one.pods.map((pod) => pod.httpProxy)).toEqual(['127.91.0.1:15080', '127.91.0.2:15080']);
  const gateway = checked<WorkloadAnswer>(
    'workload',
    await ask('GET', '/api/workloads/istio-system/istio-ingressgateway'),
  );
  expect(gateway.pods[0]?.gatewayPorts).toEqual({ '80': '127.0.0.1:8080', '443': '127.0.0.1:8443' });
  expect(checked<WorkloadAnswer>('workload', await ask('GET', '/api/workloads/default/web-v1-1')).name).toBe('web-v1');
  const absent = await ask('GET', '/api/workloads/default/nobody');
  checked('error', absent);
  expect(absent.status).toBe(404);
});

test('services come with their endpoints', async () => {
  const answer = checked<{ services: { hostname: string; endpoints: object[] }[] }>(
    'services',
    await ask('GET', '/api/services'),
  );
  const web = answer.services.find(({ hostname }) => hostname === 'web.default.svc.cluster.local');
  expect(web?.endpoints).toMatchObject([
    { address: '127.90.0.1', port: 8080, servicePort: 80, workload: 'web-v1', healthy: true, mtls: true },
    { address: '127.90.0.2', port: 8080, servicePort: 80 },
  ]);
});

test('the state of the configuration: files, resources, what is wrong, and which proxy has it', async () => {
  const client = await control.connect();
  await expect
    .poll(async () =>
      (JSON.parse((await ask('GET', '/api/config/status')).body) as ConfigStatusAnswer).proxies.map(
        (each) => each.types['route'],
      ),
    )
    .toEqual(['synced', 'synced', 'synced']);
  const status = checked<ConfigStatusAnswer>('config-status', await ask('GET', '/api/config/status'));
  expect(status).toMatchObject({ paths: ['mesh'], directory: control.folder, files: ['mesh/system.yaml'] });
  expect(status.resources).toContainEqual({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    namespace: 'default',
    name: 'broken',
    source: 'mesh/system.yaml:28',
    state: 'refused',
  });
  expect(status.resources.find((each) => each.kind === 'Gateway')?.source).toBe('mesh/system.yaml:18');
  expect(status.resources.find((each) => each.name === 'istio-ingressgateway')?.source).toBe('<default>');
  expect(status.diagnostics.map(({ code, line }) => [code, line])).toContainEqual(['MZ0201', 23]);
  expect(status.proxies[0]).toMatchObject({ connected: true, refusals: [] });
  client.close();
});

test('the debug endpoints of istiod: what a proxy is sent, and what it has acknowledged', async () => {
  const client = await control.connect();
  const status = async (): Promise<SyncStatus[]> => checked<SyncStatus[]>('syncz', await ask('GET', '/debug/syncz'));
  await expect
    .poll(async () => (await status()).map(({ mizzen }) => mizzen.types['RDS']))
    .toEqual(Array(3).fill('synced'));
  const [first] = await status();
  expect(first).toMatchObject({ cluster_id: 'Kubernetes', proxy: 'istio-ingressgateway-0.istio-system' });
  expect(first?.cluster_acked).toBe(first?.cluster_sent);
  const dump = checked<ConfigDump>('config-dump', await ask('GET', '/debug/config_dump?proxyID=web-v1-0.default'));
  const [bootstrap, clusters] = dump.configs;
  expect(bootstrap).toMatchObject({ bootstrap: { node: { id: expect.stringContaining('~web-v1-0.default~') } } });
  expect(JSON.stringify(clusters)).toContain('"outbound|80||web.default.svc.cluster.local"');
  const secrets = dump.configs.flatMap((each) => ('dynamicActiveSecrets' in each ? each.dynamicActiveSecrets : []));
  expect(secrets.map(({ name }) => name)).toEqual(['ROOTCA', 'default']);
  const { certificateChain, privateKey } = secrets[1]?.secret.tlsCertificate ?? {};
  expect(Buffer.from(certificateChain?.inlineBytes ?? '', 'base64').toString()).toContain('BEGIN CERTIFICATE');
  expect(Buffer.from(privateKey?.inlineBytes ?? '', 'base64').toString()).toBe('[redacted]');
  const all = checked<ServiceEndpoints[]>('endpointz', await ask('GET', '/debug/endpointz'));
  expect(all.find(({ svc }) => svc === 'web.default.svc.cluster.local:http')?.ep).toMatchObject([
    { address: '127.90.0.1', endpointPort: 8080, serviceAccount: 'spiffe://cluster.local/ns/default/sa/web' },
    { address: '127.90.0.2' },
  ]);
  const own = checked<object[]>('endpointz', await ask('GET', '/debug/endpointz?proxyID=web-v1-0.default'));
  expect(own).toContainEqual(expect.objectContaining({ clusterName: 'outbound|80||web.default.svc.cluster.local' }));
  const absent = await ask('GET', '/debug/config_dump?proxyID=nobody');
  checked('error', absent);
  expect([absent.status, codeOf(absent)]).toEqual([404, 'not-found']);
  client.close();
});

test('whoever changes something needs the token', async () => {
  for (const path of ['/api/stop', '/api/workloads/default/web-v1/restart', '/api/workloads/default/web-v1/scale']) {
    const without = await ask('POST', path);
    checked('error', without);
    expect([without.status, codeOf(without)]).toEqual([401, 'token-missing']);
    const wrong = await ask('POST', path, { authorization: `Bearer ${control.token}x` });
    expect([wrong.status, codeOf(wrong)]).toEqual([403, 'token-wrong']);
  }
  expect(control.messages.filter(({ type }) => type === 'command')).toEqual([]);
});

test('a Host of another name is refused: DNS rebinding', async () => {
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost',
    '127.0.0.1:1',
    `127.0.0.1.evil.example:${port}`,
  ]) {
    const answer = await ask('GET', '/api/workloads', { host });
    expect([host, answer.status]).toEqual([host, 403]);
    expect(answer.body).not.toContain('web-v1');
  }
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
    expect((await ask('GET', '/api/workloads', { host })).status).toBe(200);
  }
});

test('what is no address is a bad request', async () => {
  const answer = await ask('GET', '//');
  expect([answer.status, codeOf(answer)]).toEqual([400, 'bad-target']);
});

test('pages of other sites may not ask, and are told nothing', async () => {
  for (const origin of ['http://evil.example', `https://localhost:${port}`, 'null', 'http://localhost:1']) {
    for (const headers of [{ origin }, { origin, ...authorized() }]) {
      const answer = await ask('POST', '/api/stop', headers);
      expect([origin, answer.status, codeOf(answer)]).toEqual([origin, 403, 'bad-origin']);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  }
  expect((await ask('GET', '/ready', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect(
    (await ask('GET', '/api/services', { origin: `http://localhost:${port}`, 'sec-fetch-site': 'same-origin' })).status,
  ).toBe(200);
});

test('commands go to the supervisor, and its answer comes back', async () => {
  const run = async (
    path: string,
    body: string | undefined,
    error?: { code: 'not-found' | 'ambiguous' | 'invalid'; message: string },
  ) => {
    const after = control.messages.length;
    const answer = ask('POST', path, authorized(), body);
    const { id, type: _, ...command } = await control.saw('command', after);
    control.send({ type: 'command-result', id, error });
    return { command, status: (await answer).status };
  };
  expect(await run('/api/workloads/default/web-v1/scale', '{"replicas":3}')).toEqual({
    command: { command: 'scale', namespace: 'default', workload: 'web-v1', replicas: 3 },
    status: 202,
  });
  expect(await run('/api/workloads/default/web-v1/restart', undefined)).toEqual({
    command: { command: 'restart', namespace: 'default', workload: 'web-v1' },
    status: 202,
  });
  expect(await run('/api/stop', undefined)).toEqual({ command: { command: 'stop' }, status: 202 });
  expect((await run('/api/stop', undefined, { code: 'not-found', message: 'x' })).status).toBe(404);
  expect((await run('/api/stop', undefined, { code: 'ambiguous', message: 'x' })).status).toBe(409);
});

test('nonsense is refused by what is wrong with it', async () => {
  const scale = '/api/workloads/default/web-v1/scale';
  for (const body of ['', '{', '{"replicas":"3"}', '{"replicas":-1}', '{"replicas":1.5}', '{"replicas":1001}']) {
    const answer = await ask('POST', scale, authorized(), body);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid']);
  }
  const long = await ask('POST', scale, authorized(), 'x'.repeat(100_000));
  expect([long.status, codeOf(long)]).toEqual([413, 'too-long']);
  const get = await ask('GET', scale);
  expect([get.status, get.headers.allow]).toEqual([405, 'POST']);
  for (const path of [
    '/',
    '/api',
    '/api/x',
    '/ready/x',
    '/api/workloads/a/b/c',
    '/api/%ff',
    '//evil',
    '/api/workloads/a/b/scale/x',
  ]) {
    const answer = await ask('GET', path);
    expect([path, answer.status]).toEqual([path, 404]);
  }
  expect((await ask('DELETE', '/api/workloads/default/web-v1', authorized())).status).toBe(404);
});

const report = (service: string, id: string, error?: string): object => ({
  traceId: id.repeat(16),
  id: id.repeat(16),
  kind: 'CLIENT',
  name: 'api:8080',
  timestamp: Date.now() * 1000,
  duration: 2500,
  localEndpoint: { serviceName: service },
  tags: {
    ...(error === undefined ? {} : { error }),
    node_id: 'sidecar~127.64.0.9~web-0.default~default.svc.cluster.local',
    'guid:x-request-id': `${id.repeat(8)}-1111-9111-8111-111111111111`,
    'http.method': 'GET',
    'http.url': 'http://api:8080/x',
    'http.status_code': error === undefined ? '200' : '503',
  },
});

test('takes spans without the token, but from pages of other sites not even those, and shows them', async () => {
  const spans = JSON.stringify([
    report('web.default', 'a'),
    report('web.default', 'b', 'true'),
    report('api.default', 'c'),
  ]);
  const json = { 'content-type': 'application/json' };
  const answer = await ask('POST', '/api/v2/spans', json, spans);
  expect(answer.status).toBe(202);
  const foreign = await ask('POST', '/api/v2/spans', { ...json, origin: 'http://example.com' }, spans);
  expect([foreign.status, codeOf(foreign)]).toEqual([403, 'bad-origin']);

  const list = checked<TracesAnswer>('traces', await ask('GET', '/api/traces?service=web.default&minDuration=2ms'));
  expect(list.traces.map(({ id, errors }) => `${id[31]} ${errors}`).toSorted()).toEqual(['a 0', 'b 1']);
  expect(list.services).toEqual(['api.default', 'web.default']);
  for (const [query, count] of [
    ['error=true', 1],
    ['status=5xx', 1],
    ['status=200', 2],
    ['maxDuration=1ms', 0],
    ['since=2000-01-01T00:00:00Z&limit=1', 1],
    ['until=2000-01-01T00:00:00Z', 0],
  ] as const) {
    const { traces } = checked<TracesAnswer>('traces', await ask('GET', `/api/traces?${query}`));
    expect([query, traces.length]).toEqual([query, count]);
  }
  for (const query of ['minDuration=5', 'error=maybe', 'status=99', 'since=then', 'limit=0', 'colour=red']) {
    const refused = await ask('GET', `/api/traces?${query}`);
    expect([query, refused.status, codeOf(refused)]).toEqual([query, 400, 'invalid']);
  }

  const one = checked<TraceAnswer>('trace', await ask('GET', '/api/traces/bbbbbbbb-1111-9111-8111-111111111111'));
  expect(one).toMatchObject({
    service: 'web.default',
    method: 'GET',
    url: 'http://api:8080/x',
    status: 503,
    duration: 2.5,
  });
  expect(one.spans[0]).toMatchObject({
    critical: [{ start: 0, duration: 2.5 }],
    request: { method: 'GET', url: 'http://api:8080/x', pod: 'web-0', namespace: 'default', gateway: false },
  });
  const none = await ask('GET', '/api/traces/abcd');
  expect([none.status, codeOf(none)]).toEqual([404, 'not-found']);
});

test('takes spans over gRPC on the same port, as OpenTelemetry’s exporter sends them', async () => {
  const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}` });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'by-grpc' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const span = provider.getTracer('test').startSpan('work');
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
  const { traceId } = span.spanContext();
  const { spans } = checked<TraceAnswer>('trace', await ask('GET', `/api/traces/${traceId}`));
  expect(spans.map(({ service, name }) => [service, name])).toEqual([['by-grpc', 'work']]);
});

test('explains what would become of a request, by the files in force', async () => {
  const explained = (query: string): Promise<Answer> => ask('GET', `/api/explain?${query}`);
  const url = encodeURIComponent('http://web/');
  const inside = checked<ExplanationReport>('explain', await explained(`url=${url}&from=web-v1&header=x-a:%20b`));
  expect([inside.verdict.reached, inside.client]).toEqual([true, expect.stringMatching(/^web-v1\.default as spiffe:/)]);
  expect(inside.request.headers).toContainEqual({ name: 'x-a', value: 'b' });
  const pod = control.pods.find(({ owner }) => owner.name === 'web-v1')?.name ?? '';
  expect(
    checked('explain', await explained(`method=GET&url=${url}&from=${pod}&namespace=default&header=x-a:b`)),
  ).toEqual(inside);
  const outside = checked<ExplanationReport>(
    'explain',
    await explained(`url=${encodeURIComponent('http://localhost:80/')}`),
  );
  expect(outside.client).toMatch(/^istio-ingressgateway\.istio-system /);
  for (const query of ['', 'url=ftp://x', `url=${url}&from=nobody`, `url=${url}&chance=2`, 'url=http://localhost:9/']) {
    const refused = await explained(query);
    expect([query, refused.status, codeOf(refused)]).toEqual([query, 400, 'invalid']);
  }
});

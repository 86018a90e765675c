import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Collected, type Collector, startCollector } from './lib/collector.ts';
import { fromWorkload, type Sender } from './lib/from-workload.ts';
import { type Mesh, up } from './lib/mesh.ts';
import { folder, service } from './lib/system.ts';
import { startZipkin, type Zipkin } from './lib/zipkin.ts';

/** Everything that a mesh reports, from proxies of both engines: to the OpenTelemetry Collector, and spans to Zipkin. */

const PROTOCOLS = ['http', 'grpc', 'zipkin'] as const;
/** One workload for each protocol on each engine. */
const ENVOYS = PROTOCOLS.map((protocol) => `${protocol}-envoy`);
const SERVERS = [...PROTOCOLS, ...ENVOYS];
/** Whose spans Zipkin's own server gets. */
const STORED = ['stored', 'stored-envoy'];

const place = (name: string, port: number, protocol: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: istio-system }
spec:
  hosts: [${name}.example]
  ports: [{ number: 4317, name: ${protocol.toLowerCase()}, protocol: ${protocol}, targetPort: ${port} }]
  resolution: STATIC
  location: MESH_EXTERNAL
  endpoints: [{ address: 127.0.0.1 }]
`;
const reports = (name: string): string => `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  tracing: [{ providers: [{ name: ${name.replace('-envoy', '')} }] }]
`;
const PROVIDERS = `---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    extensionProviders:
      - { name: http, opentelemetry: { service: http.example, port: 4317, http: { path: /v1/traces } } }
      - { name: grpc, opentelemetry: { service: grpc.example, port: 4317 } }
      - { name: zipkin, zipkin: { service: zipkin.example, port: 4317, traceContextOption: USE_B3_WITH_W3C_PROPAGATION } }
      - { name: stored, zipkin: { service: stored.example, port: 4317, traceContextOption: USE_B3_WITH_W3C_PROPAGATION } }
      - { name: logs, envoyOtelAls: { service: grpc.example, port: 4317, logFormat: { text: '%REQ(:PATH)% at %REQ(X-AT)%' } } }
    defaultProviders: { tracing: [http], accessLogging: [logs], metrics: [prometheus] }
    defaultConfig: { tracing: { sampling: 100 } }
`;

const system = folder({});
let collector: Collector;
let store: Zipkin;
let mesh: Mesh;
let client: Sender;
beforeAll(async () => {
  [collector, store] = await Promise.all([startCollector(), startZipkin()]);
  const { grpc, http, zipkin } = collector.ports;
  const places = [place('grpc', grpc, 'GRPC'), place('http', http, 'HTTP'), place('zipkin', zipkin, 'HTTP')];
  places.push(place('stored', store.port, 'HTTP'));
  const workloads = ['client', ...SERVERS, ...STORED].map((name) => service(name)).join('---\n');
  system.write('mesh.yaml', [workloads, ...[...SERVERS, ...STORED].map(reports), ...places, PROVIDERS].join(''));
  mesh = await up([join(system.path), '--otlp-metrics', `http://127.0.0.1:${http}`], {
    engine: 'mixed',
    onEnvoy: [...ENVOYS, 'stored-envoy'].map((name) => `${name}-v1`),
    readyMs: 60_000,
  });
  client = await fromWorkload(mesh, 'default', 'client-v1');
});
afterAll(async () => {
  await mesh?.stop();
  collector?.stop();
  store?.stop();
  system.remove();
});

/** Until the Collector has something of each, or no longer: what it has then. */
async function collected<T>(pick: (all: Collected) => Map<string, T>): Promise<Map<string, T>> {
  let found = new Map<string, T>();
  await expect
    .poll(
      () => {
        found = pick(collector.collected());
        return SERVERS.filter((name) => !found.has(name));
      },
      { interval: 250 },
    )
    .toEqual([]);
  return found;
}

type Span = Collected['spans'][number];

/** Of what is tried again, only the last time counts. */
let round = 0;

it('spans by OTLP over HTTP and over gRPC, and by Zipkin, are of one trace each', async () => {
  round++;
  const urlOf = (name: string): string => `http://${name}:8080/${name}/${round}`;
  for (const name of SERVERS) expect((await client.get(urlOf(name), { 'x-at': name })).status).toBe(200);
  const byServer = (whose: (service: string) => boolean) => () =>
    collected(({ spans }) => {
      const now = spans.filter(({ service: of, tags }) => whose(of) && tags['http.url']?.endsWith(`/${round}`));
      return new Map(now.map((each) => [each.tags['http.url']!.split('/').at(-2)!, each]));
    });
  const ofServers = await byServer((name) => name !== 'client.default')();
  const ofClient = await byServer((name) => name === 'client.default')();
  for (const name of SERVERS) {
    const [span, parent] = [ofServers.get(name)!, ofClient.get(name)!];
    expect([span.service, span.tags['http.url']]).toEqual([`${name}.default`, urlOf(name)]);
    // Numbers as OTLP has them: 2 is a server's, 3 a client's.
    expect([name, span['kind'], parent['kind']]).toEqual([name, 2, 3]);
    expect([name, span['traceId'], span['parentSpanId']]).toEqual([name, parent['traceId'], parent['spanId']]);
    expect(span.tags).toMatchObject({ 'http.method': 'GET', 'istio.namespace': 'default' });
    // Zipkin's receiver calls it as OpenTelemetry does now.
    expect(span.tags['http.status_code'] ?? span.tags['http.response.status_code']).toBe('200');
    const [start, end] = [BigInt(span['startTimeUnixNano'] as string), BigInt(span['endTimeUnixNano'] as string)];
    expect(end > start && BigInt(Date.now()) * 1_000_000n - end < 300_000_000_000n).toBe(true);
  }
});

it('Zipkin’s own server takes every span, and finds them by their trace', async () => {
  const mark = `stored-${++round}`;
  for (const name of STORED) expect((await client.get(`http://${name}:8080/${mark}`)).status).toBe(200);
  for (const name of STORED) {
    const url = `http://${name}:8080/${mark}`;
    const ofClient = (): Collected['spans'][number] | undefined =>
      collector.collected().spans.find(({ tags }) => tags['http.url'] === url);
    await expect.poll(ofClient, { interval: 250 }).toBeDefined();
    const { traceId, spanId } = ofClient()! as unknown as { readonly traceId: string; readonly spanId: string };
    await expect.poll(async () => (await store.trace(traceId)).length, { interval: 250 }).toBe(1);
    const [span] = await store.trace(traceId);
    expect(span).toMatchObject({
      traceId,
      parentId: spanId,
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      kind: 'SERVER',
      localEndpoint: { serviceName: `${name}.default` },
      tags: { 'http.method': 'GET', 'http.status_code': '200', 'http.url': url, component: 'proxy' },
    });
    expect(span!.duration).toBeGreaterThan(0);
    expect(Math.abs(Date.now() * 1000 - span!.timestamp!)).toBeLessThan(300_000_000);
  }
  const counts = await store.counts();
  expect(counts).toMatchObject({ messages_dropped: 0, spans_dropped: 0 });
  expect(counts['spans']).toBeGreaterThanOrEqual(STORED.length);
});

it('access logs: a line of each end of each request', async () => {
  round++;
  for (const name of SERVERS) await client.get(`http://${name}:8080/${name}/${round}`, { 'x-at': name });
  const lines = (): string[] => {
    const all = collector.collected().logs.map(({ body }) => body.stringValue ?? '');
    return all.filter((line) => line.includes(`/${round} `));
  };
  const expected = SERVERS.flatMap((name) => Array<string>(2).fill(`/${name}/${round} at ${name}`)).toSorted();
  await expect.poll(() => lines().toSorted(), { interval: 250 }).toEqual(expected);
});

it('metrics: of every workload on either engine, and of the control plane', async () => {
  for (const name of [...SERVERS, ...STORED]) await client.get(`http://${name}:8080/`);
  const having = (metric: string): string[] =>
    [...collector.collected().metrics].filter(([, names]) => names.has(metric)).map(([name]) => name);
  await expect
    .poll(() => having('istio_requests_total').toSorted(), { interval: 250 })
    .toEqual(['client', ...SERVERS, ...STORED].map((name) => `${name}.default`).toSorted());
  await expect.poll(() => having('pilot_xds_pushes'), { interval: 250 }).toHaveLength(1);
});

it('spans that a mesh keeps go to the Collector, too, by one setting', async () => {
  const plain = folder({ 'mesh.yaml': ['asker', 'asked'].map((name) => service(name)).join('---\n') });
  const args = [plain.path, '--otlp-traces', `http://127.0.0.1:${collector.ports.http}`];
  const keeping = await up(args, { engine: 'mixed', onEnvoy: ['asked-v1'] });
  try {
    const url = `http://asked:8080/kept-${++round}`;
    const asker = await fromWorkload(keeping, 'default', 'asker-v1');
    expect((await asker.get(url)).status).toBe(200);
    const spans = (): Collected['spans'] => collector.collected().spans.filter(({ tags }) => tags['http.url'] === url);
    await expect.poll(() => spans().length, { interval: 250 }).toBe(2);
    const [client, server] = spans().toSorted((a, b) => Number(b['kind']) - Number(a['kind'])) as [Span, Span];
    expect([client.service, client['kind'], server.service, server['kind']]).toEqual([
      'asker.default',
      3,
      'asked.default',
      2,
    ]);
    expect([server['traceId'], server['parentSpanId']]).toEqual([client['traceId'], client['spanId']]);
    const { traceId } = client as unknown as { readonly traceId: string };
    const { body } = await keeping.api(`/api/traces/${traceId}`);
    expect((JSON.parse(body) as { readonly spans: readonly unknown[] }).spans).toHaveLength(2);
  } finally {
    await keeping.stop();
    plain.remove();
  }
});

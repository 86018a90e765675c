import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromWorkload } from './lib/from-workload.ts';
import type { Engine } from './lib/engines.ts';
import { up, type Mesh } from './lib/mesh.ts';
import { samples } from './lib/metrics.ts';
import { folder, service } from './lib/system.ts';

/** One scenario on every engine: Istio's metrics are the same ones, with the same labels and the same values. */

const CLIENT = service('client').replace(
  'image: client:v1',
  "image: client:v1\n          env: [{ name: DATABASE, value: 'db:9000' }]",
);
const DATABASE = service('db').replaceAll('name: http', 'name: tcp').replace(/8080/g, '9000');
const RULES = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: books }
spec:
  hosts: [books]
  http:
    - match: [{ uri: { prefix: /fault } }]
      fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }
      route: [{ destination: { host: books } }]
    - route: [{ destination: { host: books } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: books }
spec:
  selector: { matchLabels: { app: books } }
  action: DENY
  rules: [{ to: [{ operation: { paths: [/secret] } }] }]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: metrics, namespace: istio-system }
spec:
  metrics:
    - providers: [{ name: prometheus }]
      overrides:
        - match: { metric: REQUEST_COUNT }
          tagOverrides:
            method: { value: request.method }
            who: { value: "request.headers['x-who'] | 'nobody'" }
            destination_cluster: { operation: REMOVE }
`;

interface Meshes {
  readonly name: string;
  readonly engine: Engine;
  readonly onEnvoy: readonly string[];
}
const MESHES: readonly Meshes[] = [
  { name: 'our own proxy', engine: 'embedded', onEnvoy: [] },
  { name: 'Envoy', engine: 'envoy', onEnvoy: [] },
  { name: 'Envoy for servers', engine: 'mixed', onEnvoy: ['books-v1', 'db-v1'] },
  { name: 'Envoy for clients', engine: 'mixed', onEnvoy: ['client-v1'] },
];

const COUNTED = [
  'istio_requests_total',
  'istio_request_duration_milliseconds_count',
  'istio_request_bytes_count',
  'istio_response_bytes_count',
  'istio_tcp_connections_opened_total',
  'istio_tcp_connections_closed_total',
  'istio_tcp_sent_bytes_total',
  'istio_tcp_received_bytes_total',
] as const;
/** By metric and labels. */
type Counted = Record<string, number>;
const seen = new Map<string, Record<string, Counted>>();

describe.each(MESHES)('metrics of a mesh on $name', ({ name, engine, onEnvoy }) => {
  const system = folder({ 'mesh.yaml': [CLIENT, service('books'), DATABASE].join('---\n') + RULES });
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await up([system.path], { engine, onEnvoy });
  });
  afterAll(async () => {
    await mesh?.stop();
    system.remove();
  });

  async function read(): Promise<Record<string, Counted>> {
    const targets = JSON.parse((await mesh.api('/api/prometheus/targets')).body) as {
      targets: string[];
      labels: Record<string, string>;
    }[];
    const found: Record<string, Counted> = {};
    for (const { targets: places, labels } of targets) {
      const text = await (await fetch(`http://${places[0]}/stats/prometheus`)).text();
      found[labels['workload']!] = Object.fromEntries(COUNTED.flatMap((metric) => rows(text, metric)));
    }
    return found;
  }

  it('counts requests and connections at both ends', async () => {
    const client = await fromWorkload(mesh, 'default', 'client-v1');
    const ask = async (url: string, times: number, status: number, headers = {}): Promise<void> => {
      for (let i = 0; i < times; i++) expect((await client.get(url, headers)).status).toBe(status);
    };
    await ask('http://books:8080/', 20, 200);
    await ask('http://books:8080/', 2, 200, { 'x-who': 'somebody' });
    await ask('http://books:8080/fault', 3, 418);
    await ask('http://books:8080/secret', 4, 403);
    await ask('http://nowhere.invalid/', 2, 503);
    const { pods } = JSON.parse((await mesh.api('/api/workloads/default/client-v1')).body) as {
      pods: { httpProxy: string }[];
    };
    const [address] = pods[0]!.httpProxy.split(':') as [string];
    for (let i = 0; i < 3; i++) expect(await echoed(address, 9000, 'hello\n')).toMatch('hello\n');

    const sum = (counted: Counted | undefined, metric: string): number =>
      Object.entries(counted ?? {}).reduce(
        (all, [key, value]) => (key.startsWith(`${metric} `) ? all + value : all),
        0,
      );
    let now: Record<string, Counted> = {};
    const totals = async (): Promise<number[]> => {
      now = await read();
      return [
        sum(now['client-v1'], 'istio_requests_total'),
        sum(now['books-v1'], 'istio_requests_total'),
        sum(now['client-v1'], 'istio_tcp_connections_closed_total'),
        sum(now['db-v1'], 'istio_tcp_connections_closed_total'),
      ];
    };
    await expect.poll(totals).toEqual([31, 26, 3, 3]);
    seen.set(name, now);
    await expect.poll(read).toEqual(seen.get('our own proxy'));
  });

  it('shows who sends to whom', async () => {
    const edges = async (): Promise<unknown[]> => {
      const graph = JSON.parse((await mesh.api('/api/graph')).body) as {
        edges: { source: string; target: string; mtls: boolean; requestRate: number }[];
      };
      return graph.edges
        .filter(({ target }) => target.startsWith('workload/'))
        .map(({ source, target, mtls, requestRate }) => [source, target, mtls, requestRate > 0]);
    };
    const from = 'workload/default/client-v1';
    await expect.poll(edges).toEqual(
      expect.arrayContaining([
        [from, 'workload/default/books-v1', true, true],
        [from, 'workload/default/db-v1', true, true],
      ]),
    );
    expect(await edges()).toHaveLength(2);
  });
});

function rows(text: string, metric: string): [string, number][] {
  return samples(text, metric).map(({ value, ...labels }) => {
    const pairs = Object.entries(labels).map(([key, label]) => `${key}=${label}`);
    return [[metric, ...pairs.toSorted((a, b) => a.localeCompare(b))].join(' '), Number(value)];
  });
}

/** What comes back of a line. */
function echoed(host: string, port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.on('error', reject);
    socket.once('data', (data: Buffer) => {
      socket.end();
      socket.on('close', () => resolve(data.toString()));
    });
    socket.resume();
    socket.write(line);
  });
}

/** Reports of load beside Envoy's own, to the same server and of the same requests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import type { JsonObject } from '@mizzen/xds';
import { expect, test } from 'vitest';
import { ask, fetchText, HTTP2, startRaw, TYPE } from '../filter/testing/beside.ts';
import {
  bootstrap,
  hcm,
  listener,
  routeTo,
  socketAddress,
  staticCluster,
  tcpProxy,
} from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import { startLoadServer, type LoadStream } from './testing/server.ts';

interface Running {
  readonly admin: number;
  output(): string;
  stop(): Promise<void>;
}
type Start = (config: object) => Promise<Running>;

const envoy: Start = async (config) => {
  const running = await startEnvoy(config);
  return { ...running, admin: running.adminPort };
};

const answer = (text: string): string | Promise<string> => {
  const path = /^\S+ (\S+)/.exec(text)?.[1] ?? '';
  if (path.endsWith('/reset')) return '';
  if (path.endsWith('/silent')) return new Promise<string>(() => undefined);
  if (path.endsWith('/never')) return 'HTTP/1.1 100 Continue\r\n\r\n';
  const status = /\/(\d{3})$/.exec(path)?.[1] ?? '200';
  const grpc = /\/grpc(\d+)$/.exec(path)?.[1];
  const fields = grpc === undefined ? '' : `content-type: application/grpc\r\ngrpc-status: ${grpc}\r\n`;
  const body = path.startsWith('/only/') ? '' : 'ok';
  return `HTTP/1.1 ${status} X\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`;
};

function endpoints(
  name: string,
  localities: readonly { readonly at: object; readonly ports: readonly number[]; readonly more?: object }[],
  policy: object = {},
): object {
  return {
    clusterName: name,
    endpoints: localities.map(({ at, ports, more }) => ({
      locality: at,
      lbEndpoints: ports.map((port) => ({ endpoint: { address: socketAddress(port) } })),
      ...more,
    })),
    policy,
  };
}

const many = (path: string, times: number): string[] => Array.from({ length: times }, () => path);
const SINGLE = `/one/ /one/404 /one/500 /one/503 /one/reset /slow/never /silent/silent /retried/503 /retried/reset /closed/
  /nobody/ /busy/ /dropping/ /maintained/ /eds/ /eds/500 /mirrored/ /none/`;
const PATHS = [...many('/spread/', 6), ...many('/spread/503', 3), ...SINGLE.split(/\s+/)];
const GRPC = [0, 5, 14, 2]
  .flatMap((status) => [`/only/grpc${status}`, `/with/grpc${status}`])
  .concat('/only/', '/only/503');

interface Seen {
  readonly first: unknown;
  readonly reports: readonly JsonObject[];
  readonly headers: Readonly<Record<string, unknown>>;
  readonly stats: readonly string[];
  readonly clusters: readonly string[];
}

async function observe(start: Start): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-load-'));
  const ups = [await startRaw(answer), await startRaw(answer), await startRaw(answer)] as const;
  const [a, b, c] = ups.map(({ port }) => port) as [number, number, number];
  const [port, tcpPort, closed] = [await freePort(), await freePort(), await freePort()];
  const server = await startLoadServer({
    sendAllClusters: true,
    reportEndpointGranularity: true,
    loadReportingInterval: '60s',
  });
  const spread = endpoints('spread', [
    { at: { region: 'r', zone: 'z2' }, ports: [a] },
    { at: { region: 'r', zone: 'z1', subZone: 's' }, ports: [b] },
    { at: { region: 'own', zone: 'zone-1' }, ports: [c] },
    { at: { region: 'r', zone: 'z2' }, ports: [closed], more: { priority: 1 } },
  ]);
  const file = join(folder, 'eds.json');
  writeFileSync(
    file,
    JSON.stringify({
      versionInfo: '1',
      resources: [
        {
          '@type': `${TYPE}envoy.config.endpoint.v3.ClusterLoadAssignment`,
          ...endpoints('eds', [{ at: {}, ports: [a] }]),
        },
      ],
    }),
  );
  const dropping = (name: string, numerator: number): object =>
    staticCluster(name, [], {
      loadAssignment: endpoints(name, [{ at: {}, ports: [a] }], {
        dropOverloads: [{ category: `category of ${name}`, dropPercentage: { numerator } }],
      }),
    });
  const route = (name: string, cluster: string, more: object = {}): object => routeTo(cluster, `/${name}/`, more);
  const config = {
    ...bootstrap(
      [
        listener(port, [
          {
            filters: [
              hcm([
                route('slow', 'slow', { timeout: '0.3s' }),
                route('silent', 'silent', { timeout: '0.3s' }),
                route('only', 'only'),
                route('with', 'with'),
                route('one', 'one'),
                route('spread', 'spread'),
                route('retried', 'retried', { retryPolicy: { retryOn: '5xx', numRetries: 2 } }),
                route('closed', 'closed'),
                route('nobody', 'nobody'),
                route('busy', 'busy'),
                route('dropping', 'dropping'),
                route('maintained', 'maintained'),
                route('eds', 'eds'),
                route('mirrored', 'eds', { requestMirrorPolicies: [{ cluster: 'mirror' }] }),
              ]),
            ],
          },
        ]),
        listener(tcpPort, [{ filters: [tcpProxy('tcp')] }]),
      ],
      [
        staticCluster('lrs', [server.port], HTTP2),
        staticCluster('spread', [], { loadAssignment: spread, commonLbConfig: { healthyPanicThreshold: {} } }),
        ...['one', 'slow', 'silent', 'only', 'with'].map((name) => staticCluster(name, [b])),
        staticCluster('retried', [a]),
        staticCluster('closed', [closed]),
        staticCluster('nobody', []),
        staticCluster('busy', [a], { circuitBreakers: { thresholds: [{ maxRequests: 0, maxPendingRequests: 0 }] } }),
        dropping('dropping', 100),
        staticCluster('maintained', [a]),
        staticCluster('mirror', [b]),
        staticCluster('tcp', [a]),
        {
          name: 'eds',
          type: 'EDS',
          edsClusterConfig: {
            serviceName: 'eds',
            edsConfig: { pathConfigSource: { path: file }, resourceApiVersion: 'V3' },
          },
        },
      ],
    ),
    node: { id: 'teller', cluster: 'tellers', locality: { region: 'own', zone: 'zone-1' } },
    clusterManager: {
      loadStatsConfig: {
        apiType: 'GRPC',
        transportApiVersion: 'V3',
        grpcServices: [{ envoyGrpc: { clusterName: 'lrs' }, initialMetadata: [{ key: 'X-Told', value: 'so' }] }],
      },
    },
    layeredRuntime: { layers: [{ name: 's', staticLayer: { 'upstream.maintenance_mode.maintained': 100 } }] },
  };
  const proxy = await start(config);
  const open: Socket[] = [];
  try {
    await expect.poll(() => server.streams[0]?.reports.length).toBe(1);
    const [stream] = server.streams as [LoadStream];
    // What was asked has been heard.
    await expect.poll(async () => fetchText(proxy.admin, '/stats?filter=load_reporter.requests')).toContain(': 1');
    const asked = async (path: string, more = ''): Promise<void> => {
      await ask(port, `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${more}\r\n`);
    };
    for (const path of PATHS) await asked(path);
    for (const path of GRPC) await asked(path, 'content-type: application/grpc\r\n');
    const [waits, tunnel] = [connect(port, '127.0.0.1'), connect(tcpPort, '127.0.0.1')];
    open.push(waits, tunnel);
    waits.write('GET /eds/never HTTP/1.1\r\nhost: h\r\n\r\n');
    tunnel.write('GET /never HTTP/1.1\r\n\r\n');
    await expect
      .poll(async () => fetchText(proxy.admin, '/stats?filter=(eds|tcp).upstream_rq_active$'))
      .toMatch(/eds.*: 1\n.*tcp.*: 1/);
    const at = stream.reports.length;
    stream.ask({ sendAllClusters: true, reportEndpointGranularity: true, loadReportingInterval: '0.4s' });
    await expect.poll(() => stream.reports.length, { timeout: 5000 }).toBeGreaterThanOrEqual(at + 2);
    const two = stream.reports.slice(at, at + 2);
    waits.destroy();
    await expect.poll(async () => fetchText(proxy.admin, '/stats?filter=eds.upstream_rq_active$')).toContain(': 0');
    stream.ask({ clusters: ['eds', 'tcp', 'unknown'], loadReportingInterval: '0.3s' });
    const then = stream.reports.length;
    await expect.poll(() => stream.reports.length, { timeout: 5000 }).toBeGreaterThanOrEqual(then + 1);
    const third = stream.reports.slice(then, then + 1);
    const text = await fetchText(proxy.admin, '/stats?filter=load_reporter');
    const clusters = await fetchText(proxy.admin, '/clusters');
    return {
      first: firstOf(stream.reports[0]!),
      reports: [...two, ...third].map((report) => told(report, [a, b, c, closed, server.port])),
      headers: {
        path: stream.headers[':path'],
        authority: stream.headers[':authority'],
        type: stream.headers['content-type'],
        told: stream.headers['x-told'],
      },
      stats: text.split('\n').map((line) => line.replace(/(?<=responses: )\d+/, 'N')),
      clusters: clusters
        .split('\n')
        .filter((line) => /::rq_|eds_service/.test(line))
        .map((line) => named(line, [a, b, c, closed, server.port]))
        .toSorted(),
    };
  } finally {
    for (const socket of open) socket.destroy();
    await proxy.stop();
    await server.stop();
    for (const up of ups) await up.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each says itself what it can do besides. */
function firstOf({ node, ...rest }: JsonObject): object {
  const { id, cluster, clientFeatures } = node as Readonly<Record<string, unknown>>;
  return { ...rest, id, cluster, told: (clientFeatures as readonly string[]).filter((one) => one.includes('lrs')) };
}

function told(report: JsonObject, ports: readonly number[]): JsonObject {
  const all = (report['clusterStats'] ?? []) as readonly JsonObject[];
  const stats: JsonObject[] = all
    .map(({ loadReportInterval, ...rest }): JsonObject => ({
      ...rest,
      interval: Number.parseFloat(loadReportInterval as string) > 0.2,
    }))
    .toSorted((x, y) => ((x['clusterName'] as string) < (y['clusterName'] as string) ? -1 : 1));
  return JSON.parse(named(JSON.stringify({ stats }), ports)) as JsonObject;
}

function named(text: string, ports: readonly number[]): string {
  return ports.reduce((all, port, i) => all.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(i)), text);
}

test('load is reported as Envoy reports it', { timeout: 60_000 }, async () => {
  const [theirs, ours] = await Promise.all([observe(envoy), observe(startWithAdmin)]);
  expect(ours.first).toEqual(theirs.first);
  expect(ours.reports).toEqual(theirs.reports);
  expect(ours.headers).toEqual(theirs.headers);
  expect(ours.stats).toEqual(theirs.stats);
  expect(ours.clusters).toEqual(theirs.clusters);
});

/** What is said after streams have ended, with this status each. */
async function again(start: Start, status: number): Promise<unknown> {
  const server = await startLoadServer({ clusters: ['other'], loadReportingInterval: '60s' });
  const grpcServices = [{ envoyGrpc: { clusterName: 'lrs', authority: 'told' } }];
  const proxy = await start({
    ...bootstrap([], [staticCluster('lrs', [server.port], HTTP2), staticCluster('other', [])]),
    node: { id: 'teller', cluster: 'tellers' },
    clusterManager: { loadStatsConfig: { apiType: 'GRPC', transportApiVersion: 'V3', grpcServices } },
  });
  const stats = (): Promise<string> => fetchText(proxy.admin, '/stats?filter=load_reporter');
  try {
    await expect.poll(stats).toContain('requests: 1');
    server.streams[0]!.end(status);
    await expect.poll(() => server.streams.length, { timeout: 9000 }).toBe(2);
    const [, second] = server.streams;
    await expect.poll(stats).toContain('requests: 2');
    return {
      authority: second!.headers[':authority'],
      reports: second!.reports.map((report) => told(report, [server.port])),
      stats: await stats(),
      host: (await fetchText(proxy.admin, '/clusters'))
        .split('\n')
        .filter((line) => /::rq_/.test(line))
        .map((line) => named(line, [server.port])),
    };
  } finally {
    await proxy.stop();
    await server.stop();
  }
}

test('streams that ended are opened again after five seconds, as by Envoy', { timeout: 60_000 }, async () => {
  for (const status of [0, 14]) {
    const [theirs, ours] = await Promise.all([again(envoy, status), again(startWithAdmin, status)]);
    expect(ours, String(status)).toEqual(theirs);
  }
});

test('without a service nobody is told, and the proxy runs', { timeout: 30_000 }, async () => {
  const config = {
    ...bootstrap([], []),
    node: { id: 'teller', cluster: 'tellers' },
    clusterManager: { loadStatsConfig: { apiType: 'GRPC', transportApiVersion: 'V3' } },
  };
  // Envoy finds no fault with it, either, and ends as it starts.
  await expect(startEnvoy(config)).rejects.toThrow('API configs must have either a gRPC service or a cluster name');
  const proxy = await startWithAdmin(config);
  try {
    expect(await fetchText(proxy.admin, '/stats?filter=load_reporter')).toBe('');
    expect(proxy.output()).toContain('load is not reported: `clusterManager.loadStatsConfig` names no gRPC service');
  } finally {
    await proxy.stop();
  }
});

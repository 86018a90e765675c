import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import type { JsonValue } from '@mizzen/xds';
import { Headers } from '../http/headers.ts';
import { context, fakeDeps } from '../lb/testing.ts';
import { newStreamInfo } from '../listener/stream-info.ts';
import { bootstrap, hcm, listener, routeTo } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testDeps } from '../program/testing/deps.ts';
import { TlsContexts } from '../tls/context.ts';
import type { ConnectionInfo } from '../types.ts';
import { OriginalDstCluster } from './original-dst.ts';
import { newClusterStats } from './stats.ts';
import { compileCluster } from '../program/cluster/compile.ts';

const servers: Server[] = [];
const running: { stop(): Promise<void> }[] = [];
const ports: Record<string, number> = {};
const backends: number[] = [];

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    const server = createServer((incoming, response) => {
      const { 'x-envoy-original-dst-host': standard = '-', 'x-target': own = '-' } = incoming.headers;
      response.end(`${i} ${String(standard)} ${String(own)}`);
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    backends.push((server.address() as AddressInfo).port);
  }
  const cluster = (name: string, originalDstLbConfig: object): object => ({
    name,
    type: 'ORIGINAL_DST',
    lbPolicy: 'CLUSTER_PROVIDED',
    connectTimeout: '1s',
    cleanupInterval: '1s',
    originalDstLbConfig,
  });
  const clusters = [
    cluster('standard', { useHttpHeader: true }),
    cluster('own', { useHttpHeader: true, httpHeaderName: 'X-Target', upstreamPortOverride: backends[1] }),
    cluster('none', {}),
  ];
  const routes = ['standard', 'own', 'none'].map((name) => routeTo(name, `/${name}`));
  for (const [engine, start] of [
    ['mizzen', startProxy],
    ['envoy', startEnvoy],
  ] as const) {
    ports[engine] = await freePort();
    running.push(await start(bootstrap([listener(ports[engine], [{ filters: [hcm(routes)] }])], clusters)));
  }
}, 60_000);
afterAll(async () => {
  await Promise.all(running.map((proxy) => proxy.stop()));
  for (const server of servers) server.close();
});

function ask(port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}

const STANDARD = 'x-envoy-original-dst-host';
const CASES: readonly (readonly [string, () => Record<string, string>, RegExp])[] = [
  ['/standard', () => ({ [STANDARD]: `127.0.0.1:${backends[0]}` }), /^200 0 /],
  ['/standard', () => ({ [STANDARD]: `127.0.0.1:${backends[1]}` }), /^200 1 /],
  ['/standard', () => ({ [STANDARD]: '127.0.0.1' }), /^503 no healthy upstream/],
  ['/standard', () => ({ [STANDARD]: `localhost:${backends[0]}` }), /^503 no healthy upstream/],
  ['/standard', () => ({ [STANDARD]: '127.0.0.1:99999' }), /^503 no healthy upstream/],
  ['/standard', () => ({ 'x-target': `127.0.0.1:${backends[0]}` }), /^503 no healthy upstream/],
  ['/own', () => ({ 'x-target': '127.0.0.1:1' }), /^200 1 /],
  ['/own', () => ({ 'x-target': '[::1:1' }), /^503 no healthy upstream/],
  ['/none', () => ({ [STANDARD]: `127.0.0.1:${backends[0]}` }), /^503 no healthy upstream/],
];

describe('a host that a header names, as in Envoy', () => {
  test.each(CASES.map(([path, headers, expected], i) => ({ i, path, headers, expected })))(
    '$i: $path',
    async ({ path, headers, expected }) => {
      const theirs = await ask(ports['envoy']!, path, headers());
      expect(theirs).toMatch(expected);
      expect(await ask(ports['mizzen']!, path, headers())).toBe(theirs);
    },
  );

  test('hosts that were cleaned up come back', async () => {
    const headers = { [STANDARD]: `127.0.0.1:${backends[0]}` };
    await new Promise((done) => setTimeout(done, 2500));
    expect(await ask(ports['mizzen']!, '/standard', headers)).toMatch(/^200 0 /);
  });
});

test('a header without leave to use it is refused as by Envoy', async () => {
  const config = {
    name: 'c',
    type: 'ORIGINAL_DST',
    lbPolicy: 'CLUSTER_PROVIDED',
    originalDstLbConfig: { httpHeaderName: 'x-target' },
  };
  expect(compileCluster(config, testDeps).nacks?.map(({ field }) => field)).toEqual([
    'originalDstLbConfig.httpHeaderName',
  ]);
  await expect(startEnvoy(bootstrap([], [config]))).rejects.toThrow('did not start');
});

test('dynamic metadata comes before the header', () => {
  const { program } = compileCluster(
    {
      name: 'c',
      type: 'ORIGINAL_DST',
      lbPolicy: 'CLUSTER_PROVIDED',
      originalDstLbConfig: { useHttpHeader: true, metadataKey: { key: 'f', path: [{ key: 'a' }, { key: 'b' }] } },
    },
    testDeps,
  );
  const cluster = new OriginalDstCluster(
    program!,
    new TlsContexts({ get: () => undefined }),
    newClusterStats(),
    fakeDeps(),
  );
  const chosen = (b: JsonValue | undefined): string | undefined => {
    const connection = { directRemoteAddress: '127.0.0.1' } as ConnectionInfo;
    const info = newStreamInfo(connection, fakeDeps().clock);
    if (b !== undefined) info.dynamicMetadata = { f: { a: { b } } };
    const headers = new Headers([STANDARD, '10.0.0.1:1']);
    const head = { method: 'GET', path: '/', authority: '', scheme: 'http', headers };
    return cluster.choose(context({ stream: { request: head, info } }))?.authority;
  };
  expect([undefined, '10.0.0.2:2', ['[::1]:3', '10.0.0.9:9'], 'nowhere', 7].map(chosen)).toEqual([
    '10.0.0.1:1',
    '10.0.0.2:2',
    '[::1]:3',
    '10.0.0.1:1',
    '10.0.0.1:1',
  ]);
  cluster.close();
});

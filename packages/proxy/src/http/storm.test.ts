/** Everything at once, from clients and upstreams that behave badly: nothing may be left behind afterwards. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ClusterCircuitBreaker } from '../cluster/circuit-breaker.ts';
import type { HttpFilter } from '../types.ts';
import { RetryOn } from './retry.ts';
import { RETRY, routeTo, startTestServer, TestCluster } from './test-server.ts';

/** A generator of numbers that is the same every time (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

async function badUpstream(seed: number): Promise<{ port: number; stop(): Promise<void> }> {
  const random = numbers(seed);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: random(2) === 0 }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    if (random(40) === 0) socket.resetAndDestroy();
    socket.on('data', () => {
      const answer = (): void => {
        if (socket.destroyed) return;
        switch (random(16)) {
          case 0:
            socket.destroy();
            break;
          case 1:
            socket.resetAndDestroy();
            break;
          case 2:
            socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
            break;
          case 3:
            socket.write('HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno');
            break;
          case 4:
            socket.write('nonsense\r\n\r\n');
            break;
          case 5:
            break;
          case 6:
            socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end');
            break;
          case 7:
            socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
            break;
          case 8:
            socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
            break;
          case 9:
            socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(100_000)}`);
            break;
          default:
            socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        }
      };
      if (random(3) === 0) setTimeout(answer, random(30));
      else answer();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello',
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n${'y'.repeat(200_000)}`,
  'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel',
  'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\npayload',
  'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\npayload',
  'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  'GET / HT',
  'nonsense\r\n\r\n',
  '',
];

async function badClient(port: number, random: (below: number) => number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  if (random(4) > 0) socket.resume();
  for (let i = random(3); i >= 0; i--) {
    socket.write(REQUESTS[random(REQUESTS.length)]!);
    await pause(random(30));
  }
  switch (random(3)) {
    case 0:
      socket.destroy();
      break;
    case 1:
      socket.resetAndDestroy();
      break;
    default:
      socket.resume();
      socket.end();
      await Promise.race([new Promise((done) => socket.once('close', done)), pause(300)]);
      socket.destroy();
  }
}

/** Until nothing of what is counted is left. */
async function over(count: () => Readonly<Record<string, number>>): Promise<void> {
  await expect.poll(() => Object.entries(count()).filter(([, left]) => left !== 0), { timeout: 15_000 }).toEqual([]);
}

test('after a storm all counts are back where they were', async () => {
  const ups = [await badUpstream(1), await badUpstream(2), await badUpstream(3)];
  const limits = { maxConnections: 6, maxPendingRequests: 8, maxRequests: 8, maxRetries: 4 };
  const cluster = new TestCluster('b', [...ups.map(({ port }) => port), 1], limits);
  const mirror = new TestCluster('m', [ups[0]!.port]);
  const random = numbers(7);
  const slow: HttpFilter = {
    name: 'slow',
    onRequest: () => (random(4) === 0 ? pause(random(20)).then(() => undefined) : undefined),
    onResponse: () => (random(4) === 0 ? pause(random(20)).then(() => undefined) : undefined),
  };
  const action = {
    timeout: 150,
    retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 2, perTryTimeout: 60, perTryIdleTimeout: 80 },
    mirrors: [{ cluster: 'm', fraction: 0.3, disableShadowHostSuffix: false }],
  };
  const forward = routeTo('b', action);
  const plain = routeTo('b', { timeout: 150 });
  const tunnel = routeTo('b', { upgrades: new Map([['connect', { enabled: true, terminateConnect: true }]]) });
  const server = await startTestServer({
    clusters: [cluster, mirror],
    find: (request) => (request.method === 'CONNECT' ? tunnel : random(2) === 0 ? forward : plain),
    program: {
      filters: [slow],
      streamIdleTimeout: 250,
      delayedCloseTimeout: 50,
      upgrades: new Map([
        ['websocket', { enabled: true, filters: undefined }],
        ['connect', { enabled: true, filters: undefined }],
      ]),
      accessLogs: [{ shouldLog: undefined, target: { path: '-', format: ({ info }) => `${info.responseCode}\n` } }],
    },
  });
  await Promise.all(
    Array.from({ length: 25 }, async (_, i) => {
      const own = numbers(100 + i);
      for (let j = 0; j < 20; j++) await badClient(server.port, own);
    }),
  );
  const { stats } = server.hcm;
  await over(() => ({
    connections: server.connections.size,
    cx: stats.downstream_cx_active,
    rq: stats.downstream_rq_active,
    unlogged: stats.downstream_rq_total - server.log.length,
  }));
  expect(stats.downstream_rq_total).toBeGreaterThan(400);
  for (const {
    name,
    hosts,
    stats: upstream,
    limits: { DEFAULT },
  } of [cluster, mirror]) {
    await over(() => ({
      ...Object.fromEntries(hosts.map(({ active }, i) => [`${name} ${i}`, active])),
      [name]: upstream.upstream_rq_active,
    }));
    for (const host of hosts) host.pool?.drain();
    const { connections, pending, requests, retries } = DEFAULT as ClusterCircuitBreaker;
    expect({ connections, pending, requests, retries }, name).toEqual({
      connections: 0,
      pending: 0,
      requests: 0,
      retries: 0,
    });
  }
  await server.stop();
  for (const up of ups) await up.stop();
}, 60_000);

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../filter/testing/manual-clock.ts';
import { RetryOn } from '../http/retry.ts';
import { RETRY, TestCluster } from '../http/test-server.ts';
import { systemDeps } from '../process/deps.ts';
import { callHttp } from './http.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

/** A host that answers when it is told to. */
async function host(): Promise<{ readonly port: number; readonly sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => sockets.push(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

function counted({ stats }: TestCluster): Map<string, number> {
  const counts = new Map<string, number>();
  stats.internal.codes.addTo(counts, '');
  return counts;
}

const CALL = { cluster: 'c', method: 'GET', path: '/', authority: 'h', headers: [], body: undefined, timeout: 1000 };
const retry = { ...RETRY, on: RetryOn['5xx'], perTryTimeout: 50, backOffBase: 1 };

/** A call that is under way. */
async function calling() {
  const { port, sockets } = await host();
  const cluster = new TestCluster('c', [port]);
  const clock = new ManualClock();
  const { answer } = callHttp(
    { cluster: () => cluster, asyncRequests: { value: 0 } },
    { ...CALL, retry },
    { ...systemDeps(), clock },
  );
  return { sockets, cluster, clock, answer };
}

test('after an interim response an attempt may take all of the time', async () => {
  const { sockets, cluster, clock, answer } = await calling();
  await expect.poll(() => sockets.length).toBe(1);
  sockets[0]!.write('HTTP/1.1 100 Continue\r\n\r\n');
  await expect.poll(() => counted(cluster).get('upstream_rq_100')).toBe(1);
  clock.advance(60);
  expect(cluster.stats.upstream_rq_per_try_timeout).toBe(0);
  sockets[0]!.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  await expect(answer).resolves.toMatchObject({ status: 200, body: Buffer.from('ok') });
});

test('an attempt without an answer is followed by another, and the last one says how long it was waited for', async () => {
  const { sockets, cluster, clock, answer } = await calling();
  const failed = expect(answer).rejects.toMatchObject({
    reason: 'timeout',
    message: 'no answer to an attempt within 50 ms',
  });
  for (const attempts of [1, 2]) {
    await expect.poll(() => sockets.length).toBe(attempts);
    clock.advance(50);
    clock.advance(5);
  }
  await failed;
  expect(cluster.stats).toMatchObject({
    upstream_rq_per_try_timeout: 2,
    upstream_rq_retry: 1,
    upstream_rq_retry_limit_exceeded: 1,
    upstream_rq_active: 0,
  });
  expect(cluster.hosts[0]!.active).toBe(0);
  expect(clock.waiting).toBe(0);
});

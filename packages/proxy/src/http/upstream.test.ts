/** The router and the pools behind it, against servers that misbehave as told. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { rawRequest } from '@mizzen/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ResponseFlag, type RouteActionProgram } from '../types.ts';
import { RetryOn } from './retry.ts';
import { RETRY, routeTo, startTestServer, TestCluster, type TestOptions, type TestServer } from './test-server.ts';
import { reply, startUpstream, type OnRequest, type Upstream } from './test-upstream.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

async function until(holds: () => boolean): Promise<void> {
  await vi.waitUntil(holds, { timeout: 20_000, interval: 5 });
}

async function upstream(onRequest: OnRequest): Promise<Upstream> {
  const started = await startUpstream(onRequest);
  cleanUp.push(() => started.stop());
  return started;
}

const LOG: NonNullable<TestOptions['program']> = {
  accessLogs: [
    {
      shouldLog: undefined,
      target: {
        path: '-',
        format: ({ info }) =>
          JSON.stringify([
            info.responseCode,
            info.responseFlags,
            info.responseCodeDetails,
            info.attemptCount,
            info.upstreamHost,
          ]),
      },
    },
  ],
};

async function proxy(
  cluster: TestCluster,
  action: Partial<RouteActionProgram> = {},
  options: Partial<TestOptions> = {},
): Promise<TestServer> {
  const decision = routeTo(cluster.name, action);
  const server = await startTestServer({
    find: () => decision,
    clusters: [cluster],
    ...options,
    program: { ...LOG, ...options.program },
  });
  cleanUp.push(() => server.stop());
  return server;
}

function logs(server: TestServer): [status: number, flags: number, details: string, attempts: number, host: string][] {
  return server.log.map((line) => JSON.parse(line) as [number, number, string, number, string]);
}

const END = '\r\n0\r\n\r\n';

function unchunked(text: string): { readonly body: string; readonly rest: string } {
  let body = '';
  for (let at = 0; ;) {
    const from = text.indexOf('\r\n', at) + 2;
    const size = Number.parseInt(text.slice(at, from), 16);
    if (!(size > 0)) return { body, rest: text.slice(from + 2) };
    body += text.slice(from, from + size);
    at = from + size + 2;
  }
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('connections', () => {
  test('one connection serves one request after the other, and the one used last comes first', async () => {
    const up = await upstream((socket, _head, connection) => {
      // The first two are there at the same time.
      const both = until(() => up.received.filter((text) => text !== '').length === 2);
      void both.then(() => reply(socket, String(connection)));
    });
    const server = await proxy(new TestCluster('b', [up.port]));
    const both = await Promise.all([rawRequest(server.port, GET), rawRequest(server.port, GET)]);
    expect(new Set(both.map(({ text }) => text.at(-1)))).toEqual(new Set(['0', '1']));
    const third = await rawRequest(server.port, GET);
    const fourth = await rawRequest(server.port, GET);
    expect(fourth.text.at(-1)).toBe(third.text.at(-1));
    expect(up.sockets).toHaveLength(2);
  });

  test('what the upstream wants closed, or has closed, is not used again', async () => {
    const up = await upstream((socket, head) => {
      reply(socket, 'hi', '200 OK', head.includes('/close') ? 'connection: close\r\n' : '');
      if (head.includes('/end')) socket.end();
    });
    const server = await proxy(new TestCluster('b', [up.port]));
    for (const path of ['/close', '/end', '/stay', '/stay']) {
      const { text } = await rawRequest(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1.1 200/);
      if (path !== '/stay') await until(() => up.sockets.at(-1)!.closed);
    }
    expect(up.sockets).toHaveLength(3);
  });

  test("what comes after a response is nobody else's answer", async () => {
    const up = await upstream((socket, _head, connection) => {
      // One write: the second response must not be taken for the answer to a request that waits.
      const one = `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${connection}`;
      const answer = (): boolean => socket.write(one + one.replace(/.$/, 'X'));
      void until(() => cluster.stats.upstream_rq_pending_total === 4).then(answer);
    });
    const cluster = new TestCluster('b', [up.port], { maxConnections: 1 });
    const server = await proxy(cluster);
    const all = await Promise.all(Array.from({ length: 4 }, () => rawRequest(server.port, GET)));
    for (const { text } of all) expect(text).toMatch(/^HTTP\/1.1 200 [^]*\d$/);
    expect(up.sockets).toHaveLength(4);
  });

  test('a connection is used for as many requests as the cluster says', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const cluster = new TestCluster('b', [up.port]);
    cluster.maxRequestsPerConnection = 2;
    const server = await proxy(cluster);
    await rawRequest(server.port, GET.repeat(5), 5);
    expect(up.sockets).toHaveLength(3);
  });

  test('idle connections are closed after the idle timeout, and when the host leaves', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const cluster = new TestCluster('b', [up.port]);
    cluster.idleTimeout = 60;
    const server = await proxy(cluster);
    await rawRequest(server.port, GET);
    await until(() => up.sockets[0]!.closed);
    cluster.idleTimeout = 60_000;
    await rawRequest(server.port, GET);
    cluster.hosts[0]!.inService = false;
    cluster.hosts[0]!.pool!.drain();
    await until(() => up.sockets[1]!.closed);
  });

  test('breakers: what has no connection waits, up to a number; the others get 503 UO', async () => {
    const up = await upstream(
      (socket) => void until(() => cluster.stats.upstream_rq_pending_overflow === 2).then(() => reply(socket, 'hi')),
    );
    const cluster = new TestCluster('b', [up.port], { maxConnections: 1, maxPendingRequests: 2 });
    const server = await proxy(cluster);
    const first = rawRequest(server.port, GET);
    await until(() => up.received[0]?.endsWith('\r\n\r\n') === true);
    const answers = await Promise.all(Array.from({ length: 4 }, () => rawRequest(server.port, GET)));
    expect((await first).text).toMatch(/^HTTP\/1.1 200/);
    expect(answers.filter(({ text }) => text.startsWith('HTTP/1.1 200'))).toHaveLength(2);
    const refused = answers.filter(({ text }) => text.startsWith('HTTP/1.1 503'));
    expect(refused).toHaveLength(2);
    expect(refused[0]!.text).toContain('x-envoy-overloaded: true');
    expect(up.sockets).toHaveLength(1);
    expect(cluster.stats.upstream_rq_pending_overflow).toBe(2);
    expect(cluster.hosts[0]!.active).toBe(0);
  });

  test('a breaker for requests counts those under way', async () => {
    const up = await upstream(
      (socket) => void until(() => cluster.stats.upstream_rq_active_overflow === 2).then(() => reply(socket, 'hi')),
    );
    const cluster = new TestCluster('b', [up.port], { maxRequests: 1 });
    const server = await proxy(cluster);
    const answers = await Promise.all(Array.from({ length: 3 }, () => rawRequest(server.port, GET)));
    expect(answers.filter(({ text }) => text.startsWith('HTTP/1.1 200'))).toHaveLength(1);
    expect((await rawRequest(server.port, GET)).text).toMatch(/^HTTP\/1.1 200/);
  });

  test('a connection that was opened for nothing is idle, too', async () => {
    const waiting: Socket[] = [];
    const up = await upstream((socket) => waiting.push(socket));
    const cluster = new TestCluster('b', [up.port], { maxRequests: 1 });
    cluster.idleTimeout = 200;
    const server = await proxy(cluster);
    const first = rawRequest(server.port, GET);
    await until(() => waiting.length === 1);
    expect((await rawRequest(server.port, GET)).text).toMatch(/^HTTP\/1\.1 503/);
    await until(() => up.sockets[1]?.closed === true);
    expect(up.sockets.map(({ closed }) => closed)).toEqual([false, true]);
    reply(waiting[0]!, 'hi');
    expect((await first).text).toMatch(/^HTTP\/1\.1 200/);
  });
});

describe('failures', () => {
  test('a connection that dies under a request is a 503 UC; with a retry policy nobody notices', async () => {
    let requests = 0;
    const up = await upstream((socket) => {
      if (++requests % 2 === 0) socket.destroy();
      else reply(socket, 'hi');
    });
    const plain = await proxy(new TestCluster('b', [up.port]));
    const answers = await rawRequest(plain.port, GET + GET, 2);
    expect(answers.text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503']);
    expect(logs(plain)[1]).toEqual([
      503,
      ResponseFlag.UC,
      'upstream_reset_before_response_started{connection_termination}',
      1,
      `127.0.0.1:${up.port}`,
    ]);
    requests = 0;
    const retrying = await proxy(new TestCluster('b', [up.port]), {
      retry: { ...RETRY, on: RetryOn.reset, numRetries: 2 },
    });
    const second = await rawRequest(retrying.port, GET + GET, 2);
    expect(second.text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(logs(retrying)[1]![3]).toBe(2);
  });

  test('a retry sends the whole body again, to another host', async () => {
    const bad = await upstream((socket) => reply(socket, '', '503 No'));
    const good = await upstream((socket) => reply(socket, 'yes'));
    const server = await proxy(new TestCluster('b', [bad.port, good.port]), {
      retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 1 },
    });
    const body = 'b'.repeat(20_000);
    const { text } = await rawRequest(
      server.port,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(text).toMatch(/yes$/);
    expect(good.received[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(bad.received[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
  });

  test('a body that is too long to keep is not sent again', async () => {
    const up = await upstream((socket) => reply(socket, '', '503 No'));
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(cluster, { retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 3 } });
    const body = 'b'.repeat(1_200_000);
    const { text } = await rawRequest(
      server.port,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(text).toMatch(/^HTTP\/1.1 503/);
    expect(logs(server)[0]![3]).toBe(1);
    expect(up.sockets).toHaveLength(1);
  });

  test('retries stop at their breaker', async () => {
    const up = await upstream((socket) => reply(socket, '', '503 No'));
    const cluster = new TestCluster('b', [up.port], { maxRetries: 0 });
    const server = await proxy(cluster, { retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 3 } });
    await rawRequest(server.port, GET);
    expect(logs(server)[0]!.slice(0, 4)).toEqual([503, ResponseFlag.UO, 'via_upstream', 1]);
    expect(cluster.stats.upstream_rq_retry_overflow).toBe(1);
  });

  test('a retry that finds no host is over for its breaker, too', async () => {
    const cluster = new TestCluster('b', [], { maxRetries: 1 });
    const up = await upstream((socket) => {
      cluster.hosts.length = 0;
      reply(socket, '', '503 No');
    });
    const server = await proxy(cluster, { retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 1 } });
    for (let i = 1; i <= 3; i++) {
      cluster.hosts.push(...new TestCluster('b', [up.port]).hosts);
      await rawRequest(server.port, GET);
      expect(logs(server)[i - 1]!.slice(0, 4)).toEqual([503, ResponseFlag.UH, 'no_healthy_upstream', 2]);
    }
    expect(cluster.stats.upstream_rq_retry).toBe(3);
    expect(cluster.stats.upstream_rq_retry_overflow).toBe(0);
  });

  test('an attempt in which nothing moves is given up, and another begun', async () => {
    let requests = 0;
    const up = await upstream((socket) => {
      if (++requests > 1) reply(socket, 'hi');
    });
    const server = await proxy(new TestCluster('b', [up.port]), {
      // More than one, for an answer that is not in time.
      retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 20, perTryIdleTimeout: 200 },
    });
    expect((await rawRequest(server.port, GET)).text).toMatch(/hi$/);
    requests = -5;
    const none = await proxy(new TestCluster('b', [up.port]), { retry: { ...RETRY, perTryIdleTimeout: 60 } });
    expect((await rawRequest(none.port, GET)).text).toMatch(/^HTTP\/1.1 504/);
    expect(logs(none)[0]!.slice(0, 3)).toEqual([504, ResponseFlag.UT, 'upstream_per_try_idle_timeout']);
  });

  test('requests that wait when their host leaves are still served', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(cluster);
    const answer = rawRequest(server.port, GET);
    // Before the connection is there.
    while (cluster.hosts[0]!.pool === undefined) await pause(0);
    cluster.hosts[0]!.inService = false;
    cluster.hosts[0]!.pool.drain();
    expect((await answer).text).toMatch(/hi$/);
    expect(up.sockets).toHaveLength(1);
  });

  test('a client that goes away takes its request with it', async () => {
    const up = await upstream(() => undefined);
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(cluster);
    const client = connect(server.port, '127.0.0.1', () => client.write(GET));
    await until(() => up.received[0]?.endsWith('\r\n\r\n') === true);
    client.destroy();
    await until(() => up.sockets[0]!.closed && server.log.length > 0);
    expect(logs(server)[0]!.slice(0, 4)).toEqual([0, ResponseFlag.DC, 'downstream_remote_disconnect', 1]);
    expect(cluster.hosts[0]!.active).toBe(0);
    expect(cluster.stats.upstream_rq_active).toBe(0);
  });

  test('outcomes are reported for outlier detection', async () => {
    const statuses = ['200 OK', '500 No', '503 No', '404 No'];
    const up = await upstream((socket) => reply(socket, '', statuses.shift()));
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(cluster);
    await rawRequest(server.port, GET.repeat(4), 4);
    const outcomes = ['success', 'server-error', 'gateway-error', 'success'];
    expect(cluster.hosts[0]!.outcomes).toEqual(outcomes.flatMap((outcome) => ['begun', outcome]));
  });
});

describe('draining', () => {
  test('idle connections end at once, the others after their response', async () => {
    const waiting: Socket[] = [];
    const up = await upstream((socket, head) => {
      if (head.includes('/busy')) waiting.push(socket);
      else reply(socket, 'hi');
    });
    const server = await proxy(new TestCluster('b', [up.port]), {}, { program: { delayedCloseTimeout: 50 } });
    const used = rawRequest(server.port, GET, Infinity);
    await until(() => server.log.length === 1);
    const busy = rawRequest(server.port, GET.replace('/', '/busy'), Infinity);
    const idle = rawRequest(server.port, '', Infinity);
    await until(() => waiting.length === 1 && server.connections.size === 3);
    for (const connection of server.connections) connection.drain();
    expect(await idle).toEqual({ text: '', closed: true });
    expect((await used).closed).toBe(true);
    expect((await used).text).toMatch(/hi$/);
    expect((await used).text).not.toContain('connection: close');
    reply(waiting[0]!, 'hi');
    const answer = await busy;
    expect(answer.text).toMatch(/^HTTP\/1.1 200 [^]*connection: close[^]*hi$/);
    expect(answer.closed).toBe(true);
  });

  test('connections end when they were idle, or lived, for as long as they may', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const limits = { drainTimeout: 40, delayedCloseTimeout: 40 };
    const ended = [
      { ...limits, idleTimeout: 1000 },
      { ...limits, maxConnectionDuration: 1000 },
    ].map(async (program) => {
      const server = await proxy(new TestCluster('b', [up.port]), {}, { program });
      return rawRequest(server.port, GET, Infinity);
    });
    for (const { text, closed } of await Promise.all(ended)) {
      expect(text).toMatch(/hi$/);
      expect(closed).toBe(true);
    }
  });

  test('requests that were sent ahead of a drain are still answered by the close', async () => {
    const waiting: Socket[] = [];
    const up = await upstream((socket) => waiting.push(socket));
    const server = await proxy(new TestCluster('b', [up.port]), {}, { program: { delayedCloseTimeout: 50 } });
    const two = rawRequest(server.port, GET + GET, Infinity);
    await until(() => waiting.length === 1);
    for (const connection of server.connections) connection.drain();
    reply(waiting[0]!, 'hi');
    const { text, closed } = await two;
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(1);
    expect(closed).toBe(true);
  });
});

describe('mirroring', () => {
  test('a copy goes to the other cluster, and its answer nowhere', async () => {
    const up = await upstream((socket) => reply(socket, 'real'));
    const other = await upstream((socket) => reply(socket, 'mirror', '500 No'));
    const cluster = new TestCluster('b', [up.port]);
    const mirror = new TestCluster('m', [other.port]);
    const server = await proxy(
      cluster,
      { mirrors: [{ cluster: 'm', fraction: 1, disableShadowHostSuffix: false }] },
      { clusters: [cluster, mirror] },
    );
    const post = 'POST /p HTTP/1.1\r\nHost: shop:80\r\nContent-Length: 3\r\n\r\nabc';
    const { text } = await rawRequest(server.port, post);
    expect(text).toMatch(/real$/);
    const answered = (count: number): boolean =>
      other.received[0]?.split('abc').length === count + 1 && mirror.hosts[0]!.active === 0;
    await until(() => answered(1));
    expect(other.received[0]).toMatch(/^POST \/p HTTP\/1.1\r\nhost: shop-shadow:80\r\n[^]*\r\n\r\nabc$/);
    await rawRequest(server.port, post);
    await until(() => answered(2));
    expect(other.sockets).toHaveLength(1);
  });

  test('a body that the other cluster is slow to read keeps its order and ends once', async () => {
    const taken = ['', ''];
    const sockets: Socket[] = [];
    const servers = taken.map((_, i) =>
      createServer((socket) => {
        sockets[i] = i === 1 ? socket.pause() : socket;
        socket.on('error', () => undefined);
        socket.on('data', (data) => {
          taken[i] += data.toString('latin1');
          if (taken[i]!.endsWith(END)) reply(socket, 'real');
        });
      }),
    );
    for (const server of servers) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    cleanUp.push(async () => {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) await new Promise((done) => server.close(done));
    });
    const [real, copy] = servers.map((server, i) => new TestCluster(`c${i}`, [(server.address() as AddressInfo).port]));
    const { port } = await proxy(
      real!,
      { mirrors: [{ cluster: 'c1', fraction: 1, disableShadowHostSuffix: false }] },
      { clusters: [real!, copy!] },
    );
    const client = connect(port, '127.0.0.1');
    client.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    let sent = '';
    while (copy!.stats.upstream_flow_control_backed_up_total === 0) {
      const part = String(sent.length).padStart(0x10000, '.');
      client.write(`10000\r\n${part}\r\n`);
      sent += part;
      await pause(1);
    }
    client.write('0\r\n\r\n');
    sockets[1]!.resume();
    await once(client, 'data');
    await until(() => taken[1]!.endsWith(END) && copy!.hosts[0]!.active === 0);
    client.destroy();
    // All that was written is there before the end.
    copy!.hosts[0]!.pool!.drain();
    await until(() => sockets[1]!.closed);
    const { body, rest } = unchunked(taken[1]!.slice(taken[1]!.indexOf('\r\n\r\n') + 4));
    expect(body === sent).toBe(true);
    expect(rest).toBe('');
  });

  test('a field of the request names the other cluster', async () => {
    const up = await upstream((socket) => reply(socket, 'real'));
    const other = await upstream((socket) => reply(socket, 'mirror'));
    const cluster = new TestCluster('b', [up.port]);
    const mirror = new TestCluster('m', [other.port]);
    const server = await proxy(
      cluster,
      { mirrors: [{ cluster: '', clusterHeader: 'x-to', fraction: 1, disableShadowHostSuffix: true }] },
      { clusters: [cluster, mirror] },
    );
    await rawRequest(server.port, 'GET /no HTTP/1.1\r\nHost: h\r\n\r\n');
    await rawRequest(server.port, 'GET /unknown HTTP/1.1\r\nHost: h\r\nx-to: nobody\r\n\r\n');
    await rawRequest(server.port, 'GET /yes HTTP/1.1\r\nHost: h\r\nx-to: m\r\n\r\n');
    await until(() => other.received[0]?.endsWith('\r\n\r\n') === true);
    expect(other.received.join('')).toMatch(/^GET \/yes /);
    expect(mirror.stats.upstream_rq_total).toBe(1);
  });
});

/** The router and the pools behind it, against servers that misbehave as told. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { rawRequest } from '@mizzen/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { ResponseFlag, type RouteActionProgram } from '../types.ts';
import { RetryOn } from './retry.ts';
import { RETRY, routeTo, startTestServer, TestCluster, type TestOptions, type TestServer } from './test-server.ts';

interface Upstream {
  readonly port: number;
  /** What each connection received, in order of arrival. */
  readonly received: string[];
  readonly sockets: Socket[];
  stop(): Promise<void>;
}

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

/** A server that calls `onRequest` with the head of each request once it has all of it. */
async function upstream(onRequest: (socket: Socket, head: string, connection: number) => void): Promise<Upstream> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const index = sockets.push(socket) - 1;
    received[index] = '';
    let unread = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      received[index] += text;
      unread += text;
      for (let end = unread.indexOf('\r\n\r\n'); end >= 0; end = unread.indexOf('\r\n\r\n')) {
        const head = unread.slice(0, end);
        const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
        if (unread.length < end + 4 + length) break;
        unread = unread.slice(end + 4 + length);
        onRequest(socket, head, index);
      }
    });
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  };
  cleanUp.push(stop);
  return { port: (server.address() as AddressInfo).port, received, sockets, stop };
}

function reply(socket: Socket, body: string, status = '200 OK', fields = ''): void {
  socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`);
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
    const up = await upstream((socket, _head, connection) => setTimeout(() => reply(socket, String(connection)), 20));
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
    }
    expect(up.sockets).toHaveLength(3);
  });

  test("what comes after a response is nobody else's answer", async () => {
    const up = await upstream((socket, _head, connection) => {
      // One write: the second response must not be taken for the answer to a request that waits.
      const one = `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${connection}`;
      setTimeout(() => socket.write(one + one.replace(/.$/, 'X')), 20);
    });
    const server = await proxy(new TestCluster('b', [up.port], { maxConnections: 1 }));
    const all = await Promise.all(Array.from({ length: 4 }, () => rawRequest(server.port, GET, 400)));
    for (const { text } of all) expect(text).toMatch(/^HTTP\/1.1 200 [^]*\d$/);
    expect(up.sockets).toHaveLength(4);
  });

  test('a connection is used for as many requests as the cluster says', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const cluster = new TestCluster('b', [up.port]);
    cluster.maxRequestsPerConnection = 2;
    const server = await proxy(cluster);
    await rawRequest(server.port, GET.repeat(5));
    expect(up.sockets).toHaveLength(3);
  });

  test('idle connections are closed after the idle timeout, and when the host leaves', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const cluster = new TestCluster('b', [up.port]);
    cluster.idleTimeout = 60;
    const server = await proxy(cluster);
    await rawRequest(server.port, GET, 30);
    await pause(200);
    expect(up.sockets[0]!.destroyed).toBe(true);
    cluster.idleTimeout = 60_000;
    await rawRequest(server.port, GET, 30);
    cluster.hosts[0]!.inService = false;
    cluster.hosts[0]!.pool!.drain();
    await pause(30);
    expect(up.sockets[1]!.destroyed).toBe(true);
  });

  test('breakers: what has no connection waits, up to a number; the others get 503 UO', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, 'hi'), 100));
    const cluster = new TestCluster('b', [up.port], { maxConnections: 1, maxPendingRequests: 2 });
    const server = await proxy(cluster);
    const first = rawRequest(server.port, GET, 500);
    await pause(30);
    const answers = await Promise.all(Array.from({ length: 4 }, () => rawRequest(server.port, GET, 500)));
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
    const up = await upstream((socket) => setTimeout(() => reply(socket, 'hi'), 60));
    const cluster = new TestCluster('b', [up.port], { maxRequests: 1 });
    const server = await proxy(cluster);
    const answers = await Promise.all(Array.from({ length: 3 }, () => rawRequest(server.port, GET, 300)));
    expect(answers.filter(({ text }) => text.startsWith('HTTP/1.1 200'))).toHaveLength(1);
    expect((await rawRequest(server.port, GET, 200)).text).toMatch(/^HTTP\/1.1 200/);
  });

  test('a connection that was opened for nothing is idle, too', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, 'hi'), 1500));
    const cluster = new TestCluster('b', [up.port], { maxRequests: 1 });
    cluster.idleTimeout = 200;
    const server = await proxy(cluster);
    const first = rawRequest(server.port, GET, 2000);
    await pause(50);
    expect((await rawRequest(server.port, GET, 100)).text).toMatch(/^HTTP\/1\.1 503/);
    await pause(600);
    expect(up.sockets.map(({ closed }) => closed)).toEqual([false, true]);
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
    const answers = await rawRequest(plain.port, GET + GET);
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
    const second = await rawRequest(retrying.port, GET + GET, 400);
    expect(second.text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(logs(retrying)[1]![3]).toBe(2);
  });

  test('a retry sends the whole body again, to another host', async () => {
    const bad = await upstream((socket) => setTimeout(() => reply(socket, '', '503 No'), 30));
    const good = await upstream((socket) => setTimeout(() => reply(socket, 'yes'), 30));
    const server = await proxy(new TestCluster('b', [bad.port, good.port]), {
      retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 1 },
    });
    const body = 'b'.repeat(20_000);
    const { text } = await rawRequest(
      server.port,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      400,
    );
    expect(text).toMatch(/yes$/);
    expect(good.received[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(bad.received[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
  });

  test('a body that is too long to keep is not sent again', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, '', '503 No'), 100));
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(cluster, { retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 3 } });
    const body = 'b'.repeat(1_200_000);
    const { text } = await rawRequest(
      server.port,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      500,
    );
    expect(text).toMatch(/^HTTP\/1.1 503/);
    expect(logs(server)[0]![3]).toBe(1);
    expect(up.sockets).toHaveLength(1);
  });

  test('retries stop at their breaker', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, '', '503 No'), 10));
    const cluster = new TestCluster('b', [up.port], { maxRetries: 0 });
    const server = await proxy(cluster, { retry: { ...RETRY, on: RetryOn['5xx'], numRetries: 3 } });
    await rawRequest(server.port, GET, 200);
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
      await rawRequest(server.port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 5000);
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
      retry: { ...RETRY, on: RetryOn['5xx'], perTryIdleTimeout: 60 },
    });
    expect((await rawRequest(server.port, GET, 400)).text).toMatch(/hi$/);
    requests = -5;
    const none = await proxy(new TestCluster('b', [up.port]), { retry: { ...RETRY, perTryIdleTimeout: 60 } });
    expect((await rawRequest(none.port, GET, 400)).text).toMatch(/^HTTP\/1.1 504/);
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
    await rawRequest(server.port, GET, 50);
    await pause(50);
    expect(up.sockets[0]!.destroyed).toBe(true);
    expect(logs(server)[0]!.slice(0, 4)).toEqual([0, ResponseFlag.DC, 'downstream_remote_disconnect', 1]);
    expect(cluster.hosts[0]!.active).toBe(0);
    expect(cluster.stats.upstream_rq_active).toBe(0);
  });

  test('outcomes are reported for outlier detection', async () => {
    const statuses = ['200 OK', '500 No', '503 No', '404 No'];
    const up = await upstream((socket) => reply(socket, '', statuses.shift()));
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(cluster);
    await rawRequest(server.port, GET.repeat(4));
    const outcomes = ['success', 'server-error', 'gateway-error', 'success'];
    expect(cluster.hosts[0]!.outcomes).toEqual(outcomes.flatMap((outcome) => ['begun', outcome]));
  });
});

describe('draining', () => {
  test('idle connections end at once, the others after their response', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, 'hi'), 100));
    const server = await proxy(new TestCluster('b', [up.port]), {}, { program: { delayedCloseTimeout: 50 } });
    const used = rawRequest(server.port, GET, 500);
    await pause(130);
    const busy = rawRequest(server.port, GET, 400);
    const idle = rawRequest(server.port, '', 400);
    await pause(40);
    for (const connection of server.connections) connection.drain();
    expect(await idle).toEqual({ text: '', closed: true });
    expect((await used).closed).toBe(true);
    expect((await used).text).not.toContain('connection: close');
    const answer = await busy;
    expect(answer.text).toMatch(/^HTTP\/1.1 200 [^]*connection: close[^]*hi$/);
    expect(answer.closed).toBe(true);
  });

  test('connections end when they were idle, or lived, for as long as they may', async () => {
    const up = await upstream((socket) => reply(socket, 'hi'));
    const limits = { drainTimeout: 40, delayedCloseTimeout: 40 };
    for (const program of [
      { ...limits, idleTimeout: 60 },
      { ...limits, maxConnectionDuration: 60 },
    ]) {
      const server = await proxy(new TestCluster('b', [up.port]), {}, { program });
      const { text, closed } = await rawRequest(server.port, GET, 300);
      expect(text).toMatch(/hi$/);
      expect(closed).toBe(true);
    }
  });

  test('requests that were sent ahead of a drain are still answered by the close', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, 'hi'), 50));
    const server = await proxy(new TestCluster('b', [up.port]), {}, { program: { delayedCloseTimeout: 50 } });
    const two = rawRequest(server.port, GET + GET, 400);
    await pause(20);
    for (const connection of server.connections) connection.drain();
    const { text, closed } = await two;
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(1);
    expect(closed).toBe(true);
  });
});

describe('mirroring', () => {
  test('a copy goes to the other cluster, and its answer nowhere', async () => {
    const up = await upstream((socket) => setTimeout(() => reply(socket, 'real'), 20));
    const other = await upstream((socket) => setTimeout(() => reply(socket, 'mirror', '500 No'), 20));
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
    await pause(50);
    expect(other.received[0]).toMatch(/^POST \/p HTTP\/1.1\r\nhost: shop-shadow:80\r\n[^]*\r\n\r\nabc$/);
    await rawRequest(server.port, post);
    await pause(50);
    expect(other.sockets).toHaveLength(1);
    expect(mirror.hosts[0]!.active).toBe(0);
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
          if (i === 0 && taken[i]!.endsWith(END)) reply(socket, 'real');
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
    await expect.poll(() => taken[1]!.includes(END), { timeout: 5000 }).toBe(true);
    await pause(100);
    client.destroy();
    const { body, rest } = unchunked(taken[1]!.slice(taken[1]!.indexOf('\r\n\r\n') + 4));
    expect(body === sent).toBe(true);
    expect(rest).toBe('');
  });

  test('a field of the request names the other cluster', async () => {
    const up = await upstream((socket) => reply(socket, 'real'));
    const other = await upstream((socket) => reply(socket, 'mirror'));
    const cluster = new TestCluster('b', [up.port]);
    const server = await proxy(
      cluster,
      { mirrors: [{ cluster: '', clusterHeader: 'x-to', fraction: 1, disableShadowHostSuffix: true }] },
      { clusters: [cluster, new TestCluster('m', [other.port])] },
    );
    await rawRequest(server.port, 'GET /no HTTP/1.1\r\nHost: h\r\n\r\n');
    await rawRequest(server.port, 'GET /unknown HTTP/1.1\r\nHost: h\r\nx-to: nobody\r\n\r\n');
    await rawRequest(server.port, 'GET /yes HTTP/1.1\r\nHost: h\r\nx-to: m\r\n\r\n');
    await pause(100);
    expect(other.received.join('')).toMatch(/^GET \/yes /);
  });
});

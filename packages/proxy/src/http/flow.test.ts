/** Bodies and tunnels: every byte arrives, and no more is held than may be. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpFilter, UpstreamCluster } from '../types.ts';
import { serveHttp } from './server-connection.ts';
import { RETRY, routeTo, startTestServer, TestCluster, type TestOptions, type TestServer } from './test-server.ts';
import { RetryOn } from './retry.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanUp.push(() => new Promise((done) => server.close(done)));
  return (server.address() as AddressInfo).port;
}

async function proxy(cluster: UpstreamCluster, options: Partial<TestOptions> = {}): Promise<TestServer> {
  const decision = routeTo(cluster.name, { timeout: 0 });
  const server = await startTestServer({ find: () => decision, clusters: [cluster], ...options });
  cleanUp.push(() => server.stop());
  return server;
}

/** Answers with the hash of what it got, or with as many bytes as `/N` says. */
async function hashing(): Promise<number> {
  const server = createHttpServer((request, response) => {
    const length = Number(request.url!.slice(1));
    if (length > 0) {
      response.end(randomBytes(length));
      return;
    }
    const hash = createHash('sha1');
    request.on('data', (data: Buffer) => hash.update(data));
    request.on('end', () => response.end(hash.digest('hex')));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanUp.push(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return (server.address() as AddressInfo).port;
}

function send(port: number, parts: readonly Buffer[], chunked: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    const request = httpRequest(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/',
        agent: false,
        ...(chunked ? {} : { headers: { 'content-length': total } }),
      },
      (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => resolve(text));
      },
    );
    request.on('error', reject);
    for (const part of parts) request.write(part);
    request.end();
  });
}

describe('bodies', () => {
  test('arrive unchanged, however they are framed and split', async () => {
    const server = await proxy(new TestCluster('b', [await hashing()]));
    const part = fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 3000, max: 9000 }),
      fc.integer({ min: 50_000, max: 300_000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), fc.boolean(), async (sizes, chunked) => {
        const parts = sizes.map((size) => randomBytes(size));
        const expected = createHash('sha1').update(Buffer.concat(parts)).digest('hex');
        expect(await send(server.port, parts, chunked)).toBe(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('arrive unchanged while they are kept for a retry', async () => {
    const cluster = new TestCluster('b', [await hashing()]);
    const decision = routeTo('b', { retry: { ...RETRY, on: RetryOn['5xx'] } });
    const server = await proxy(cluster, { find: () => decision });
    for (const size of [10, 5000, 100_000, 3_000_000]) {
      const body = randomBytes(size);
      expect(await send(server.port, [body], false)).toBe(createHash('sha1').update(body).digest('hex'));
    }
  });

  test('a large download is exactly as long as it should be', async () => {
    const server = await proxy(new TestCluster('b', [await hashing()]));
    for (const length of [1, 4096, 100_000, 20_000_000]) {
      const received = await new Promise<number>((resolve, reject) => {
        httpRequest({ port: server.port, host: '127.0.0.1', path: `/${length}`, agent: false }, (response) => {
          let count = 0;
          response.on('data', (data: Buffer) => (count += data.length));
          response.on('end', () => resolve(count));
        })
          .on('error', reject)
          .end();
      });
      expect(received).toBe(length);
    }
  });

  test('a client that does not read stops the upstream, one that does not write costs nothing', async () => {
    let written = 0;
    const up = await listen(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n');
          const block = Buffer.alloc(256 * 1024);
          const more = (): void => {
            while (!socket.destroyed && socket.write(block)) written += block.length;
            written += block.length;
            socket.once('drain', more);
          };
          more();
        });
      }),
    );
    const server = await proxy(new TestCluster('b', [up]));
    const client = connect(server.port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    client.pause();
    await pause(500);
    const before = written;
    await pause(300);
    expect(written).toBe(before);
    // What the kernel's buffers hold, and a little.
    expect(written).toBeLessThan(40_000_000);
    client.destroy();
  });

  test('an upstream that does not read stops the client', async () => {
    const sockets: Socket[] = [];
    const up = await listen(
      createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => undefined);
        socket.pause();
      }),
    );
    const server = await proxy(new TestCluster('b', [up]));
    const client = connect(server.port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
    let written = 0;
    const block = Buffer.alloc(256 * 1024);
    const more = (): void => {
      while (!client.destroyed && client.write(block)) written += block.length;
      written += block.length;
      client.once('drain', more);
    };
    more();
    await pause(500);
    const before = written;
    await pause(300);
    expect(written).toBe(before);
    expect(written).toBeLessThan(40_000_000);
    client.destroy();
    for (const socket of sockets) socket.destroy();
  });
});

describe('pipelining', () => {
  test('a thousand requests in one write are answered in order', async () => {
    const server = await proxy(new TestCluster('b', [await hashing()]));
    const client = connect(server.port, '127.0.0.1');
    client.setNoDelay(true);
    let text = '';
    let all = '';
    for (let i = 1; i <= 1000; i++) all += `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const done = new Promise<void>((resolve) => {
      client.on('data', (data) => {
        text += data.toString('latin1');
        if ((text.match(/content-length: 1000\r\n/)?.length ?? 0) > 0 && text.length > 500_500) resolve();
      });
    });
    client.write(all);
    await done;
    const lengths = [...text.matchAll(/HTTP\/1.1 200 OK[^]*?content-length: (\d+)/g)].map((match) => Number(match[1]));
    expect(lengths).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    client.destroy();
  });
});

test('a connection that its host ends together with an answer is not used for the request that waits', async () => {
  const host = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  const port = await listen(host);
  const server = await proxy(new TestCluster('b', [port]));
  const single = await proxy(new TestCluster('b', [port], { maxConnections: 1 }));
  const statuses = async (to: TestServer, bytes: string, count: number): Promise<string[]> => {
    const client = connect(to.port, '127.0.0.1');
    cleanUp.push(async () => void client.destroy());
    let text = '';
    const done = new Promise<void>((resolve) => {
      client.on('data', (data) => {
        text += data.toString('latin1');
        if ((text.match(/HTTP\/1.1/g)?.length ?? 0) >= count) resolve();
      });
    });
    client.write(bytes);
    await done;
    return [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status!);
  };
  const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
  expect(await statuses(server, request.repeat(20), 20)).toEqual(Array(20).fill('200'));
  // Nor for those that wait for a connection.
  const all = await Promise.all(Array.from({ length: 20 }, () => statuses(single, request, 1)));
  expect(all.flat()).toEqual(Array(20).fill('200'));
});

test('a client that does not read its answers keeps no connection', async () => {
  const server = await proxy(new TestCluster('b', [await hashing()]), {
    program: { idleTimeout: 300, drainTimeout: 100, delayedCloseTimeout: 100 },
  });
  const client = connect(server.port, '127.0.0.1');
  cleanUp.push(async () => void client.destroy());
  await new Promise<void>((done) => client.once('connect', () => done()));
  client.pause();
  client.write('GET /60000 HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(4000));
  await pause(200);
  expect(server.connections.size).toBe(1);
  await pause(1300);
  expect(server.connections.size).toBe(0);
});

describe('filters', () => {
  test('a client that pipelines and does not read is answered no further, and harms nobody else', async () => {
    const server = await proxy(new TestCluster('b', [await hashing()]));
    const slow = connect(server.port, '127.0.0.1');
    cleanUp.push(async () => void slow.destroy());
    await new Promise<void>((done) => slow.once('connect', () => done()));
    slow.pause();
    const wanted = 4000;
    const size = 60_000;
    slow.write(`GET /${size} HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(wanted));
    await pause(500);
    expect(server.hcm.stats.downstream_rq_total).toBeLessThan(wanted / 4);
    // Whoever comes next may well get the connection that waited for the slow client.
    const others = Array.from({ length: 4 }, () => send(server.port, [Buffer.from('x')], false));
    const expected = createHash('sha1').update('x').digest('hex');
    expect(await Promise.race([Promise.all(others), pause(3000, 'no answer')])).toEqual(Array(4).fill(expected));
    // And what the slow client asked for still comes once it reads.
    let received = 0;
    slow.on('data', (data) => (received += data.length));
    slow.resume();
    while (received < wanted * size) {
      const before = received;
      await pause(1000);
      expect(received).toBeGreaterThan(before);
    }
  });

  test('a filter may take its time, with the request and with the response', async () => {
    const seen: string[] = [];
    const slow: HttpFilter = {
      name: 'slow',
      onRequest: async (stream) => {
        await pause(30);
        seen.push('request');
        stream.request.headers.add('x-slow', '1');
        return undefined;
      },
      onResponse: async (stream) => {
        await pause(30);
        seen.push('response');
        stream.response!.headers.add('x-slow', '2');
        return undefined;
      },
      onRequestData: (_stream, data, end) => {
        seen.push(end ? 'end' : `${data.length}`);
        return undefined;
      },
      onEnd: () => void seen.push('over'),
    };
    const server = await proxy(new TestCluster('b', [await hashing()]), { program: { filters: [slow] } });
    const body = randomBytes(50_000);
    expect(await send(server.port, [body], true)).toBe(createHash('sha1').update(body).digest('hex'));
    expect(seen[0]).toBe('request');
    expect(seen.at(-1)).toBe('over');
    expect(seen).toContain('response');
  });

  /** Answers with a body that has no end, as fast as it can; says how much it has written. */
  async function flooding(): Promise<{ readonly port: number; readonly written: () => number }> {
    let written = 0;
    const block = Buffer.alloc(60_000);
    const port = await listen(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n');
          const more = (): void => {
            do written += block.length;
            while (!socket.destroyed && socket.write(block));
            socket.once('drain', more);
          };
          more();
        });
      }),
    );
    return { port, written: () => written };
  }

  test('a filter that takes its time with a part of a body does not keep it from the others', async () => {
    const seen = { request: 0, response: 0 };
    const slow: HttpFilter = {
      name: 'slow',
      onRequestData: (_stream, data) => (data.length === 0 ? undefined : pause(5, undefined)),
      onResponseData: () => pause(5, undefined),
    };
    const counting: HttpFilter = {
      name: 'counting',
      onRequestData: (_stream, data) => void (seen.request += data.length),
      onResponseData: (_stream, data) => void (seen.response += data.length),
    };
    const server = await proxy(new TestCluster('b', [await hashing()]), {
      program: { filters: [counting, slow, counting] },
    });
    const body = randomBytes(50_000);
    expect(await send(server.port, [body], true)).toBe(createHash('sha1').update(body).digest('hex'));
    expect(seen).toEqual({ request: 100_000, response: 80 });
  });

  test('no more of a response is read while a filter holds it, though the rest flows', async () => {
    let parts = 0;
    const holds: HttpFilter = {
      name: 'holds',
      onResponseData: () => (++parts === 2 ? pause(60_000, undefined, { ref: false }) : undefined),
    };
    // What comes of the first part comes late, and is more than the client takes at once.
    const grows = new Transform({
      transform(_data, _encoding, done) {
        setTimeout(() => this.push(Buffer.alloc(20_000_000)), 100);
        done();
      },
    });
    const passes: HttpFilter = {
      name: 'passes',
      onResponse: (stream) => stream.transformResponse(grows, () => true) as undefined,
    };
    const up = await flooding();
    const server = await proxy(new TestCluster('b', [up.port]), { program: { filters: [passes, holds] } });
    const client = connect(server.port, '127.0.0.1');
    cleanUp.push(async () => void client.destroy());
    client.resume();
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await pause(500);
    const before = up.written();
    await pause(300);
    expect(parts).toBeGreaterThan(1);
    expect(up.written()).toBe(before);
  });

  test('a reply in place of a response that a filter holds is the only one', async () => {
    const slow: HttpFilter = { name: 'slow', onResponse: () => pause(400, undefined) };
    const server = await proxy(new TestCluster('b', [await hashing()]), {
      program: { filters: [slow], streamIdleTimeout: 100 },
    });
    const client = connect(server.port, '127.0.0.1');
    cleanUp.push(async () => void client.destroy());
    let text = '';
    client.on('data', (data: Buffer) => (text += data.toString()));
    client.write('GET /10 HTTP/1.1\r\nhost: x\r\n\r\n');
    await pause(1000);
    expect(text).toMatch(/^HTTP\/1\.1 504 /);
    expect(text.split('HTTP/1.1 ')).toHaveLength(2);
    expect(text).toMatch(/stream timeout$/);
  });

  test('a filter that rejects is a 500; one that replies ends the request', async () => {
    const failing: HttpFilter = {
      name: 'failing',
      onRequest: (stream) => {
        if (stream.request.path === '/deny') {
          stream.sendLocalReply(403, 'no', 'denied', 0, [['x-why', 'because']]);
          return 'stop';
        }
        return Promise.reject(new Error('broken'));
      },
    };
    const server = await proxy(new TestCluster('b', [1]), { program: { filters: [failing] } });
    const get = async (path: string): Promise<string> => {
      const client = connect(server.port, '127.0.0.1');
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      let text = '';
      for await (const data of client) text += (data as Buffer).toString();
      return text;
    };
    expect(await get('/')).toMatch(/^HTTP\/1.1 500 /);
    expect(await get('/deny')).toMatch(/^HTTP\/1.1 403 Forbidden\r\nx-why: because\r\ncontent-length: 2\r\n[^]*no$/);
  });
});

describe('tunnels', () => {
  const upgrades = new Map([
    ['websocket', { enabled: true, filters: undefined }],
    ['connect', { enabled: true, filters: undefined }],
  ]);
  const TERMINATE = new Map([['connect', { enabled: true, terminateConnect: true }]]);

  /** Collects until the other side ends. */
  async function collect(socket: Socket): Promise<string> {
    let text = '';
    socket.on('data', (data) => (text += data.toString('latin1')));
    await new Promise((ended) => socket.once('end', ended));
    return text;
  }

  test('a WebSocket carries bytes both ways until its client ends', async () => {
    const up = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello ');
          socket.on('data', (data) => socket.write(`got ${data.toString()}`));
          socket.on('end', () => socket.end());
        });
      }),
    );
    const server = await proxy(new TestCluster('b', [up]), { program: { upgrades } });
    const client = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    client.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await pause(50);
    client.write('one ');
    const text = collect(client);
    await pause(50);
    client.end();
    expect(await text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n[^]*\r\n\r\nhello got one $/);
    expect(server.connections.size).toBe(0);
  });

  test('a tunnel ends with its far side', async () => {
    let got = '';
    const ended = Promise.withResolvers<void>();
    const up = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.end('bye');
        socket.on('data', (data) => (got += data.toString()));
        socket.on('end', () => ended.resolve());
      }),
    );
    const decision = routeTo('b', { upgrades: TERMINATE });
    const server = await proxy(new TestCluster('b', [up]), {
      find: () => decision,
      program: { upgrades, delayedCloseTimeout: 50 },
    });
    const client = connect({ port: server.port, host: '127.0.0.1' });
    client.write('CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n');
    expect(await collect(client)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nbye$/);
    await ended.promise;
    expect(got).toBe('');
  });

  test('a CONNECT to an internal listener is served by its connection manager', async () => {
    const cluster = new TestCluster('b', [await hashing()]);
    const inner = routeTo('b');
    const outer = routeTo('gate', { upgrades: TERMINATE });
    const gate = new TestCluster('gate', [1]);
    gate.hosts[0]!.internalListener = 'inside';
    const server = await proxy(cluster, {
      clusters: [cluster, gate],
      find: (request) => (request.method === 'CONNECT' ? outer : inner),
      program: { upgrades },
      internalListener: (name) =>
        name === 'inside' ? (socket, info) => void serveHttp(socket, info, server.hcm) : undefined,
    });
    for (const early of [true, false]) {
      const client = connect({ port: server.port, host: '127.0.0.1' });
      const connectHead = 'CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n';
      const request = 'GET /5 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n';
      client.write(early ? connectHead + request : connectHead);
      if (!early) {
        await pause(40);
        client.write(request);
      }
      const text = await collect(client);
      expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
      expect(text).toContain('content-length: 5\r\n');
    }
  });

  test('a CONNECT that leads nowhere is a 503', async () => {
    const decision = routeTo('b', { upgrades: TERMINATE });
    const server = await proxy(new TestCluster('b', [1]), { find: () => decision, program: { upgrades } });
    const client = connect({ port: server.port, host: '127.0.0.1' });
    client.write('CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n');
    expect(await collect(client)).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[^]*remote connection failure$/);
  });
});

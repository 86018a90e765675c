/** Who is told to wait, and goes on: filters that make other bodies, and connections that have been given to others. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { HttpFilter } from '../types.ts';
import { routeTo, startTestServer, TestCluster, type TestServer } from './test-server.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

async function proxy(cluster: TestCluster, filters: HttpFilter[]): Promise<TestServer> {
  const decision = routeTo(cluster.name, { timeout: 0 });
  const server = await startTestServer({ find: () => decision, clusters: [cluster], program: { filters } });
  cleanUp.push(() => server.stop());
  return server;
}

/** Answers with the hash of what it got. */
async function hashing(): Promise<number> {
  const server = createHttpServer((request, response) => {
    const hash = createHash('sha1');
    request.on('data', (data: Buffer) => hash.update(data));
    request.on('end', () => response.end(hash.digest('hex')));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a body that another is made of goes on behind a filter that waited for a part of it', async () => {
  let made: Transform | undefined;
  const makes: HttpFilter = {
    name: 'makes',
    onRequest(stream) {
      made = new Transform({ transform: (data, _encoding, done) => void setImmediate(done, null, data) });
      stream.transformRequest(made, () => true);
      return undefined;
    },
  };
  const waits: HttpFilter = {
    name: 'waits',
    async onRequest(stream) {
      await stream.collectBody(1000, true);
      while (made!.writableNeedDrain || made!.writableLength > 0) await nextTurn();
      return undefined;
    },
  };
  const server = await proxy(new TestCluster('b', [await hashing()]), [makes, waits]);
  const body = randomBytes(2_000_000);
  const request = httpRequest({ port: server.port, host: '127.0.0.1', method: 'POST', agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  let text = '';
  for await (const data of response) text += String(data);
  expect(text).toBe(createHash('sha1').update(body).digest('hex'));
}, 20_000);

test('a body of which something was still being made does not stop the requests behind it', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  const makes: HttpFilter = {
    name: 'makes',
    onRequest(stream) {
      if (stream.request.method !== 'POST') return undefined;
      stream.transformRequest(new Transform({ highWaterMark: 1000, transform: () => undefined }), () => true);
      return undefined;
    },
  };
  const { port } = await proxy(new TestCluster('b', [(server.address() as AddressInfo).port]), [makes]);
  const client = connect(port, '127.0.0.1');
  cleanUp.push(() => client.destroy());
  let answers = '';
  client.on('data', (data) => (answers += data.toString('latin1')));
  client.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n${'.'.repeat(40_000)}`);
  await expect.poll(() => answers).toMatch(/\r\n\r\nok$/);
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await expect.poll(() => answers).toMatch(/\r\n\r\nok[^]*\r\n\r\nok$/);
});

test('a client that does not read what is made of its answer does not stop the next one from that connection', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  const cluster = new TestCluster('b', [(server.address() as AddressInfo).port]);
  let made = 0;
  const much: HttpFilter = {
    name: 'much',
    onResponse(stream) {
      if (stream.request.path !== '/much') return undefined;
      stream.response!.headers.remove('content-length');
      const transform = new Transform({
        transform: (_data, _encoding, done) => done(),
        async flush(done) {
          // When the answer it is made of is over.
          while (cluster.hosts[0]!.active > 0) await nextTurn();
          for (; made < 64; made++) {
            this.push(Buffer.alloc(1024 * 1024));
            await nextTurn();
          }
          done();
        },
      });
      stream.transformResponse(transform, () => true);
      return undefined;
    },
  };
  const { port } = await proxy(cluster, [much]);
  const slow = connect(port, '127.0.0.1').pause();
  cleanUp.push(() => slow.destroy());
  slow.write('GET /much HTTP/1.1\r\nHost: h\r\n\r\n');
  await expect.poll(() => made, { timeout: 10_000 }).toBe(64);
  const client = connect(port, '127.0.0.1');
  cleanUp.push(() => client.destroy());
  let answer = '';
  client.on('data', (data) => (answer += data.toString('latin1')));
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await expect.poll(() => answer).toMatch(/\r\n\r\nok$/);
  expect(connections).toBe(1);
}, 20_000);

test('a copy of a body gets all of it, be it as slow as it may', async () => {
  const cluster = new TestCluster('b', [await hashing()]);
  let taken = 0;
  let slow: Socket | undefined;
  const server = createServer((socket) => {
    slow = socket;
    socket.on('error', () => undefined);
    socket.on('data', (data) => (taken += data.length));
    socket.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  const copy = new TestCluster('copy', [(server.address() as AddressInfo).port]);
  const mirrors = [{ cluster: 'copy', fraction: 1, disableShadowHostSuffix: false }];
  const decision = routeTo('b', { timeout: 0, mirrors });
  const proxied = await startTestServer({ find: () => decision, clusters: [cluster, copy] });
  cleanUp.push(() => proxied.stop());
  const body = randomBytes(32 * 1024 * 1024);
  const request = httpRequest({ port: proxied.port, host: '127.0.0.1', method: 'POST', agent: false });
  request.end(body);
  const response = once(request, 'response') as Promise<[AsyncIterable<Buffer>]>;
  await expect.poll(() => copy.stats.upstream_flow_control_backed_up_total).toBeGreaterThan(0);
  slow!.resume();
  let text = '';
  for await (const data of (await response)[0]) text += String(data);
  expect(text).toBe(createHash('sha1').update(body).digest('hex'));
  await expect.poll(() => taken).toBeGreaterThan(body.length);
  slow!.destroy();
  await expect.poll(() => copy.hosts[0]!.active).toBe(0);
}, 30_000);

test('a copy that is given up or complete keeps nobody waiting', async () => {
  const cluster = new TestCluster('b', [await hashing()]);
  // Nobody ever lets it in.
  const copy = new TestCluster('copy', [1]);
  const failures: (() => void)[] = [];
  copy.hosts[0]!.connect = (_onReady, onFail) =>
    void failures.push(() => onFail({ kind: 'refused', reason: 'delayed connect error: Connection refused' }));
  const mirrors = [{ cluster: 'copy', fraction: 1, disableShadowHostSuffix: false }];
  const decision = routeTo('b', { timeout: 0, mirrors });
  const proxied = await startTestServer({ find: () => decision, clusters: [cluster, copy] });
  cleanUp.push(() => proxied.stop());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanUp.push(() => agent.destroy());
  const ask = async (body: Buffer): Promise<void> => {
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', method: 'POST', agent });
    request.end(body);
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
    let text = '';
    for await (const data of response) text += String(data);
    expect(text).toBe(createHash('sha1').update(body).digest('hex'));
  };
  const whole = ask(randomBytes(2 * 1024 * 1024));
  const { stats } = proxied.hcm;
  await expect
    .poll(
      () => stats.downstream_flow_control_paused_reading_total - stats.downstream_flow_control_resumed_reading_total,
    )
    .toBe(1);
  for (const fail of failures.splice(0)) fail();
  await whole;
  await ask(randomBytes(50_000));
  await ask(randomBytes(50_000));
  expect(copy.hosts[0]!.active).toBe(2);
  for (const fail of failures.splice(0)) fail();
  expect(copy.hosts[0]!.active).toBe(0);
}, 30_000);

/** Copies whose cluster has them sent again. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { HttpStream, UpstreamCluster } from '../types.ts';
import type { AsyncRequest } from './async-request.ts';
import { mirror, type MirrorSource } from './mirror.ts';
import { RetryOn } from './retry.ts';
import { startShadows } from './shadows.ts';
import type { ActiveStream } from './stream.ts';
import { RETRY, routeTo, startTestServer, TestCluster } from './test-server.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

const NO = 'HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n';
const END = '0\r\n\r\n';

class RetryingCluster extends TestCluster {
  readonly http: UpstreamCluster['http'] = {
    maxResponseHeadersBytes: 60 * 1024,
    maxHeadersCount: 100,
    headerKeyFormat: 'lowercase',
    policies: { retry: { ...RETRY, on: RetryOn['5xx'], backOffBase: 1 } },
  };
}

/** How many bodies in chunks it has turned away. */
async function refusing(): Promise<{ readonly port: number; readonly refused: () => number }> {
  let refused = 0;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let last = '';
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('data', (data) => {
      last = (last + data.toString('latin1')).slice(-END.length);
      if (last !== END) return;
      last = '';
      refused++;
      socket.write(NO);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(async () => void server.close());
  return { port: (server.address() as AddressInfo).port, refused: () => refused };
}

/** A request whose head has come, and nobody else answers. */
async function requestTo(copy: TestCluster): Promise<MirrorSource> {
  let stream: HttpStream | undefined;
  const server = await startTestServer({
    program: {
      filters: [
        {
          name: 'stop',
          onRequest(given) {
            stream = given;
            return 'stop';
          },
        },
      ],
    },
    find: () => routeTo('none'),
    clusters: [copy],
  });
  cleanUp.push(() => server.stop());
  const client = connect(server.port, '127.0.0.1');
  cleanUp.push(async () => void client.destroy());
  client.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  await expect.poll(() => stream).toBeDefined();
  const { hcm, info, request, upgrade, expectsBody } = stream as ActiveStream;
  const { deps, program } = hcm;
  return {
    deps,
    router: program.router,
    clusters: hcm,
    info,
    request,
    upgrade,
    expectsBody,
    tracing: undefined,
    span: undefined,
    copiedTo: [],
    onCopyFlow: () => undefined,
  };
}

const TO_COPY = { cluster: 'copy', fraction: 1, disableShadowHostSuffix: false };

test('a body that came in very many pieces is sent again', async () => {
  const { port, refused } = await refusing();
  const copy = new RetryingCluster('copy', [port]);
  const shadow = mirror(await requestTo(copy), TO_COPY, { timeout: 0, bufferLimit: 1024 * 1024 }, startShadows)!;
  const piece = Buffer.from('x');
  for (let i = 0; i < 200_000; i++) shadow.data(piece);
  shadow.end();
  await expect.poll(refused, { timeout: 30_000 }).toBe(2);
  await expect.poll(() => copy.hosts[0]!.active).toBe(0);
}, 60_000);

test('a copy of which more comes than is kept while it waits to be sent again is given up', async () => {
  const copy = new RetryingCluster('copy', [1]);
  Object.assign(copy.http!.policies!.retry!, { on: RetryOn['connect-failure'], backOffBase: 1e9, backOffMax: 1e9 });
  const shadow = mirror(await requestTo(copy), TO_COPY, { timeout: 0, bufferLimit: 10 }, startShadows)!;
  shadow.data(Buffer.from('12345'));
  await expect.poll(() => copy.hosts[0]!.outcomes).toEqual(['connect-failure']);
  expect(copy.limits.DEFAULT).toMatchObject({ retries: 1 });
  shadow.data(Buffer.from('123456'));
  expect(copy.limits.DEFAULT).toMatchObject({ retries: 0 });
  expect(copy.stats.retry_or_shadow_abandoned).toBe(1);
  // Nothing of it begins anew, whatever comes.
  shadow.data(Buffer.alloc(1024 * 1024));
  shadow.end();
  expect(copy.stats.upstream_rq_retry).toBe(0);
});

test('nothing is kept of a body once its copy is answered, and the rest goes on', async () => {
  let taken = '';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      if (taken === '') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n');
      taken += data.toString('latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(async () => void server.close());
  const copy = new RetryingCluster('copy', [(server.address() as AddressInfo).port]);
  const shadow = mirror(await requestTo(copy), TO_COPY, { timeout: 0, bufferLimit: 100 }, startShadows)!;
  shadow.data(Buffer.from('12345'));
  expect((shadow as AsyncRequest).body.bytes).toBe(5);
  await expect.poll(() => (shadow as AsyncRequest).body.bytes).toBe(0);
  shadow.data(Buffer.from('67'));
  shadow.data(Buffer.from('89'));
  shadow.end();
  await expect.poll(() => taken).toMatch(/\r\n\r\n5\r\n12345\r\n2\r\n67\r\n2\r\n89\r\n0\r\n\r\n$/);
  shadow.cancel();
  expect(copy.hosts[0]!.active).toBe(0);
});

test('copies that clusters send each other end where they have been', async () => {
  const { port } = await refusing();
  const copy = new TestCluster('copy', [port]);
  const mirrors = [TO_COPY];
  const http = { maxResponseHeadersBytes: 60 * 1024, maxHeadersCount: 100, headerKeyFormat: 'lowercase' as const };
  Object.assign(copy, { http: { ...http, policies: { mirrors } } });
  const source = await requestTo(copy);
  const shadow = mirror(source, TO_COPY, { timeout: 0, bufferLimit: 10 }, startShadows)!;
  expect(source.clusters.asyncRequests.value).toBe(1);
  shadow.end();
  await expect.poll(() => copy.hosts[0]!.active).toBe(0);
  expect(copy.stats.upstream_rq_total).toBe(1);
});

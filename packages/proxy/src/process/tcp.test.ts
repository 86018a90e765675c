import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import {
  accessLog,
  bootstrap,
  downstreamTls,
  listener,
  staticCluster,
  tcpProxy,
  upstreamTls,
} from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const ca = testAuthority();
const identity = ca.issue('a', 'URI:spiffe://cluster.local/ns/a/sa/a');
const opened: Server[] = [];
const running: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(running.map((proxy) => proxy.stop()));
  for (const server of opened) server.close();
});

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  opened.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What came until the peer ended or broke its direction. Iterating would close the other one too. */
function all(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((done) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const finish = (): void => done(Buffer.concat(chunks));
    socket.on('end', finish);
    socket.on('close', finish);
  });
}

describe.each(['plain', 'mutual TLS', 'mutual TLS, Envoy first', 'mutual TLS, Envoy second'])(
  'a tunnel over %s',
  (way) => {
    let port = 0;
    let target: (socket: Socket) => void = () => undefined;

    beforeAll(async () => {
      const application = await serve((socket) => target(socket));
      port = await freePort();
      if (way === 'plain') {
        running.push(
          await startProxy(
            bootstrap([listener(port, [{ filters: [tcpProxy('app')] }])], [staticCluster('app', [application])]),
          ),
        );
        return;
      }
      const middle = await freePort();
      const first = bootstrap(
        [listener(port, [{ filters: [tcpProxy('peer')] }])],
        [staticCluster('peer', [middle], { transportSocket: upstreamTls(identity, ca.rootFile, { alpn: ['istio'] }) })],
      );
      const second = bootstrap(
        [listener(middle, [{ transportSocket: downstreamTls(identity, ca.rootFile), filters: [tcpProxy('app')] }])],
        [staticCluster('app', [application])],
      );
      running.push(await (way.endsWith('second') ? startEnvoy : startProxy)(second));
      running.push(await (way.endsWith('first') ? startEnvoy : startProxy)(first));
    });

    test('bytes both ways, and the end of one direction leaves the other open', async () => {
      target = (socket) => {
        void all(socket).then((received) => socket.end(`${received.length} bytes`));
      };
      const socket = await dial(port);
      socket.write(Buffer.alloc(1_000_000, 'x'));
      await new Promise((done) => setTimeout(done, 50));
      socket.end(Buffer.alloc(500_000, 'y'));
      expect((await all(socket)).toString()).toBe('1500000 bytes');
    });

    test('the server may speak first and end first', async () => {
      const received: Promise<Buffer>[] = [];
      target = (socket) => {
        socket.end('hello');
        received.push(all(socket));
      };
      const socket = await dial(port);
      expect((await all(socket)).toString()).toBe('hello');
      socket.end('late answer');
      expect((await received[0]!).toString()).toBe('late answer');
    });

    test('a reader that does not read stops the writer', async () => {
      target = (socket) => socket.pause();
      const socket = await dial(port);
      let written = 0;
      const chunk = Buffer.alloc(64 * 1024);
      const deadline = Date.now() + 700;
      while (Date.now() < deadline && written < 200 * 1024 * 1024) {
        if (socket.write(chunk)) written += chunk.length;
        else {
          written += chunk.length;
          const drained = await Promise.race([
            once(socket, 'drain').then(() => true),
            new Promise((done) => setTimeout(() => done(false), 200)),
          ]);
          if (drained === false) break;
        }
      }
      expect(written).toBeLessThan(40 * 1024 * 1024);
      socket.destroy();
    });

    test('a reset is passed on', async () => {
      target = (socket) => setTimeout(() => socket.resetAndDestroy(), 30);
      const socket = await dial(port);
      // It comes as a reset or, where TLS lies between, as an end.
      socket.on('error', () => undefined);
      const closed = new Promise((done) => socket.once('close', done));
      socket.resume();
      socket.on('end', () => socket.end());
      await closed;
    });
  },
);

test('what goes wrong is in the access log as Envoy has it', async () => {
  const format =
    '%UPSTREAM_CLUSTER% %RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON% %BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_CODE% %PROTOCOL% %CONNECTION_TERMINATION_DETAILS%';
  const closed = await freePort();
  const application = await serve((socket) => socket.on('data', (data) => socket.end(data)));
  const logs: string[][] = [];
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-tcp-log-'));
  for (const start of [
    (config: object) => startProxy(config),
    (config: object) => startEnvoy(config, { args: ['--file-flush-interval-msec', '50'] }),
  ]) {
    const file = join(folder, `log-${logs.length}`);
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
    const [refused, empty, echo, unknown] = ports;
    const chain = (cluster: string, more: object = {}): object[] => [
      { filters: [tcpProxy(cluster, { accessLog: [accessLog(file, format)], ...more })] },
    ];
    const proxy = await start(
      bootstrap(
        [
          listener(refused, chain('closed')),
          listener(empty, chain('empty')),
          listener(echo, chain('echo', { idleTimeout: '0.3s' })),
          listener(unknown, chain('unknown')),
        ],
        [staticCluster('closed', [closed]), staticCluster('empty', []), staticCluster('echo', [application])],
      ),
    );
    running.push(proxy);
    for (const port of ports) {
      const socket = await dial(port);
      if (port === echo) socket.end('12345');
      await all(socket);
      socket.destroy();
    }
    const since = Date.now();
    await all(await dial(echo));
    expect(Date.now() - since).toBeGreaterThan(280);
    await new Promise((done) => setTimeout(done, 200));
    logs.push(readFileSync(file, 'utf8').trim().split('\n').toSorted());
  }
  expect(logs[1]).toHaveLength(5);
  expect(logs[0]).toEqual(logs[1]);
});

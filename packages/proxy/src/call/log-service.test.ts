import { setTimeout as pause } from 'node:timers/promises';
import { decode } from '@mizzen/xds/binary/index.ts';
import { freePort } from '@mizzen/testkit';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, staticCluster, tcpProxy } from '../process/testing/bootstraps.ts';
import { startProxy, startWithAdmin, type RunningProxy } from '../process/testing/standalone.ts';
import { startLogReceiver, type LogReceiver } from '../telemetry/testing/log-receiver.ts';

const T = 'type.googleapis.com/';
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

async function proxyTo(
  port: number,
  buffering: object,
): Promise<{ proxy: RunningProxy; request: () => Promise<void> }> {
  const listen = await freePort();
  const log = {
    name: 'log',
    typedConfig: {
      '@type': `${T}envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig`,
      commonConfig: {
        logName: 'l',
        grpcService: { envoyGrpc: { clusterName: 'als' } },
        transportApiVersion: 'V3',
        ...buffering,
      },
    },
  };
  const routes = [{ match: { prefix: '/' }, directResponse: { status: 204 } }];
  const proxy = await startProxy(
    bootstrap([listener(listen, [{ filters: [hcm(routes, { accessLog: [log] })] }])], [staticCluster('als', [port])]),
  );
  running.push(proxy);
  const request = async (): Promise<void> => {
    await (await fetch(`http://127.0.0.1:${listen}/`)).arrayBuffer();
  };
  return { proxy, request };
}

function counts({ streams }: LogReceiver): number[][] {
  return streams.map(({ messages }) =>
    messages.map((message) => {
      const decoded = decode('envoy.service.accesslog.v3.StreamAccessLogsMessage', message) as {
        readonly httpLogs: { readonly logEntry: readonly object[] };
      };
      return decoded.httpLogs.logEntry.length;
    }),
  );
}

async function eventually<T>(get: () => T, wanted: T): Promise<void> {
  const give = performance.now() + 5000;
  while (JSON.stringify(get()) !== JSON.stringify(wanted) && performance.now() < give) await pause(20);
  expect(get()).toEqual(wanted);
}

test('without a buffer every entry goes by itself, on one stream', async () => {
  const receiver = await startLogReceiver();
  running.push(receiver);
  const { request } = await proxyTo(receiver.port, { bufferSizeBytes: 0, bufferFlushInterval: '100s' });
  for (let i = 0; i < 3; i++) await request();
  await eventually(() => counts(receiver), [[1, 1, 1]]);
});

test('entries wait until there are enough of them, or for their time', async () => {
  const receiver = await startLogReceiver();
  running.push(receiver);
  const { request } = await proxyTo(receiver.port, { bufferSizeBytes: 400, bufferFlushInterval: '0.5s' });
  await request();
  await pause(100);
  expect(counts(receiver)).toEqual([]);
  await eventually(() => counts(receiver), [[1]]);
  for (let i = 0; i < 2; i++) await request();
  await eventually(() => counts(receiver), [[1, 2]]);
});

test('a service that went away is found again, and introduced to anew', async () => {
  const receiver = await startLogReceiver();
  const { request } = await proxyTo(receiver.port, { bufferSizeBytes: 0 });
  await request();
  await eventually(() => counts(receiver), [[1]]);
  await receiver.stop();
  await pause(100);
  await request();
  const again = await startLogReceiver(receiver.port);
  running.push(again);
  await pause(100);
  await request();
  await eventually(() => counts(again), [[1]]);
  const [first] = again.streams[0]!.messages;
  expect(decode('envoy.service.accesslog.v3.StreamAccessLogsMessage', first!)).toMatchObject({
    identifier: { logName: 'l' },
  });
});

test('a service that is not there costs requests nothing', async () => {
  const { request } = await proxyTo(await freePort(), { bufferSizeBytes: 0 });
  for (let i = 0; i < 3; i++) await request();
});

test('a connection is not needed for what nobody logs', async () => {
  const accepted: unknown[] = [];
  const server = createServer((socket) => void accepted.push(socket.destroy()));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await proxyTo((server.address() as AddressInfo).port, {});
  await pause(200);
  expect(accepted).toHaveLength(0);
  server.close();
});

test('entries about connections are kept for a service that does not read, though not without a limit', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const listen = await freePort();
  const log = {
    name: 'log',
    typedConfig: {
      '@type': `${T}envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig`,
      commonConfig: {
        logName: 'l',
        grpcService: { envoyGrpc: { clusterName: 'als' } },
        transportApiVersion: 'V3',
        bufferSizeBytes: 1,
        customTags: [{ tag: 'long', literal: { value: 'x'.repeat(100_000) } }],
      },
    },
  };
  const proxy = await startWithAdmin(
    bootstrap(
      [listener(listen, [{ filters: [tcpProxy('nowhere', { accessLog: [log] })] }])],
      [
        staticCluster('als', [(server.address() as AddressInfo).port], { connectTimeout: '100s' }),
        staticCluster('nowhere', [await freePort()]),
      ],
    ),
  );
  running.push(proxy, { stop: async () => void server.close() });
  const dropped = async (): Promise<number> => {
    const stats = await fetchText(proxy.admin, '/stats?filter=grpc_access_log.logs_dropped');
    return Number(/: (\d+)/.exec(stats)?.[1]);
  };
  const come = async (connections: number): Promise<void> => {
    for (let i = 0; i < connections; i++)
      await new Promise((done) =>
        connect(listen, '127.0.0.1')
          .on('error', () => undefined)
          .on('close', done)
          .resume(),
      );
  };
  await come(8);
  expect(await dropped()).toBe(0);
  await come(20);
  expect(await dropped()).toBeGreaterThan(0);
});

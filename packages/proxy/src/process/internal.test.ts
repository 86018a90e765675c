import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { bootstrap, hcm, listener, routeTo, staticCluster, tcpProxy } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const TYPE = 'type.googleapis.com/envoy.extensions';
let application: Server;
let echo: TcpServer;

beforeAll(async () => {
  application = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
  echo = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => socket.write(data));
  });
  for (const server of [application, echo]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  application.closeAllConnections();
  application.close();
  echo.close();
});

const internalCluster = (name: string, serverListenerName: string): object => ({
  name,
  type: 'STATIC',
  connectTimeout: '1s',
  loadAssignment: {
    clusterName: name,
    endpoints: [{ lbEndpoints: [{ endpoint: { address: { envoyInternalAddress: { serverListenerName } } } }] }],
  },
});
const httpInspector = {
  name: 'envoy.filters.listener.http_inspector',
  typedConfig: { '@type': `${TYPE}.filters.listener.http_inspector.v3.HttpInspector` },
};

async function read(socket: Socket, until: RegExp): Promise<string> {
  let text = '';
  while (!until.test(text)) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    text += data.toString();
  }
  return text;
}

describe.each(['mizzen', 'envoy'] as const)('internal listeners of %s', (engine) => {
  let proxyPort = 0;
  let tcpPort = 0;
  let adminPort = 0;
  let proxy: { stop(): Promise<void> };

  beforeAll(async () => {
    [proxyPort, tcpPort, adminPort] = [await freePort(), await freePort(), await freePort()];
    const connectRoute = {
      match: { connectMatcher: {} },
      route: { cluster: 'to-inside', upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] },
    };
    const inside = {
      name: 'inside',
      internalListener: {},
      listenerFilters: [httpInspector],
      listenerFiltersTimeout: '0.3s',
      continueOnListenerFiltersTimeout: true,
      filterChains: [
        { filterChainMatch: { applicationProtocols: ['http/1.1', 'http/1.0'] }, filters: [hcm([routeTo('app')])] },
        { filterChainMatch: {}, filters: [tcpProxy('echo')] },
      ],
    };
    const config = bootstrap(
      [
        listener(proxyPort, [
          { filters: [hcm([connectRoute, routeTo('app')], { upgradeConfigs: [{ upgradeType: 'CONNECT' }] })] },
        ]),
        listener(tcpPort, [{ filters: [tcpProxy('to-inside')] }]),
        inside,
      ],
      [
        staticCluster('app', [(application.address() as AddressInfo).port]),
        staticCluster('echo', [(echo.address() as AddressInfo).port]),
        internalCluster('to-inside', 'inside'),
      ],
    );
    proxy =
      engine === 'envoy'
        ? await startEnvoy({
            ...config,
            bootstrapExtensions: [
              {
                name: 'envoy.bootstrap.internal_listener',
                typedConfig: { '@type': `${TYPE}.bootstrap.internal_listener.v3.InternalListener` },
              },
            ],
          })
        : await startProxy({
            ...config,
            admin: { address: { socketAddress: { address: '127.0.0.1', portValue: adminPort } } },
          });
  });
  afterAll(() => proxy.stop());

  async function dial(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  test('a CONNECT ends there, and what is HTTP in it is routed again', async () => {
    const socket = await dial(proxyPort);
    socket.write('CONNECT shop.example:80 HTTP/1.1\r\nhost: shop.example:80\r\n\r\n');
    expect(await read(socket, /\r\n\r\n/)).toMatch(/^HTTP\/1.1 200 OK/);
    for (const path of ['/one', '/two']) {
      socket.write(`GET ${path} HTTP/1.1\r\nhost: shop.example\r\n\r\n`);
      expect(await read(socket, /shop\.example \//)).toContain(`shop.example ${path}`);
    }
    socket.destroy();
  });

  test('bytes that are not HTTP go on as they are', async () => {
    const socket = await dial(proxyPort);
    socket.write('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n');
    await read(socket, /\r\n\r\n/);
    socket.write('\x00\x01binary');
    expect(await read(socket, /binary/)).toBe('\x00\x01binary');
    socket.destroy();
  });

  test('a TCP proxy reaches it too', async () => {
    const socket = await dial(tcpPort);
    socket.write('GET /tcp HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await read(socket, /a \/tcp/)).toContain('200 OK');
    socket.destroy();
  });

  // Envoy's own admin endpoint is not what is tested.
  test.runIf(engine === 'mizzen')('the admin endpoint tells what is in force', async () => {
    const fetchText = (path: string, host?: string): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        get(
          { port: adminPort, host: '127.0.0.1', path, ...(host === undefined ? {} : { headers: { host } }) },
          (response) => {
            let body = '';
            response.on('data', (chunk: Buffer) => (body += chunk.toString()));
            response.on('end', () => resolve({ status: response.statusCode!, body }));
          },
        ).on('error', reject);
      });
    expect(await fetchText('/ready')).toEqual({ status: 200, body: 'LIVE\n' });
    const { body } = await fetchText(
      '/stats?filter=^(http\\.test\\.downstream_rq_total|tcp\\.tcp\\.downstream_cx_total|cluster\\.app\\.upstream_rq_total)$',
    );
    expect(
      Object.fromEntries(
        body
          .trim()
          .split('\n')
          .map((line) => line.split(': ')),
      ),
    ).toEqual({
      'cluster.app.upstream_rq_total': '3',
      'http.test.downstream_rq_total': '5',
      'tcp.tcp.downstream_cx_total': '2',
    });
    expect(JSON.parse((await fetchText('/listeners?format=json')).body)).toMatchObject({
      listener_statuses: [{ name: `listener-${proxyPort}` }, {}, { name: 'inside' }],
    });
    expect(JSON.parse((await fetchText('/clusters?format=json')).body)).toMatchObject({
      cluster_statuses: [{ name: 'app' }, { name: 'echo' }, { name: 'to-inside' }],
    });
    const dump = (await fetchText('/config_dump')).body;
    expect(dump).toContain('"name": "inside"');
    expect(JSON.parse(dump)).toMatchObject({
      configs: [{ bootstrap: { static_resources: {} } }, {}, {}, {}, {}, {}],
    });
    expect((await fetchText('/stats', 'evil.example')).status).toBe(403);
  });
});

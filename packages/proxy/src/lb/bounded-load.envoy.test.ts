/** Consistent hashing with bounded loads: the hosts of requests that pile up, beside the real Envoy. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { MersenneTwister } from './mersenne-twister.ts';

const HOSTS = 5;
const servers: Server[] = [];
const sockets = new Set<Socket>();
const ports: number[] = [];
let onRequest: (host: number) => void = () => undefined;

beforeAll(async () => {
  for (let i = 0; i < HOSTS; i++) {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      // Nobody is ever answered.
      socket.once('data', () => onRequest(i));
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ports.push((server.address() as AddressInfo).port);
  }
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

const hashPolicy = [{ header: { headerName: 'x-key' } }];
const CLUSTERS: Readonly<Record<string, object>> = {
  ring: { lbPolicy: 'RING_HASH', commonLbConfig: { consistentHashingLbConfig: { hashBalanceFactor: 120 } } },
  maglev: { lbPolicy: 'MAGLEV', commonLbConfig: { consistentHashingLbConfig: { hashBalanceFactor: 100 } } },
  typed: {
    loadBalancingPolicy: {
      policies: [
        {
          typedExtensionConfig: {
            name: 'ring',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash',
              consistentHashingLbConfig: { hashBalanceFactor: 200 },
            },
          },
        },
      ],
    },
  },
};

/** Which host each of the requests under way reaches, one after the other. */
async function hostsOf(port: number, cluster: string): Promise<number[]> {
  const reached: number[] = [];
  const clients: Socket[] = [];
  for (let i = 0; i < 24; i++) {
    const arrived = new Promise<number>((done) => (onRequest = done));
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    client.write(`GET /${cluster} HTTP/1.1\r\nhost: x\r\nx-key: ${i % 3}\r\n\r\n`);
    reached.push(await arrived);
  }
  for (const client of clients) client.destroy();
  return reached;
}

describe('requests that pile up go elsewhere, as with Envoy', () => {
  test.each(Object.keys(CLUSTERS))(
    '%s',
    async (name) => {
      const port = await freePort();
      const config = bootstrap(
        [listener(port, [{ filters: [hcm([routeTo(name, '/', { hashPolicy, timeout: '0s' })])] }])],
        [staticCluster(name, ports, CLUSTERS[name])],
      );
      const envoy = await startEnvoy(config);
      const theirs = await hostsOf(port, name);
      await envoy.stop();
      const proxy = await startProxy(config);
      const mine = await hostsOf(port, name);
      await proxy.stop();
      expect(new Set(theirs).size).toBeGreaterThan(2);
      expect(mine).toEqual(theirs);
    },
    30_000,
  );
});

test('the twister draws what the reference implementation draws', () => {
  const random = new MersenneTwister(5489);
  expect(random.uint32()).toBe(3499211612);
  for (let i = 2; i < 10_000; i++) random.uint32();
  expect(random.uint32()).toBe(4123659995);
});

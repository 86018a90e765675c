import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { bootstrap, hcm, listener, routeTo, socketAddress } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const backends: Server[] = [];
const running: { stop(): Promise<void> }[] = [];
const ports: { mizzen: number; envoy: number } = { mizzen: 0, envoy: 0 };
function typed(type: string, config: object): object {
  const typedConfig = { '@type': `type.googleapis.com/envoy.extensions.load_balancing_policies.${type}`, ...config };
  return {
    loadBalancingPolicy: { policies: [{ typedExtensionConfig: { name: type, typedConfig } }] },
    // Counts for nothing beside a typed policy.
    lbPolicy: 'RANDOM',
  };
}
const policies: Record<string, object> = {
  ring: { lbPolicy: 'RING_HASH', ringHashLbConfig: { minimumRingSize: 1024 } },
  'small-ring': { lbPolicy: 'RING_HASH', ringHashLbConfig: { minimumRingSize: 16, maximumRingSize: 20 } },
  murmur: { lbPolicy: 'RING_HASH', ringHashLbConfig: { hashFunction: 'MURMUR_HASH_2' } },
  maglev: { lbPolicy: 'MAGLEV' },
  'typed-ring': typed('ring_hash.v3.RingHash', {
    hashFunction: 'MURMUR_HASH_2',
    minimumRingSize: 300,
    consistentHashingLbConfig: { useHostnameForHashing: true },
  }),
  'typed-maglev': typed('maglev.v3.Maglev', { tableSize: 1021 }),
  'small-maglev': { lbPolicy: 'MAGLEV', maglevLbConfig: { tableSize: 251 } },
};

function cluster(name: string, policy: object, weights: readonly number[]): object {
  const lbEndpoints = backends.map((backend, index) => ({
    endpoint: { address: socketAddress((backend.address() as AddressInfo).port), hostname: `host-${index}` },
    loadBalancingWeight: weights[index],
  }));
  return {
    name,
    type: 'STATIC',
    connectTimeout: '2s',
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints }] },
    ...policy,
  };
}

beforeAll(async () => {
  for (let i = 0; i < 5; i++) {
    const backend = createServer((_request, response) => response.end(String(i)));
    await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
    backends.push(backend);
  }
  const clusters = Object.entries(policies).flatMap(([name, policy]) => [
    cluster(`${name}-even`, policy, [1, 1, 1, 1, 1]),
    cluster(`${name}-uneven`, policy, [1, 5, 2, 3, 1]),
  ]);
  const hashPolicy = [{ header: { headerName: 'x-key' } }];
  const routes = clusters.map((each) => {
    const { name } = each as { name: string };
    return routeTo(name, `/${name}`, { hashPolicy });
  });
  for (const [engine, start] of [
    ['mizzen', startProxy],
    ['envoy', startEnvoy],
  ] as const) {
    ports[engine] = await freePort();
    running.push(await start(bootstrap([listener(ports[engine], [{ filters: [hcm(routes)] }])], clusters)));
  }
}, 60_000);
afterAll(async () => {
  await Promise.all(running.map((proxy) => proxy.stop()));
  for (const backend of backends) backend.close();
});

function ask(port: number, path: string, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, headers: { 'x-key': key } }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(body));
    });
    sent.on('error', reject);
    sent.end();
  });
}

test.each(Object.keys(policies).flatMap((name) => [`${name}-even`, `${name}-uneven`]))(
  '%s: every key goes where Envoy sends it',
  async (name) => {
    const keys = Array.from({ length: 120 }, (_, i) => `user-${i}-${'x'.repeat(i % 40)}`);
    const [ours, theirs] = await Promise.all([
      Promise.all(keys.map((key) => ask(ports.mizzen, `/${name}`, key))),
      Promise.all(keys.map((key) => ask(ports.envoy, `/${name}`, key))),
    ]);
    expect(new Set(theirs).size).toBeGreaterThan(2);
    expect(ours).toEqual(theirs);
  },
);

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TypeUrl } from '@mizzen/xds';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from './server.ts';
import { configOf } from './test-config.ts';
import type { TestMesh } from './test-config.ts';
import { TestProxy } from './test-proxy.ts';

const clusterNames = ['a', 'b', 'c', 'd'];
const mesh: fc.Arbitrary<TestMesh> = fc
  .record({
    clusters: fc.dictionary(fc.constantFrom(...clusterNames), fc.integer({ min: 1, max: 3 })),
    ports: fc.record({
      a: fc.integer({ min: 1, max: 3 }),
      b: fc.integer({ min: 1, max: 3 }),
      c: fc.integer({ min: 1, max: 3 }),
      d: fc.integer({ min: 1, max: 3 }),
    }),
    routes: fc.dictionary(fc.constantFrom('80', '443', '8080'), fc.subarray(clusterNames)),
    secret: fc.constantFrom('s1', 's2'),
  })
  .map(({ clusters, ports, routes, secret }) => ({
    clusters,
    endpoints: Object.fromEntries(Object.keys(clusters).map((name) => [name, ports[name as keyof typeof ports]])),
    routes: Object.fromEntries(
      Object.entries(routes).map(([name, to]) => [name, to.filter((each) => each in clusters)]),
    ),
    secret,
  }));

type Step =
  | { readonly kind: 'commit'; readonly mesh: TestMesh }
  | { readonly kind: 'toServer' | 'toProxy' | 'reconnect' | 'block' | 'unblock' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: mesh.map((each) => ({ kind: 'commit' as const, mesh: each })) },
  { weight: 5, arbitrary: fc.constantFrom({ kind: 'toServer' as const }, { kind: 'toProxy' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: 'reconnect' as const },
      { kind: 'block' as const },
      { kind: 'unblock' as const },
    ),
  },
);

/** No route may lead to a cluster that is not there or has no endpoints yet. */
function checkRoutes(proxy: TestProxy): void {
  for (const json of proxy.applied.get(TypeUrl.route)?.values() ?? []) {
    const route = JSON.parse(json) as { readonly virtualHosts: readonly { readonly name: string }[] };
    for (const { name } of route.virtualHosts) {
      expect(proxy.names(TypeUrl.cluster)).toContain(name);
      expect(proxy.names(TypeUrl.endpoint)).toContain(name);
    }
  }
}

test('any interleaving of changes, acknowledgements and reconnects ends with exactly the current resources', () => {
  fc.assert(
    fc.property(mesh, fc.array(step, { maxLength: 60 }), (first, steps) => {
      const clock = new ManualClock();
      const converged: number[] = [];
      const server = new XdsServer({ clock });
      const proxy = new TestProxy(server, 'n');
      let current = first;
      let rounds = 0;
      const commit = (): void => {
        rounds += 1;
        const id = rounds;
        server.commit(new Map([['n', configOf(current)]]), { onConverged: () => converged.push(id) });
      };
      commit();
      proxy.connect();
      for (const each of steps) {
        switch (each.kind) {
          case 'commit':
            current = each.mesh;
            commit();
            break;
          case 'reconnect':
            proxy.disconnect();
            proxy.connect();
            break;
          case 'block':
          case 'unblock':
            proxy.setWritable(each.kind === 'unblock');
            break;
          default:
            proxy.deliver(each.kind);
        }
        checkRoutes(proxy);
      }
      proxy.setWritable(true);
      for (let more = true; more;) {
        more = proxy.deliver('toServer') || proxy.deliver('toProxy');
        checkRoutes(proxy);
      }
      expect(clock.pending).toBe(0);

      const config = configOf(current);
      const expected = (
        list: readonly { readonly name?: string; readonly clusterName?: string }[],
      ): Record<string, string> =>
        Object.fromEntries(list.map((item) => [item.name ?? item.clusterName ?? '', JSON.stringify(item)]));
      const actual = (typeUrl: string): Record<string, string> => Object.fromEntries(proxy.applied.get(typeUrl) ?? []);
      expect(actual(TypeUrl.cluster)).toEqual(expected(config.clusters));
      expect(actual(TypeUrl.endpoint)).toEqual(expected(config.endpoints));
      expect(actual(TypeUrl.listener)).toEqual(expected(config.listeners));
      expect(actual(TypeUrl.route)).toEqual(expected(config.routes));
      const secrets = Object.values(actual(TypeUrl.secret));
      if (config.listeners.length > 0) expect(secrets.join()).toContain(current.secret);
      else expect(secrets).toEqual([]);
      expect(converged.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));

      const before = proxy.received.length;
      server.commit(new Map([['n', configOf(current)]]));
      proxy.disconnect();
      proxy.connect();
      proxy.settle();
      expect(proxy.received.slice(before).flatMap((response) => response.resources)).toEqual([]);
      expect(proxy.received.slice(before).flatMap((response) => response.removed)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

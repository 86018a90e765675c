import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TypeUrl } from '@mizzen/xds';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { configOf } from '../xds/test-config.ts';
import type { TestMesh } from '../xds/test-config.ts';
import { WorldProxy } from './testing/world-proxy.ts';

const clusterNames = ['a', 'b', 'c', 'd'];
/** Clusters of this revision are refused. */
const BAD = 9;
const revision = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.constant(BAD) },
);
const mesh: fc.Arbitrary<TestMesh> = fc
  .record({
    clusters: fc.dictionary(fc.constantFrom(...clusterNames), revision),
    ports: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
    /** Clusters without endpoints. */
    bare: fc.subarray(clusterNames, { maxLength: 1 }),
    routes: fc.dictionary(fc.constantFrom('80', '443', '8080'), fc.subarray(clusterNames)),
    secret: fc.constantFrom('s1', 's2'),
  })
  .map(({ clusters, ports, bare, routes, secret }) => ({
    clusters,
    endpoints: Object.fromEntries(
      Object.keys(clusters)
        .filter((name) => !bare.includes(name))
        .map((name) => [name, ports[clusterNames.indexOf(name)]!]),
    ),
    routes: Object.fromEntries(
      Object.entries(routes).map(([name, to]) => [name, to.filter((each) => each in clusters)]),
    ),
    secret,
  }));

type Step =
  | { readonly kind: 'commit'; readonly mesh: TestMesh }
  | { readonly kind: 'toServer' | 'toProxy' | 'reconnect' | 'block' | 'unblock' | 'repeat' | 'wait' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: mesh.map((each) => ({ kind: 'commit' as const, mesh: each })) },
  { weight: 5, arbitrary: fc.constantFrom({ kind: 'toServer' as const }, { kind: 'toProxy' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...(['reconnect', 'block', 'unblock', 'repeat', 'wait'] as const).map((kind) => ({ kind })),
    ),
  },
);

test.each([
  ['says which resources it refuses', true],
  ['refuses whole responses', false],
])('a proxy that %s ends with exactly the current resources, whatever happens on the way', (_, precise) => {
  fc.assert(
    fc.property(mesh, fc.array(step, { maxLength: 60 }), (first, steps) => {
      const clock = new ManualClock();
      const server = new XdsServer({ clock });
      const proxy = new WorldProxy(server, 'n');
      proxy.precise = precise;
      proxy.refuse = (typeUrl, json) => typeUrl === TypeUrl.cluster && json.includes(`"${BAD}s"`);
      let current = first;
      const commit = (): void => void server.commit(new Map([['n', configOf(current)]]));
      commit();
      proxy.connect();
      for (const each of steps) {
        if (each.kind === 'commit') {
          current = each.mesh;
          commit();
        } else if (each.kind === 'reconnect') {
          proxy.disconnect();
          proxy.connect();
        } else if (each.kind === 'block' || each.kind === 'unblock') proxy.setWritable(each.kind === 'unblock');
        else if (each.kind === 'repeat') for (const typeUrl of Object.values(TypeUrl)) proxy.repeat(typeUrl);
        else if (each.kind === 'wait') clock.advance(1500);
        else proxy.deliver(each.kind);
      }
      proxy.setWritable(true);
      // What is refused whole keeps a proxy from what came with it until there is something better.
      if (!precise)
        current = { ...current, clusters: Object.fromEntries(Object.keys(current.clusters).map((name) => [name, 4])) };
      if (!precise) commit();
      for (let rounds = 0; rounds < 4; rounds++) {
        proxy.settle();
        clock.advance(2500);
      }
      proxy.settle();

      const config = configOf(current);
      const actual = (typeUrl: string): Record<string, string> => Object.fromEntries(proxy.applied.get(typeUrl) ?? []);
      const clusters = actual(TypeUrl.cluster);
      for (const each of config.clusters) {
        const name = each.name ?? '';
        if (current.clusters[name] === BAD) expect(clusters[name] ?? '').not.toContain(`"${BAD}s"`);
        else expect(clusters[name]).toBe(JSON.stringify(each));
      }
      expect(config.clusters.map((each) => each.name)).toEqual(expect.arrayContaining(Object.keys(clusters)));
      const endpoints = config.clusters
        .map((each) => each.name ?? '')
        .filter((name) => name in clusters)
        .map((name) => [name, config.endpoints.find((each) => each.clusterName === name) ?? { clusterName: name }]);
      expect(actual(TypeUrl.endpoint)).toEqual(
        Object.fromEntries(endpoints.map(([name, each]) => [name, JSON.stringify(each)])),
      );
      const named = (list: readonly { readonly name?: string }[]): Record<string, string> =>
        Object.fromEntries(list.map((each) => [each.name ?? '', JSON.stringify(each)]));
      expect(actual(TypeUrl.listener)).toEqual(named(config.listeners));
      expect(actual(TypeUrl.route)).toEqual(named(config.routes));

      const before = proxy.received.length;
      commit();
      for (const typeUrl of Object.values(TypeUrl)) proxy.repeat(typeUrl);
      proxy.settle();
      clock.advance(5000);
      proxy.settle();
      expect(proxy.received.slice(before)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('of what a proxy refuses without a word about which, the rest gets through', () => {
  fc.assert(
    fc.property(fc.array(mesh, { minLength: 1, maxLength: 8 }), (meshes) => {
      const clock = new ManualClock();
      const server = new XdsServer({ clock });
      const proxy = new WorldProxy(server, 'n');
      proxy.precise = false;
      proxy.refuse = (typeUrl, json) =>
        (typeUrl === TypeUrl.cluster && json.includes(`"${BAD}s"`)) ||
        (typeUrl === TypeUrl.endpoint && json.includes('"portValue":3'));
      proxy.connect();
      const settle = (): void => {
        for (let rounds = 0; rounds < 4; rounds++) {
          proxy.settle();
          clock.advance(2500);
        }
      };
      const refused = new Set<string>();
      for (const current of meshes) {
        server.commit(new Map([['n', configOf(current)]]));
        settle();
        refused.clear();
        for (const { refusals } of server.status())
          for (const each of refusals) refused.add(`${each.typeUrl} ${each.resource}`);
        const config = configOf(current);
        for (const cluster of config.clusters) {
          const bad = current.clusters[cluster.name!] === BAD;
          expect(refused.has(`${TypeUrl.cluster} ${cluster.name}`)).toBe(bad);
          if (!bad) expect(proxy.applied.get(TypeUrl.cluster)?.get(cluster.name!)).toBe(JSON.stringify(cluster));
        }
        for (const each of config.endpoints) {
          const followed = proxy.applied.get(TypeUrl.cluster)?.has(each.clusterName!) === true;
          if (!followed || current.endpoints[each.clusterName!] === 3) continue;
          expect(proxy.applied.get(TypeUrl.endpoint)?.get(each.clusterName!)).toBe(JSON.stringify(each));
        }
        expect(proxy.applied.get(TypeUrl.route)?.size ?? 0).toBe(config.routes.length);
      }
      const before = proxy.received.length;
      settle();
      expect(proxy.received.slice(before)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

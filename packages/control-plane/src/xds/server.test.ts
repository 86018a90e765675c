import { beforeEach, expect, test } from 'vitest';
import { TypeUrl } from '@mizzen/xds';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from './server.ts';
import type { Convergence } from './server.ts';
import { configOf } from './test-config.ts';
import type { TestMesh } from './test-config.ts';
import { TestProxy } from './test-proxy.ts';
import type { NodeConfig } from './types.ts';

const base: TestMesh = { clusters: { a: 1, b: 1 }, endpoints: { a: 1, b: 1 }, routes: { '80': ['a', 'b'] } };
let clock: ManualClock;
let converged: Convergence[];
let refusals: string[];
let server: XdsServer;

beforeEach(() => {
  clock = new ManualClock();
  converged = [];
  refusals = [];
  server = new XdsServer({
    clock,
    onRefusal: (node, all) =>
      refusals.push(...all.map((each) => `${node} ${each.resource} ${each.field}: ${each.message}`)),
  });
});

const commit = (mesh: TestMesh, ...nodes: string[]): number =>
  server.commit(new Map((nodes.length === 0 ? ['n'] : nodes).map((node) => [node, configOf(mesh)])), {
    onConverged: (round) => converged.push(round),
  });

function connected(node = 'n'): TestProxy {
  const proxy = new TestProxy(server, node);
  proxy.connect();
  proxy.settle();
  proxy.received.length = 0;
  return proxy;
}
const kinds = (proxy: TestProxy): string[] =>
  proxy.received.map(({ typeUrl, resources, removed }) => {
    const type = Object.entries(TypeUrl).find(([, url]) => url === typeUrl)?.[0] ?? typeUrl;
    return [type, ...resources.map((each) => `+${each.name}`), ...removed.map((each) => `-${each}`)].join(' ');
  });

test('a new proxy gets clusters, endpoints, listeners and routes in this order', () => {
  commit(base);
  const proxy = new TestProxy(server, 'n');
  proxy.connect();
  proxy.settle();
  expect(kinds(proxy)).toEqual([
    'cluster +a +b',
    'endpoint +a +b',
    'listener +listener-80',
    'secret +default',
    'route +80',
  ]);
  expect(proxy.names(TypeUrl.secret)).toEqual(['default']);
});

test('only what a change touches is sent', () => {
  commit(base);
  const proxy = connected();
  commit({ ...base, endpoints: { a: 1, b: 7 } });
  proxy.settle();
  expect(kinds(proxy)).toEqual(['endpoint +b']);
});

test('a proxy whose configuration is the same is told nothing', () => {
  commit(base, 'n', 'm');
  const [n, m] = [connected('n'), connected('m')];
  const changes = new Map([
    ['n', configOf({ ...base, routes: { '80': ['a'] } })],
    ['m', configOf(base)],
  ]);
  server.commit(changes, { onConverged: (round) => converged.push(round) });
  n.settle();
  m.settle();
  expect(kinds(n)).toEqual(['route +80']);
  expect(kinds(m)).toEqual([]);
  expect(converged.at(-1)).toMatchObject({ proxies: 1 });
});

test('a cluster goes only when no route leads to it any more', () => {
  commit(base);
  const proxy = connected();
  commit({ clusters: { a: 1, c: 1 }, endpoints: { a: 1, c: 1 }, routes: { '80': ['a', 'c'] } });
  proxy.settle();
  expect(kinds(proxy)).toEqual(['cluster +c', 'endpoint +c', 'route +80', 'cluster -b', 'endpoint -b']);
});

test('changes that come while a proxy is slow are merged into one', () => {
  commit(base);
  const proxy = connected();
  for (let port = 2; port <= 50; port++) commit({ ...base, endpoints: { a: port, b: 1 } });
  proxy.settle();
  expect(kinds(proxy)).toEqual(['endpoint +a', 'endpoint +a']);
  expect(proxy.received.at(-1)?.resources[0]?.json).toContain('50');
});

test('a change has converged when every proxy concerned acknowledged it', () => {
  commit(base, 'n', 'm', 'absent');
  const [n, m] = [connected('n'), connected('m')];
  converged.length = 0;
  expect(commit({ ...base, routes: { '80': ['a'] } }, 'n', 'm', 'absent')).toBe(2);
  clock.advance(5);
  n.settle();
  expect(converged).toEqual([]);
  clock.advance(7);
  m.settle();
  expect(converged).toMatchObject([{ proxies: 2, milliseconds: 12 }]);
});

test('who refuses a change is counted, and only who still refuses something of it', () => {
  commit(base, 'n', 'm');
  const [n, m] = [connected('n'), connected('m')];
  converged.length = 0;
  n.refuse = (typeUrl, json) => (typeUrl === TypeUrl.cluster && json.includes('"9s"') ? 'too slow' : undefined);
  commit({ ...base, clusters: { a: 9, b: 2 } }, 'n', 'm');
  n.settle();
  m.settle();
  expect(converged).toMatchObject([{ proxies: 2, refused: 1 }]);
  commit({ ...base, clusters: { a: 9, b: 2 }, routes: { '80': ['a'] } }, 'n', 'm');
  n.settle();
  m.settle();
  expect(converged.at(-1)).toMatchObject({ proxies: 2, refused: 0 });
});

test('a proxy that leaves holds up nobody', () => {
  commit(base, 'n', 'm');
  const [n, m] = [connected('n'), connected('m')];
  converged.length = 0;
  commit({ ...base, routes: { '80': ['a'] } }, 'n', 'm');
  n.settle();
  m.disconnect();
  expect(converged).toMatchObject([{ proxies: 1 }]);
});

test('a refused resource is reported, not sent again, and replaced by its correction', () => {
  commit(base);
  const proxy = connected();
  proxy.refuse = (typeUrl, json) => (typeUrl === TypeUrl.cluster && json.includes('"9s"') ? 'too slow' : undefined);
  commit({ ...base, clusters: { a: 9, b: 2 } });
  proxy.settle();
  expect(refusals).toEqual(['n a x: too slow']);
  expect(proxy.applied.get(TypeUrl.cluster)?.get('a')).toContain('"1s"');
  expect(proxy.applied.get(TypeUrl.cluster)?.get('b')).toContain('"2s"');
  expect(server.status()).toMatchObject([
    {
      node: 'n',
      connected: true,
      types: { cluster: 'refused', route: 'synced' },
      refusals: [{ resource: 'a', field: 'x', message: 'too slow' }],
    },
  ]);
  const before = proxy.received.length;
  commit({ ...base, clusters: { a: 9, b: 2 }, endpoints: { a: 3, b: 1 } });
  proxy.settle();
  expect(kinds(proxy).slice(before)).toEqual(['endpoint +a']);
  commit({ ...base, clusters: { a: 3, b: 2 }, endpoints: { a: 3, b: 1 } });
  proxy.settle();
  expect(kinds(proxy).at(-1)).toBe('cluster +a');
  expect(server.status()).toMatchObject([{ types: { cluster: 'synced' }, refusals: [] }]);
});

test('a stale nonce acknowledges nothing', () => {
  commit(base);
  const proxy = connected();
  commit({ ...base, clusters: { a: 2, b: 1 } });
  proxy.toServer.push({ typeUrl: TypeUrl.cluster, responseNonce: '1' });
  proxy.deliver('toServer');
  expect(server.status()[0]?.types['cluster']).toBe('pending');
  proxy.settle();
  expect(server.status()[0]?.types['cluster']).toBe('synced');
});

test('a proxy that comes before its configuration waits for it', () => {
  const proxy = connected();
  expect(proxy.names(TypeUrl.cluster)).toEqual([]);
  commit(base);
  proxy.settle();
  expect(proxy.names(TypeUrl.route)).toEqual(['80']);
});

test('an empty mesh is an answer, too', () => {
  commit({ clusters: {}, endpoints: {}, routes: {} });
  const proxy = new TestProxy(server, 'n');
  proxy.connect();
  proxy.settle();
  expect(kinds(proxy)).toEqual(['cluster', 'listener']);
});

test('a name that does not exist is answered as removed, and sent when it appears', () => {
  commit({ ...base, endpoints: { a: 1 } });
  const proxy = connected();
  expect(proxy.names(TypeUrl.endpoint)).toEqual(['a']);
  commit(base);
  proxy.settle();
  expect(kinds(proxy)).toEqual(['endpoint +b']);
});

test('a proxy that never asks for what a cluster names does not wait for ever', () => {
  commit(base);
  const stream = server.open('n', {
    writable: () => true,
    send: ({ typeUrl, nonce }) => stream.request({ typeUrl, responseNonce: nonce }),
  });
  stream.request({ typeUrl: TypeUrl.listener, subscribe: ['*'] });
  stream.request({ typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  expect(stream.idle).toBe(false);
  clock.advance(1000);
  expect(stream.idle).toBe(true);
});

test('each proxy gets its own secrets and no other’s', () => {
  const asked: string[] = [];
  const config = (node: string): NodeConfig => ({
    ...configOf(base),
    secret: (name) => {
      asked.push(`${node} ${name}`);
      return name === 'default'
        ? { version: node, secret: { name, genericSecret: { secret: { inlineString: node } } } }
        : undefined;
    },
  });
  server.commit(
    new Map([
      ['n', config('n')],
      ['m', config('m')],
    ]),
  );
  const [n, m] = [connected('n'), connected('m')];
  expect(n.applied.get(TypeUrl.secret)?.get('default')).toContain('"n"');
  expect(m.applied.get(TypeUrl.secret)?.get('default')).toContain('"m"');
  n.toServer.push({ typeUrl: TypeUrl.secret, subscribe: ['kubernetes://other'] });
  n.settle();
  expect(kinds(n)).toEqual(['secret -kubernetes://other']);
});

test('a renewed secret is sent alone', () => {
  let secret = 's1';
  const config: NodeConfig = {
    ...configOf(base),
    secret: (name, have) => configOf({ ...base, secret }).secret(name, have),
  };
  server.commit(new Map([['n', config]]));
  const proxy = connected();
  expect(server.refresh('n')).toBe(0);
  secret = 's2';
  expect(server.refresh('n')).toBe(1);
  proxy.settle();
  expect(kinds(proxy)).toEqual(['secret +default']);
});

test('an Envoy whose clusters never become warm gets everything else, and every later change of its clusters', () => {
  const sent: string[] = [];
  commit(base);
  const stream = server.open('n', {
    warms: true,
    writable: () => true,
    send: ({ typeUrl, nonce, resources }) => {
      const type = typeUrl.split('.').at(-1) ?? '';
      sent.push([type, ...resources.map((each) => each.name)].join(' '));
      if (typeUrl !== TypeUrl.cluster) queue.push(() => stream.request({ typeUrl, responseNonce: nonce }));
    },
  });
  const queue: (() => void)[] = [];
  const settle = (): void => {
    while (queue.length > 0) queue.shift()?.();
  };
  for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener]) stream.request({ typeUrl, subscribe: ['*'] });
  stream.request({ typeUrl: TypeUrl.endpoint, subscribe: ['a', 'b'] });
  stream.request({ typeUrl: TypeUrl.route, subscribe: ['80'] });
  stream.request({ typeUrl: TypeUrl.secret, subscribe: ['default'] });
  settle();
  expect(sent).toEqual(['Cluster a b', 'ClusterLoadAssignment a b', 'Secret default']);
  clock.advance(3000);
  settle();
  expect(sent.slice(3)).toEqual(['Listener listener-80', 'RouteConfiguration 80']);
  for (let revision = 2; revision < 20; revision++) {
    sent.length = 0;
    commit({ ...base, clusters: { a: revision, b: 1 } });
    settle();
    // What a changed cluster waits for is sent with it.
    expect(sent).toEqual(['Cluster a', 'ClusterLoadAssignment a']);
    clock.advance(3000);
    settle();
  }
  sent.length = 0;
  commit({ ...base, clusters: { a: 19, b: 1 }, routes: { '80': ['a'] } });
  settle();
  expect(sent).toEqual(['RouteConfiguration 80']);
});

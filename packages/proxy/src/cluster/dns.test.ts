import { expect, test } from 'vitest';
import type { Deps } from '../deps.ts';
import { compileCluster } from '../program/index.ts';
import { testDeps } from '../program/testing/deps.ts';
import { TlsContexts } from '../tls/context.ts';
import { Cluster } from './cluster.ts';
import { discoverByDns } from './dns.ts';
import { newClusterStats } from './stats.ts';

/** A clock that is moved by hand, and a resolver that answers what it is told. */
function manual(): { deps: Deps; answers: Map<string, string[] | Error>; advance: (ms: number) => Promise<void> } {
  let now = 0;
  let timers: { due: number; fn: () => void }[] = [];
  const answers = new Map<string, string[] | Error>();
  const deps: Deps = {
    clock: {
      now: () => now,
      wall: () => now,
      after: (ms, fn) => {
        const timer = { due: now + ms, fn };
        timers.push(timer);
        return { cancel: () => void (timers = timers.filter((each) => each !== timer)) };
      },
    },
    random: { float: () => 0.5, uint32: () => 0, uuid: () => '', hex: () => '' },
    net: {
      connect: () => {
        throw new Error('no network');
      },
      outerAddress: '127.0.0.1',
      lookup: (host) => {
        const answer = answers.get(host);
        return answer instanceof Error || answer === undefined
          ? Promise.reject(answer ?? new Error('unknown'))
          : Promise.resolve(answer.map((address) => ({ address, ttl: undefined })));
      },
    },
  };
  return {
    deps,
    answers,
    advance: async (ms) => {
      now += ms;
      const due = timers.filter((timer) => timer.due <= now);
      timers = timers.filter((timer) => timer.due > now);
      for (const { fn } of due) fn();
      await new Promise((done) => setTimeout(done, 0));
    },
  };
}

/** A cluster of these names; `discover` begins to resolve them. */
function clusterOf(
  type: string,
  hosts: readonly string[],
  more: object = { dnsFailureRefreshRate: { baseInterval: '1s', maxInterval: '4s' } },
): ReturnType<typeof manual> & { cluster: Cluster; discover: () => Promise<void> } {
  const world = manual();
  const lbEndpoints = hosts.map((address) => ({
    endpoint: { address: { socketAddress: { address, portValue: 80 } } },
  }));
  const resource = {
    name: 'c',
    type,
    dnsRefreshRate: '5s',
    ...more,
    loadAssignment: { clusterName: 'c', endpoints: [{ lbEndpoints }] },
  };
  const { program, nacks } = compileCluster(resource, {
    ...world.deps,
    fetch: () => Promise.reject(new Error('no network')),
    calls: testDeps.calls,
    counter: () => ({ value: 0 }),
    readFile: () => Buffer.alloc(0),
    env: () => undefined,
  });
  if (program === undefined) throw new Error(JSON.stringify(nacks));
  const cluster = new Cluster(program, new TlsContexts({ get: () => undefined }), newClusterStats(), world.deps);
  return {
    ...world,
    cluster,
    discover: () => {
      discoverByDns(cluster, world.deps);
      return world.advance(0);
    },
  };
}
const addresses = (cluster: Cluster): string[] => [...cluster.hosts].map(({ authority }) => authority);

test('every address of every name is a host; a name that is an address is one as it is', async () => {
  const { cluster, answers, discover } = clusterOf('STRICT_DNS', ['a.example', 'b.example', '10.0.0.9']);
  answers.set('a.example', ['10.0.0.1', '10.0.0.2']).set('b.example', ['10.0.0.3']);
  expect(cluster.warm).toBe(false);
  await discover();
  expect(addresses(cluster)).toEqual(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.9:80']);
  expect([...cluster.hosts].map(({ hostname }) => hostname)).toEqual([
    'a.example',
    'a.example',
    'b.example',
    '10.0.0.9',
  ]);
});

test('attempts are counted, and those that find nothing new', async () => {
  const { cluster, answers, discover, advance } = clusterOf('STRICT_DNS', ['a.example', '10.0.0.9']);
  answers.set('a.example', ['10.0.0.1']);
  await discover();
  expect(cluster.stats).toMatchObject({ update_attempt: 2, update_success: 2, update_no_rebuild: 0 });
  await advance(5000);
  expect(cluster.stats).toMatchObject({ update_attempt: 4, update_success: 4, update_no_rebuild: 2 });
});

test('names are resolved again, and hosts that stay are the same', async () => {
  const { cluster, answers, discover, advance } = clusterOf('STRICT_DNS', ['a.example']);
  answers.set('a.example', ['10.0.0.1', '10.0.0.2']);
  await discover();
  const [first, second] = [...cluster.hosts];
  answers.set('a.example', ['10.0.0.3', '10.0.0.2']);
  await advance(4900);
  expect(addresses(cluster)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  await advance(200);
  expect(addresses(cluster)).toEqual(['10.0.0.2:80', '10.0.0.3:80']);
  expect([...cluster.hosts][0]).toBe(second);
  expect(first!.inService).toBe(false);
});

test('a name that cannot be resolved keeps the cluster waiting once, and later changes nothing', async () => {
  const { cluster, answers, discover, advance } = clusterOf('STRICT_DNS', ['a.example']);
  answers.set('a.example', new Error('ENOTFOUND'));
  await discover();
  expect(cluster.warm).toBe(true);
  expect(addresses(cluster)).toEqual([]);
  answers.set('a.example', ['10.0.0.1']);
  await advance(1000);
  expect(addresses(cluster)).toEqual(['10.0.0.1:80']);
  answers.set('a.example', new Error('ENOTFOUND'));
  await advance(6000);
  expect(addresses(cluster)).toEqual(['10.0.0.1:80']);
  expect(cluster.stats.update_failure).toBe(2);
});

test('failures are tried again at the usual rate where nothing else is said', async () => {
  const { cluster, answers, discover, advance } = clusterOf('STRICT_DNS', ['a.example'], {});
  answers.set('a.example', new Error('ENOTFOUND'));
  await discover();
  await advance(4900);
  expect(cluster.stats.update_failure).toBe(1);
  await advance(200);
  expect(cluster.stats.update_failure).toBe(2);
  await advance(5000);
  expect(cluster.stats.update_failure).toBe(3);
});

test('LOGICAL_DNS takes one address at a time', async () => {
  const { cluster, answers, discover, advance } = clusterOf('LOGICAL_DNS', ['a.example']);
  answers.set('a.example', ['10.0.0.1', '10.0.0.2']);
  await discover();
  expect(addresses(cluster)).toEqual(['10.0.0.1:80']);
  answers.set('a.example', ['10.0.0.5']);
  await advance(5100);
  expect(addresses(cluster)).toEqual(['10.0.0.5:80']);
});

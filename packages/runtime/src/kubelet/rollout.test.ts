import { describe, expect, test } from 'vitest';
import { bounds, plan, type RolloutPod } from './rollout.ts';
import { desired } from './testing/desired.ts';

/** A world in which pods become ready and go away one step after they are told to. */
class World {
  pods: (RolloutPod & { hash: string })[] = [];
  hash = 'a';
  order = 0;
  leastReady = Infinity;
  most = 0;
  readonly workload: ReturnType<typeof desired>;

  constructor(workload: ReturnType<typeof desired>) {
    this.workload = workload;
  }

  view(): RolloutPod[] {
    return this.pods.map((p) => ({ ...p, current: p.hash === this.hash }));
  }

  /** Runs until nothing is planned and nothing changes; `breaks` names templates whose pods never become ready. */
  run(options: { breaks?: string; steps?: number } = {}): this {
    for (let i = 0; i < (options.steps ?? 50); i++) {
      const { create, remove } = plan(this.workload, this.view());
      for (const name of create) {
        const pod = { name, current: true, ready: false, terminating: false, order: this.order++, hash: this.hash };
        this.pods.push(pod);
      }
      const before = this.pods;
      this.pods = this.pods
        .filter((p) => !p.terminating)
        .map((p) => (remove.includes(p.name) ? { ...p, terminating: true, ready: false } : p));
      this.leastReady = Math.min(this.leastReady, this.pods.filter((p) => p.ready).length);
      this.most = Math.max(this.most, this.pods.filter((p) => !p.terminating).length);
      const unready = this.pods.find((p) => !p.ready && !p.terminating && p.hash !== options.breaks);
      this.pods = this.pods.map((p) => (p === unready ? { ...p, ready: true } : p));
      if (create.length + remove.length === 0 && unready === undefined && before.length === this.pods.length) break;
    }
    return this;
  }

  update(hash: string): this {
    this.hash = hash;
    this.leastReady = Infinity;
    this.most = 0;
    return this;
  }

  names(): string[] {
    return this.pods.map((p) => `${p.name}:${p.hash}${p.ready ? '' : ' not ready'}`).toSorted();
  }
}

describe('Deployment', () => {
  test('starts all replicas at once, under the lowest free numbers', () => {
    expect(plan(desired({ replicas: 3 }), [])).toEqual({ create: ['web-0', 'web-1', 'web-2'], remove: [] });
  });

  test('an update keeps to maxSurge and maxUnavailable and ends with new pods only', () => {
    const strategy = { type: 'RollingUpdate', maxSurge: 1, maxUnavailable: 0 } as const;
    const world = new World(desired({ replicas: 3, strategy })).run().update('b').run();
    expect(world.pods.map((p) => p.hash)).toEqual(['b', 'b', 'b']);
    expect(world.leastReady).toBeGreaterThanOrEqual(3);
    expect(world.most).toBeLessThanOrEqual(4);
  });

  test('maxUnavailable without surge removes first', () => {
    const strategy = { type: 'RollingUpdate', maxSurge: 0, maxUnavailable: '50%' } as const;
    const world = new World(desired({ replicas: 4, strategy })).run().update('b').run();
    expect(world.pods.every((p) => p.hash === 'b')).toBe(true);
    expect(world.leastReady).toBeGreaterThanOrEqual(2);
    expect(world.most).toBeLessThanOrEqual(4);
  });

  test('an update that never becomes ready leaves the old pods serving', () => {
    const world = new World(desired({ replicas: 2 })).run().update('b').run({ breaks: 'b' });
    expect(world.pods.filter((p) => p.hash === 'a' && p.ready)).toHaveLength(2);
    world.update('c').run();
    expect(world.pods.map((p) => p.hash)).toEqual(['c', 'c']);
  });

  test('scaling down takes what is not ready first, then the youngest', () => {
    const pod = (n: number, ready: boolean): RolloutPod => ({
      name: `web-${n}`,
      current: true,
      ready,
      terminating: false,
      order: n,
    });
    expect(plan(desired({ replicas: 1 }), [pod(0, true), pod(1, false), pod(2, true)]).remove).toEqual([
      'web-1',
      'web-2',
    ]);
  });

  test('Recreate starts nothing before the last old pod is gone', () => {
    const workload = desired({ strategy: { type: 'Recreate', maxSurge: 0, maxUnavailable: 0 }, replicas: 2 });
    const world = new World(workload).run().update('b');
    expect(plan(workload, world.view())).toEqual({ create: [], remove: ['web-0', 'web-1'] });
    world.run();
    expect(world.names()).toEqual(['web-0:b', 'web-1:b']);
  });

  test('percentages round as in Kubernetes, and zero with zero still moves', () => {
    const of = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) =>
      bounds({ replicas, strategy: { type: 'RollingUpdate', maxSurge, maxUnavailable } });
    expect(of(2, '25%', '25%')).toEqual({ surge: 1, unavailable: 0 });
    expect(of(10, '25%', '25%')).toEqual({ surge: 3, unavailable: 2 });
    expect(of(1, 0, '25%')).toEqual({ surge: 0, unavailable: 1 });
  });
});

describe('StatefulSet', () => {
  const owner = { kind: 'StatefulSet', namespace: 'default', name: 'db' };

  test('replaces one pod at a time from the highest ordinal, under the same name', () => {
    const world = new World(desired({ owner, replicas: 3 })).run().update('b');
    expect(plan(world.workload, world.view())).toEqual({ create: [], remove: ['db-2'] });
    world.run();
    expect(world.names()).toEqual(['db-0:b', 'db-1:b', 'db-2:b']);
    expect(world.leastReady).toBe(2);
  });

  test('a broken pod of the old template is replaced though others wait', () => {
    const world = new World(desired({ owner, replicas: 2 })).run({ breaks: 'a' }).update('b').run();
    expect(world.names()).toEqual(['db-0:b', 'db-1:b']);
  });
});

test('a Pod keeps its name and is started again only when the old one is gone', () => {
  const workload = desired({ owner: { kind: 'Pod', namespace: 'default', name: 'one' } });
  const world = new World(workload).run();
  expect(world.names()).toEqual(['one:a']);
  world.update('b').run();
  expect(world.names()).toEqual(['one:b']);
});

import { describe, expect, test } from 'vitest';
import { EdfScheduler } from './edf.ts';
import { makePicker, type PickerOptions } from './picker.ts';
import { priorityLoad } from './priority-load.ts';
import { context, fakeDeps, fakeHost, onePriority, tally } from './testing.ts';

const options: PickerOptions = {
  lb: { policy: 'ROUND_ROBIN', slowStart: undefined },
  localityWeighted: false,
  overprovisioningFactor: 140,
  weightedPriorityHealth: false,
  panicThreshold: 0.5,
  boundedLoad: { hashBalanceFactor: 0, active: () => 0 },
  zone: undefined,
  failOnPanic: false,
  onPanic: () => undefined,
};
const hosts = (count: number, prefix = 'h'): ReturnType<typeof fakeHost>[] =>
  Array.from({ length: count }, (_, i) => fakeHost(`${prefix}${i}`));

describe('EdfScheduler', () => {
  test('serves by weight, evenly spread', () => {
    const schedule = new EdfScheduler<string>();
    const weights: Record<string, number> = { a: 5, b: 1, c: 1 };
    for (const [name, weight] of Object.entries(weights)) schedule.add(name, weight);
    const order = Array.from({ length: 14 }, () => schedule.pick((name) => weights[name]!));
    expect(order.filter((name) => name === 'a')).toHaveLength(10);
    expect(order.slice(0, 7).filter((name) => name === 'b')).toHaveLength(1);
    expect(order.slice(7).filter((name) => name === 'c')).toHaveLength(1);
  });
});

describe('policies', () => {
  test('round robin takes turns, and by weight when weights differ', () => {
    const plain = makePicker([onePriority(hosts(3))], options, fakeDeps());
    expect(tally(() => plain.pick(context()), 9)).toEqual({ h0: 3, h1: 3, h2: 3 });
    const weighted = makePicker([onePriority([fakeHost('a', 3), fakeHost('b', 1)])], options, fakeDeps());
    expect(tally(() => weighted.pick(context()), 40)).toEqual({ a: 30, b: 10 });
  });

  test('least request prefers hosts with fewer requests, with and without weights', () => {
    const lb = {
      policy: 'LEAST_REQUEST',
      choiceCount: 2,
      activeRequestBias: 1,
      fullScan: false,
      slowStart: undefined,
    } as const;
    const [a, b] = hosts(2) as [ReturnType<typeof fakeHost>, ReturnType<typeof fakeHost>];
    a.active = 10;
    const plain = makePicker([onePriority([a, b])], { ...options, lb }, fakeDeps());
    // Only when both draws hit `h0` is it chosen.
    expect(tally(() => plain.pick(context()), 4000)['h0']).toBeLessThan(1200);
    const heavy = fakeHost('heavy', 4);
    const light = fakeHost('light', 1);
    heavy.active = 3;
    const weighted = makePicker([onePriority([heavy, light])], { ...options, lb }, fakeDeps());
    const counts = tally(() => weighted.pick(context()), 100);
    expect(counts['heavy']).toBeGreaterThan(45);
    expect(counts['heavy']).toBeLessThan(55);
  });

  test('a host in slow start gets its share little by little', () => {
    const old = fakeHost('old');
    const young = { ...fakeHost('young'), since: 900 };
    const lb = { policy: 'ROUND_ROBIN', slowStart: { window: 1000, aggression: 1, minWeight: 0.1 } } as const;
    const picker = makePicker([onePriority([{ ...old, since: -5000 }, young])], { ...options, lb }, fakeDeps(1000));
    const counts = tally(() => picker.pick(context()), 110);
    expect(counts['young']).toBeGreaterThan(8);
    expect(counts['young']).toBeLessThan(12);
  });

  test('hosts tried before are avoided as long as there are attempts left', () => {
    const [a, b] = hosts(2) as [ReturnType<typeof fakeHost>, ReturnType<typeof fakeHost>];
    const picker = makePicker([onePriority([a, b])], options, fakeDeps());
    for (let i = 0; i < 10; i++) expect(picker.pick(context({ avoid: [a], avoidAttempts: 3 }))).toBe(b);
    const only = makePicker([onePriority([a])], options, fakeDeps());
    expect(only.pick(context({ avoid: [a], avoidAttempts: 3 }))).toBe(a);
  });

  test('nobody is chosen where there is nobody', () => {
    expect(makePicker([], options, fakeDeps()).pick(context())).toBeNull();
    expect(makePicker([onePriority([])], options, fakeDeps()).pick(context())).toBeNull();
    const down = onePriority([], { hosts: hosts(2) });
    expect(makePicker([down], { ...options, panicThreshold: 0 }, fakeDeps()).pick(context())).toBeNull();
  });
});

describe('priorities', () => {
  const level = (healthy: number, total: number, degraded = 0): ReturnType<typeof onePriority> => {
    const all = hosts(total);
    return onePriority(all.slice(0, healthy), { hosts: all, degraded: all.slice(healthy, healthy + degraded) });
  };

  // Expected numbers from Envoy's documentation of priority levels and panic.
  test.each([
    [
      [level(100, 100), level(100, 100)],
      [100, 0],
    ],
    [
      [level(72, 100), level(72, 100)],
      [100, 0],
    ],
    [
      [level(71, 100), level(71, 100)],
      [99, 1],
    ],
    [
      [level(50, 100), level(50, 100)],
      [70, 30],
    ],
    [
      [level(25, 100), level(100, 100)],
      [35, 65],
    ],
    [
      [level(0, 100), level(100, 100)],
      [0, 100],
    ],
    [
      [level(25, 100), level(25, 100)],
      [50, 50],
    ],
  ])('load %#', (levels, expected) => {
    expect(priorityLoad(levels, options).healthy).toEqual(expected);
  });

  test('degraded hosts take what healthy ones cannot', () => {
    const load = priorityLoad([level(10, 100, 20), level(20, 100, 10), level(10, 100, 0)], {
      ...options,
      overprovisioningFactor: 100,
      panicThreshold: 0,
    });
    expect(load.healthy).toEqual([16, 28, 14]);
    expect(load.degraded).toEqual([28, 14, 0]);
  });

  test('in panic every host is used, whatever its health', () => {
    let panics = 0;
    const picker = makePicker([level(1, 4)], { ...options, onPanic: () => panics++ }, fakeDeps());
    expect(Object.keys(tally(() => picker.pick(context()), 40))).toHaveLength(4);
    expect(panics).toBe(40);
  });

  test('a share of requests goes to the second priority', () => {
    const second = onePriority(hosts(4, 's'));
    const picker = makePicker([level(2, 4), second], options, fakeDeps());
    const counts = tally(() => picker.pick(context()), 10_000);
    const spilled = Object.entries(counts).reduce((sum, [key, count]) => sum + (key.startsWith('s') ? count : 0), 0);
    expect(spilled / 10_000).toBeCloseTo(0.3, 1);
  });
});

test('localities get their weight, less what of them is not available', () => {
  const near = hosts(2, 'near');
  const far = hosts(2, 'far');
  const priority = onePriority([...near, ...far], {
    localities: [
      { key: '', weight: 3, hosts: near, healthy: near, degraded: [] },
      { key: '', weight: 1, hosts: far, healthy: far, degraded: [] },
      { key: '', weight: 0, hosts: [], healthy: [], degraded: [] },
    ],
  });
  const picker = makePicker([priority], { ...options, localityWeighted: true }, fakeDeps());
  expect(tally(() => picker.pick(context()), 400)).toEqual({ near0: 150, near1: 150, far0: 50, far1: 50 });
});

test('a key stays with its host when another host goes', () => {
  const all = hosts(10);
  for (const lb of [
    { policy: 'RING_HASH', minimumRingSize: 1024, maximumRingSize: 8388608, hashFunction: 'XX_HASH' },
    { policy: 'MAGLEV', tableSize: 65537 },
  ] as const) {
    const before = makePicker([onePriority(all)], { ...options, lb }, fakeDeps());
    const after = makePicker([onePriority(all.slice(1))], { ...options, lb }, fakeDeps());
    let moved = 0;
    for (let i = 0n; i < 1000n; i++) {
      const request = context({ hash: BigInt.asUintN(64, i * 0x9e3779b97f4a7c15n) });
      const host = before.pick(request);
      if (host !== all[0] && after.pick(request) !== host) moved++;
    }
    expect(moved).toBeLessThan(120);
  }
});

import type { Deps } from '../deps.ts';
import type { LbContext } from '../types.ts';
import type { BalancedHost, PriorityHosts } from './types.ts';

/** A host that only balancing looks at. */
export function fakeHost(hashKey: string, weight = 1): BalancedHost & { active: number } {
  const host: Partial<BalancedHost> = { authority: hashKey, hashKey, weight, since: 0, active: 0 };
  return host as BalancedHost;
}

export function onePriority(healthy: readonly BalancedHost[], more: Partial<PriorityHosts> = {}): PriorityHosts {
  return { hosts: healthy, healthy, degraded: [], excluded: 0, localities: [], ...more };
}

export function context(more: Partial<LbContext> = {}): LbContext {
  return {
    hash: undefined,
    metadataMatch: undefined,
    avoid: undefined,
    avoidAttempts: 0,
    authority: '',
    priority: 'DEFAULT',
    ...more,
  };
}

/** A repeatable sequence, and a clock that stands still. */
export function fakeDeps(now = 0): Deps {
  let state = 12345;
  const uint32 = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
  return {
    clock: { now: () => now, wall: () => now, after: () => ({ cancel: () => undefined }) },
    random: { uint32, float: () => uint32() / 2 ** 32, uuid: () => '', hex: () => '' },
    net: {
      connect: () => {
        throw new Error('no network');
      },
      outerAddress: '127.0.0.1',
      lookup: () => Promise.resolve([]),
    },
  };
}

/** How often each host is chosen in `count` picks. */
export function tally(pick: () => BalancedHost | null | undefined, count: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const key = pick()?.hashKey ?? 'nobody';
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

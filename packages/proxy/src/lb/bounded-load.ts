import { MersenneTwister } from './mersenne-twister.ts';
import type { BalancedHost, HostPicker, Share } from './types.ts';

export interface BoundedLoad {
  /** Percent of the average number of requests under way that a host may have; 0: no bound. */
  readonly hashBalanceFactor: number;
  /** Requests under way to the whole cluster. */
  readonly active: () => number;
}

/**
 * Consistent hashing with bounded loads: where the key's host has its share of requests under way and more, others are
 * tried in an order that the key decides, as Envoy draws it; when all are full, the least full is taken.
 */
export function boundLoad(picker: HostPicker, shares: readonly Share[], bound: BoundedLoad): HostPicker {
  const { hashBalanceFactor } = bound;
  if (hashBalanceFactor === 0) return picker;
  const weights = new Map(shares.map(({ host, weight }) => [host, weight]));
  const overload = (host: BalancedHost): number => {
    const slots = Math.floor(((bound.active() + 1) * hashBalanceFactor + 99) / 100);
    return host.active / Math.max(1, Math.ceil(slots * weights.get(host)!));
  };
  return {
    pick: (context, attempt) => {
      const first = picker.pick(context, attempt);
      if (first === undefined) return undefined;
      let least = overload(first);
      if (least <= 1) return first;
      let best = first;
      for (const host of shuffled(shares, context.hash ?? 0n)) {
        if (host === first) continue;
        const load = overload(host);
        if (load <= 1) return host;
        if (load < least) [best, least] = [host, load];
      }
      return best;
    },
  };
}

function* shuffled(shares: readonly Share[], hash: bigint): Generator<BalancedHost> {
  const random = new MersenneTwister(Number(hash & 0xffffffffn));
  const order = shares.map(({ host }) => host);
  for (let i = 0; i < order.length; i++) {
    const j = i + below(random, order.length - i);
    [order[i], order[j]] = [order[j]!, order[i]!];
    yield order[i]!;
  }
}

/** Uniform in [0, k). */
function below(random: MersenneTwister, k: number): number {
  const step = Math.floor(2 ** 32 / k);
  for (;;) {
    const drawn = Math.floor(random.uint32() / step);
    if (drawn < k) return drawn;
  }
}

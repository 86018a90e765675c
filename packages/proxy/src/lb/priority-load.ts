import type { PriorityHosts } from './types.ts';

/** Percentages of requests, by priority; all of both lists add up to 100. */
export interface PriorityLoad {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
  /** Priorities in which health is no longer looked at. */
  readonly panic: readonly boolean[];
}

export interface PriorityOptions {
  /** Percent. */
  readonly overprovisioningFactor: number;
  readonly weightedPriorityHealth: boolean;
  /** Fraction of hosts below which a priority panics; 0: never. */
  readonly panicThreshold: number;
}

/**
 * How requests are spread over priorities: each takes what its available hosts (times the overprovisioning factor) can
 * carry, healthy hosts before degraded ones, and the rest overflows to the next. Integer arithmetic as in Envoy, so that
 * the shares are the same.
 */
export function priorityLoad(priorities: readonly PriorityHosts[], options: PriorityOptions): PriorityLoad {
  const health = priorities.map((priority) => availability(priority, priority.healthy, options));
  const degradation = priorities.map((priority) => availability(priority, priority.degraded, options));
  const total = Math.min(100, sum(health) + sum(degradation));
  const none = priorities.map(() => 0);
  const quiet = priorities.map(() => false);
  if (total === 0 && options.panicThreshold === 0) return { healthy: onlyFirst(none), degraded: none, panic: quiet };
  const panic = total === 100 ? quiet : priorities.map((priority) => inPanic(priority, options.panicThreshold));
  if (panic.every(Boolean)) return { healthy: byHostCount(priorities), degraded: none, panic };
  const healthy = distribute(health, 100, total);
  const degraded = distribute(degradation, healthy.rest, total);
  if (degraded.rest > 0) {
    if (healthy.first >= 0) healthy.load[healthy.first]! += degraded.rest;
    else if (degraded.first >= 0) degraded.load[degraded.first]! += degraded.rest;
  }
  return { healthy: healthy.load, degraded: degraded.load, panic };
}

/** Percentages that the hosts of each priority can take by themselves. */
export function availabilities(
  priorities: readonly PriorityHosts[],
  options: PriorityOptions,
): { readonly healthy: readonly number[]; readonly degraded: readonly number[] } {
  return {
    healthy: priorities.map((priority) => availability(priority, priority.healthy, options)),
    degraded: priorities.map((priority) => availability(priority, priority.degraded, options)),
  };
}

/** All requests over what is available, in order; undefined: nothing is. What rounding leaves goes to the first again. */
export function spread(healthy: readonly number[], degraded: readonly number[]): PriorityLoad | undefined {
  const total = Math.min(100, sum(healthy) + sum(degraded));
  if (total === 0) return undefined;
  const load = { healthy: healthy.map(() => 0), degraded: degraded.map(() => 0), panic: healthy.map(() => false) };
  let rest = 100;
  const give = (available: readonly number[], to: number[]): void =>
    available.forEach((part, i) => {
      const share = Math.min(rest, Math.floor((part * 100) / total));
      to[i]! += share;
      rest -= share;
    });
  while (rest > 0) {
    give(healthy, load.healthy);
    give(degraded, load.degraded);
  }
  return load;
}

/** The priority that a number in 1…100 falls to. */
export function choosePriority(
  load: PriorityLoad,
  percent: number,
): { readonly priority: number; readonly degraded: boolean } {
  let upTo = 0;
  for (let priority = 0; priority < load.healthy.length; priority++) {
    upTo += load.healthy[priority]!;
    if (percent <= upTo) return { priority, degraded: false };
  }
  for (let priority = 0; priority < load.degraded.length; priority++) {
    upTo += load.degraded[priority]!;
    if (percent <= upTo) return { priority, degraded: true };
  }
  return { priority: 0, degraded: false };
}

function availability(priority: PriorityHosts, available: PriorityHosts['hosts'], options: PriorityOptions): number {
  const count = priority.hosts.length - priority.excluded;
  if (count === 0) return 0;
  const part = options.weightedPriorityHealth ? weights(available) : available.length;
  const whole = options.weightedPriorityHealth ? weights(priority.hosts) : count;
  return Math.min(
    100,
    Math.floor(((priority.overprovisioningFactor ?? options.overprovisioningFactor) * part) / whole),
  );
}

/** Too few of its hosts are available. */
export function inPanic(priority: PriorityHosts, threshold: number): boolean {
  const count = priority.hosts.length - priority.excluded;
  const available = count === 0 ? 0 : (priority.healthy.length + priority.degraded.length) / count;
  return available < threshold;
}

function distribute(
  available: readonly number[],
  rest: number,
  total: number,
): { load: number[]; first: number; rest: number } {
  const load = available.map((part) => {
    const share = Math.min(rest, Math.floor((part * 100) / total));
    rest -= share;
    return share;
  });
  return { load, first: available.findIndex((part) => part > 0), rest };
}

function byHostCount(priorities: readonly PriorityHosts[]): number[] {
  const total = sum(priorities.map(({ hosts }) => hosts.length));
  if (total === 0) return onlyFirst(priorities.map(() => 0));
  const load = priorities.map(({ hosts }) => Math.floor((100 * hosts.length) / total));
  load[priorities.findIndex(({ hosts }) => hosts.length > 0)]! += 100 - sum(load);
  return load;
}

function onlyFirst(none: readonly number[]): number[] {
  return none.map((_, index) => (index === 0 ? 100 : 0));
}

function weights(hosts: PriorityHosts['hosts']): number {
  return sum(hosts.map(({ weight }) => weight));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

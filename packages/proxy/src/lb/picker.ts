import type { Deps } from '../deps.ts';
import type { LbProgram } from '../program/types.ts';
import type { LbContext } from '../types.ts';
import { boundLoad, type BoundedLoad } from './bounded-load.ts';
import { leastRequest } from './least-request.ts';
import { localityPicker } from './locality.ts';
import { maglev } from './maglev.ts';
import { loadOfRetry } from './previous-priorities.ts';
import { choosePriority, priorityLoad, type PriorityLoad, type PriorityOptions } from './priority-load.ts';
import { randomHost } from './random.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';
import { shares } from './shares.ts';
import type { BalancedHost, HostPicker, PriorityHosts, Spread } from './types.ts';
import { zoneChoice, type ZoneOptions } from './zone.ts';

/** Chooses a host of a cluster; made for one set of endpoints and replaced when they change. */
export interface Picker {
  pick(context: LbContext): BalancedHost | null;
  /** Where somebody else has chosen the priority, and whether its healthy or its degraded hosts are meant. */
  pickAt(level: Level, context: LbContext): BalancedHost | null;
}

export interface Level {
  readonly priority: number;
  readonly degraded: boolean;
}

export const nobodyPicker: Picker = { pick: () => null, pickAt: () => null };

export interface PickerOptions extends PriorityOptions {
  readonly lb: LbProgram;
  readonly localityWeighted: boolean;
  readonly boundedLoad: BoundedLoad;
  /** Undefined: the proxy knows of no cluster that it is itself part of. */
  readonly zone: ZoneOptions | undefined;
  /** Requests fail where a priority panics. */
  readonly failOnPanic: boolean;
  /** Called where hosts are found by hash, for each priority. */
  readonly onSpread?: (spread: Spread) => void;
  /** Called for each request that a panicking priority answers. */
  readonly onPanic: () => void;
}

/** `priorities` in order; each has all its hosts. */
export function makePicker(priorities: readonly PriorityHosts[], options: PickerOptions, deps: Deps): Picker {
  const { lb } = options;
  if (priorities.length === 0) return nobodyPicker;
  const load = priorityLoad(priorities, options);
  const hashing = lb.policy === 'RING_HASH' || lb.policy === 'MAGLEV';
  const sources = hashing
    ? priorities.map((priority, index) => hashSource(priority, load.panic[index]!, options))
    : priorities.map((priority, index) =>
        source(priority, load.panic[index]!, index === 0 ? options : { ...options, zone: undefined }, deps),
      );
  const loadFor: LoadFor = (context) =>
    context.tried === undefined ? load : loadOfRetry(context.tried, load, priorities, options);
  const choose = hashing ? chooseByHash(loadFor, sources, deps) : chooseAtRandom(load, loadFor, sources, deps);
  return {
    pick: (context) => withoutAvoided(choose, context),
    pickAt: (level, context) =>
      withoutAvoided((given, attempt) => {
        const hashed = hashing && given.hash === undefined ? { ...given, hash: randomHash(deps) } : given;
        return at(level, sources, hashed, attempt);
      }, context),
  };
}

type Choose = (context: LbContext, attempt: number) => BalancedHost | undefined;

/** Host pickers of one priority. Both are the same when it panics. */
interface Source {
  readonly healthy: HostPicker;
  readonly degraded: HostPicker;
  readonly onPanic: (() => void) | undefined;
}

function withoutAvoided(choose: Choose, context: LbContext): BalancedHost | null {
  const { avoid, avoids } = context;
  let host = choose(context, 0);
  if ((avoid === undefined || avoid.length === 0) && avoids === undefined) return host ?? null;
  const avoided = (one: BalancedHost): boolean => (avoid?.includes(one) ?? false) || avoids?.(one) === true;
  for (let attempt = 1; attempt <= context.avoidAttempts && host !== undefined && avoided(host); attempt++) {
    host = choose(context, attempt);
  }
  return host ?? null;
}

type LoadFor = (context: LbContext) => PriorityLoad;

function chooseAtRandom(load: PriorityLoad, loadFor: LoadFor, sources: readonly Source[], deps: Deps): Choose {
  const first = sources[0]!;
  // Nearly always: everything goes to the first priority's healthy hosts, and there is nothing to throw dice for.
  if (load.healthy[0] === 100 && first.onPanic === undefined)
    return (context, attempt) =>
      context.tried === undefined || context.tried.hosts.length === 0
        ? first.healthy.pick(context, attempt)
        : from(loadFor(context), sources, (deps.random.uint32() % 100) + 1, context, attempt);
  return (context, attempt) => from(loadFor(context), sources, (deps.random.uint32() % 100) + 1, context, attempt);
}

function chooseByHash(loadFor: LoadFor, sources: readonly Source[], deps: Deps): Choose {
  return (given, attempt) => {
    const hash = given.hash ?? randomHash(deps);
    const context = given.hash === undefined ? { ...given, hash } : given;
    const percent = sources.length === 1 ? 1 : Number(hash % 100n) + 1;
    return from(loadFor(context), sources, percent, context, attempt);
  };
}

function randomHash({ random }: Deps): bigint {
  return (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
}

function from(
  load: PriorityLoad,
  sources: readonly Source[],
  percent: number,
  context: LbContext,
  attempt: number,
): BalancedHost | undefined {
  return at(choosePriority(load, percent), sources, context, attempt);
}

function at(
  { priority, degraded }: Level,
  sources: readonly Source[],
  context: LbContext,
  attempt: number,
): BalancedHost | undefined {
  const chosen = sources[priority];
  if (chosen === undefined) return undefined;
  if (attempt === 0) chosen.onPanic?.();
  return (degraded ? chosen.degraded : chosen.healthy).pick(context, attempt);
}

function source(priority: PriorityHosts, panic: boolean, options: PickerOptions, deps: Deps): Source {
  const make = (hosts: readonly BalancedHost[]): HostPicker => hostPicker(hosts, options.lb, deps);
  if (panic) {
    const all = options.failOnPanic ? nobody : make(priority.hosts);
    return { healthy: all, degraded: all, onPanic: options.onPanic };
  }
  const of = (kind: 'healthy' | 'degraded'): HostPicker => {
    const weighted = options.localityWeighted && priority.unweighted !== true;
    const byLocality = weighted
      ? localityPicker(priority.localities, kind, options.overprovisioningFactor, make, deps)
      : undefined;
    return byLocality ?? byZone(priority, kind, options, make, deps) ?? make(priority[kind]);
  };
  return { healthy: of('healthy'), degraded: of('degraded'), onPanic: undefined };
}

function byZone(
  priority: PriorityHosts,
  kind: 'healthy' | 'degraded',
  { zone }: PickerOptions,
  make: (hosts: readonly BalancedHost[]) => HostPicker,
  deps: Deps,
): HostPicker | undefined {
  const choose = zone === undefined ? undefined : zoneChoice(priority, zone, deps);
  if (choose === undefined) return undefined;
  const pickers = new Map(priority.localities.map((locality) => [locality, make(locality[kind])]));
  const anywhere = make(priority[kind]);
  return {
    pick: (context, attempt) => {
      const locality = choose();
      if (locality === 'nobody') return undefined;
      return (locality === undefined ? anywhere : pickers.get(locality)!).pick(context, attempt);
    },
  };
}

function hashSource(priority: PriorityHosts, panic: boolean, options: PickerOptions): Source {
  const { lb } = options;
  const parts = shares(priority, panic, options.localityWeighted);
  const unbounded =
    lb.policy === 'MAGLEV' ? maglev(parts, lb.tableSize) : lb.policy === 'RING_HASH' ? ringHash(parts, lb) : nobody;
  if (unbounded.spread !== undefined) options.onSpread?.(unbounded.spread);
  const picker = boundLoad(unbounded, parts, options.boundedLoad);
  return { healthy: picker, degraded: picker, onPanic: panic ? options.onPanic : undefined };
}

const nobody: HostPicker = { pick: () => undefined };

function hostPicker(hosts: readonly BalancedHost[], lb: LbProgram, deps: Deps): HostPicker {
  switch (lb.policy) {
    case 'ROUND_ROBIN':
      return roundRobin(hosts, lb.slowStart, deps);
    case 'LEAST_REQUEST':
      return leastRequest(hosts, lb, deps);
    case 'RANDOM':
      return randomHost(hosts, deps);
    default:
      return hosts.length === 0 ? nobody : roundRobin(hosts, undefined, deps);
  }
}

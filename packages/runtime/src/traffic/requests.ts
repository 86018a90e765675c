import type { RequestTraffic } from '@mizzen/proxy/process/protocol.ts';
import { quantile } from './window.ts';

/** Length of one point of a chart, milliseconds. */
export const STEP = 5000;
/** Points from left to right: five minutes. */
export const POINTS = 60;
/** Points that somebody may still ask for. */
const KEPT = POINTS + 2;
/** Reports come a second late. */
const LATE = 1000;
/** Bounded, whatever labels there are: what would be more is not told apart from nobody. */
const MOST_SERIES = 20_000;

export type Parties = Omit<RequestTraffic, 'requests' | 'errors' | 'clientErrors' | 'times'>;

interface Slot {
  /** Number of its step since the clock began. */
  readonly step: number;
  requests: number;
  errors: number;
  clientErrors: number;
  readonly times: Map<number, number>;
}

interface Kept {
  readonly parties: Parties;
  readonly slots: Slot[];
}

/** Requests, errors and durations, one point for every step. Durations are null where nothing ended. */
export interface Red {
  readonly rate: readonly number[];
  readonly errorRate: readonly number[];
  readonly clientErrorRate: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p90: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  /** Of all points. */
  readonly total: {
    readonly requests: number;
    readonly errors: number;
    readonly clientErrors: number;
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p99: number | null;
  };
}

/** What proxies' standard metrics counted within the last minutes, by who sent and who answered. */
export class RequestHistory {
  readonly #series = new Map<string, Kept>();

  add(all: readonly RequestTraffic[], at: number): void {
    const step = Math.floor(at / STEP);
    for (const { requests, errors, clientErrors, times, ...parties } of all) {
      const kept = this.#of(parties, step);
      if (kept === undefined) continue;
      let slot = kept.slots.at(-1);
      if (slot?.step !== step)
        kept.slots.push((slot = { step, requests: 0, errors: 0, clientErrors: 0, times: new Map() }));
      while (kept.slots[0]!.step < step - KEPT) kept.slots.shift();
      slot.requests += requests;
      slot.errors += errors;
      slot.clientErrors += clientErrors;
      for (const [ms, count] of times) slot.times.set(ms, (slot.times.get(ms) ?? 0) + count);
    }
  }

  #of(parties: Parties, step: number): Kept | undefined {
    const key = Object.values(parties).join(' ');
    let kept = this.#series.get(key);
    if (kept !== undefined) return kept;
    if (this.#series.size >= MOST_SERIES) this.#forget(step);
    if (this.#series.size >= MOST_SERIES) return undefined;
    this.#series.set(key, (kept = { parties, slots: [] }));
    return kept;
  }

  /** What has been quiet for as long as anybody can look back. */
  #forget(step: number): void {
    for (const [key, { slots }] of this.#series) if ((slots.at(-1)?.step ?? 0) < step - KEPT) this.#series.delete(key);
  }

  /**
   * What is known of, by names in its parties; undefined leaves a series out. The newest step is the last whole one;
   * totals are of the `last` steps.
   */
  groups<T extends string = string>(
    now: number,
    groupOf: (parties: Parties) => T | undefined,
    last: number = POINTS,
  ): Map<T, Red> {
    const newest = Math.floor((now - LATE) / STEP) - 1;
    this.#forget(newest);
    const groups = new Map<T, Kept[]>();
    for (const kept of this.#series.values()) {
      const group = groupOf(kept.parties);
      if (group === undefined) continue;
      const same = groups.get(group);
      if (same === undefined) groups.set(group, [kept]);
      else same.push(kept);
    }
    return new Map([...groups].map(([group, all]) => [group, redOf(all, newest, last)]));
  }
}

function redOf(all: readonly Kept[], newest: number, last: number): Red {
  const nothing = (): Omit<Slot, 'step'> => ({ requests: 0, errors: 0, clientErrors: 0, times: new Map() });
  const points = Array.from({ length: POINTS }, nothing);
  const total = nothing();
  for (const { slots } of all) {
    for (const { step, requests, errors, clientErrors, times } of slots) {
      const point = points[step - newest + POINTS - 1];
      if (point === undefined) continue;
      for (const each of step > newest - last ? [point, total] : [point]) {
        each.requests += requests;
        each.errors += errors;
        each.clientErrors += clientErrors;
        for (const [ms, count] of times) each.times.set(ms, (each.times.get(ms) ?? 0) + count);
      }
    }
  }
  const durations = points.map(({ times }) => quantiles(times));
  return {
    rate: points.map(({ requests }) => perSecond(requests)),
    errorRate: points.map(({ errors }) => perSecond(errors)),
    clientErrorRate: points.map(({ clientErrors }) => perSecond(clientErrors)),
    p50: durations.map(({ p50 }) => p50),
    p90: durations.map(({ p90 }) => p90),
    p99: durations.map(({ p99 }) => p99),
    total: {
      requests: total.requests,
      errors: total.errors,
      clientErrors: total.clientErrors,
      ...quantiles(total.times),
    },
  };
}

const perSecond = (count: number): number => Math.round((count / STEP) * 1e6) / 1000;

function quantiles(times: ReadonlyMap<number, number>): { p50: number | null; p90: number | null; p99: number | null } {
  const ascending = [...times].toSorted(([a], [b]) => a - b);
  const of = (share: number): number | null => quantile(ascending, share) ?? null;
  return { p50: of(0.5), p90: of(0.9), p99: of(0.99) };
}

import type { DesiredWorkload } from '../protocol.ts';

/** What a rollout needs to know of a pod. */
export interface RolloutPod {
  readonly name: string;
  /** Runs the template that is wanted now. */
  readonly current: boolean;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Counts up with creation. */
  readonly order: number;
}

export interface Plan {
  /** Names of pods to start now. */
  readonly create: readonly string[];
  /** Names of pods to terminate now. */
  readonly remove: readonly string[];
}

type Rules = Pick<DesiredWorkload, 'owner' | 'replicas' | 'strategy'>;

/**
 * The next step from the pods there are to the pods wanted, by the rules of the workload's kind. Called again after
 * every change, it converges; called when nothing is to be done, it plans nothing.
 */
export function plan(workload: Rules, pods: readonly RolloutPod[]): Plan {
  switch (workload.owner.kind) {
    case 'StatefulSet':
      return statefulSet(workload, pods);
    case 'Deployment':
      return workload.strategy.type === 'Recreate' ? recreate(workload, pods) : rollingUpdate(workload, pods);
    default:
      return single(workload, pods);
  }
}

/**
 * As the deployment controller does it: never more than replicas + maxSurge pods that are not on their way out, never
 * fewer than replicas − maxUnavailable that are ready because of us.
 */
function rollingUpdate(workload: Rules, pods: readonly RolloutPod[]): Plan {
  const { replicas } = workload;
  const { surge, unavailable } = bounds(workload);
  const alive = pods.filter((p) => !p.terminating);
  const fresh = alive.filter((p) => p.current);
  const old = alive.filter((p) => !p.current);

  const create = Math.max(0, Math.min(replicas - fresh.length, replicas + surge - alive.length));
  const remove = expendable(fresh).slice(0, Math.max(0, fresh.length - replicas));

  const ready = alive.filter((p) => p.ready && !remove.includes(p)).length;
  const unready = old.filter((p) => !p.ready);
  // An old pod that is not ready serves nobody, so it may go as soon as a new one has its place in the count.
  const freshUnready = fresh.filter((p) => !p.ready && !remove.includes(p)).length;
  const mayLose = Math.max(0, alive.length - remove.length - (replicas - unavailable) - freshUnready);
  const removeOld = expendable(unready).slice(0, fresh.length + create >= replicas ? unready.length : mayLose);
  const spare = Math.max(0, ready - (replicas - unavailable));
  removeOld.push(...expendable(old.filter((p) => p.ready)).slice(0, spare));
  return { create: names(workload, pods, create), remove: [...remove, ...removeOld].map((p) => p.name) };
}

function recreate(workload: Rules, pods: readonly RolloutPod[]): Plan {
  const alive = pods.filter((p) => !p.terminating);
  const fresh = alive.filter((p) => p.current);
  const old = alive.filter((p) => !p.current);
  const surplus = expendable(fresh).slice(0, Math.max(0, fresh.length - workload.replicas));
  const oldStillThere = pods.some((p) => !p.current);
  const create = oldStillThere ? 0 : Math.max(0, workload.replicas - fresh.length);
  return { create: names(workload, pods, create), remove: [...old, ...surplus].map((p) => p.name) };
}

/**
 * Pods have fixed ordinals. They start side by side (podManagementPolicy Parallel, which is what starts fast); an update
 * replaces one at a time, the highest ordinal first, waiting for each to be ready.
 */
function statefulSet(workload: Rules, pods: readonly RolloutPod[]): Plan {
  const byName = new Map(pods.map((p) => [p.name, p]));
  const wanted = Array.from({ length: workload.replicas }, (_, i) => `${workload.owner.name}-${i}`);
  const create = wanted.filter((name) => !byName.has(name));
  const surplus = pods.filter((p) => !p.terminating && !wanted.includes(p.name));
  const present = wanted.map((name) => byName.get(name)).filter((p) => p !== undefined);
  const broken = present.filter((p) => !p.current && !p.terminating && !p.ready);
  const settled = create.length === 0 && present.every((p) => !p.terminating && (p.ready || !p.current));
  const next = settled ? present.findLast((p) => !p.current && p.ready) : undefined;
  const remove = [...surplus, ...broken, ...(next === undefined ? [] : [next])];
  return { create, remove: remove.map((p) => p.name) };
}

/** A Pod, or a gateway: one, under the name it has; a changed one is started once the old is gone. */
function single(workload: Rules, pods: readonly RolloutPod[]): Plan {
  const wanted = workload.replicas > 0;
  const remove = pods.filter((p) => !p.terminating && (!wanted || !p.current)).map((p) => p.name);
  return { create: wanted && pods.length === 0 ? [workload.owner.name] : [], remove };
}

/** Those to lose first: not ready before ready, young before old. */
function expendable(pods: readonly RolloutPod[]): RolloutPod[] {
  return pods.toSorted((a, b) => Number(a.ready) - Number(b.ready) || b.order - a.order);
}

function names(workload: Rules, pods: readonly RolloutPod[], count: number): string[] {
  const taken = new Set(pods.map((p) => p.name));
  const result: string[] = [];
  for (let n = 0; result.length < count; n++) {
    const name = `${workload.owner.name}-${n}`;
    if (!taken.has(name)) result.push(name);
  }
  return result;
}

/** Percentages of replicas: a surge is rounded up, unavailability down; both zero would never move. */
export function bounds({ replicas, strategy }: Pick<Rules, 'replicas' | 'strategy'>): {
  surge: number;
  unavailable: number;
} {
  const surge = resolve(strategy.maxSurge, replicas, Math.ceil);
  const unavailable = Math.min(replicas, resolve(strategy.maxUnavailable, replicas, Math.floor));
  return surge === 0 && unavailable === 0 ? { surge, unavailable: Math.min(1, replicas) } : { surge, unavailable };
}

function resolve(value: number | string, replicas: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(value);
  return percent === null ? Number(value) || 0 : round((Number(percent[1]) * replicas) / 100);
}

import type { DesiredWorkload, WorkloadStatus } from '../protocol.ts';
import { Pod, type PodDeps } from './pod.ts';
import { plan, type Plan } from './rollout.ts';

/** Request counts of one node, as the data plane reports them. */
export interface Counts {
  readonly inbound: number;
  readonly outbound: number;
}

/** One controller (Deployment, StatefulSet, Pod, gateway) with its pods. Knows what is wanted, and takes the next step. */
export class Workload {
  readonly gateway: boolean;
  readonly pods = new Map<string, Pod>();
  #desired: DesiredWorkload;
  #scaledTo: number | undefined;
  #removed = false;
  /** Counts up with every restart a person asked for; part of the revision, so that a restart is a rollout. */
  #generation = 0;
  /** Pods to replace although their revision is current. */
  readonly #condemned = new Set<Pod>();
  /** Counts of pods that are gone, so that totals never go back. */
  #past: Counts = { inbound: 0, outbound: 0 };
  readonly #counts = new Map<string, Counts>();

  constructor(desired: DesiredWorkload, gateway: boolean) {
    this.#desired = desired;
    this.gateway = gateway;
  }

  get desired(): DesiredWorkload {
    return this.#desired;
  }
  get key(): string {
    return workloadKey(this.#desired.owner);
  }
  get replicas(): number {
    if (this.#removed) return 0;
    return this.#scaledTo ?? this.#desired.replicas;
  }
  get removed(): boolean {
    return this.#removed;
  }

  /** What the files say now; a changed number of replicas there ends what `scale` said. */
  update(desired: DesiredWorkload): void {
    if (desired.replicas !== this.#desired.replicas) this.#scaledTo = undefined;
    this.#removed = false;
    this.#desired = desired;
  }

  remove(): void {
    this.#removed = true;
  }

  scale(replicas: number): void {
    this.#scaledTo = replicas;
  }

  restart(): void {
    this.#generation++;
  }

  restartPod(pod: Pod): void {
    this.#condemned.add(pod);
  }

  plan(): Plan {
    const revision = this.#revision();
    const wanted = { ...this.#desired, replicas: this.replicas };
    return plan(
      wanted,
      [...this.pods.values()].map((pod) => ({
        name: pod.name,
        current: pod.revision === revision && !this.#condemned.has(pod),
        ready: pod.serving,
        terminating: pod.terminating,
        order: pod.order,
      })),
    );
  }

  create(name: string, order: number, deps: PodDeps): Pod {
    const options = { workload: this.#desired, name, gateway: this.gateway, order, revision: this.#revision() };
    const pod = new Pod(options, deps);
    this.pods.set(name, pod);
    return pod;
  }

  forget(pod: Pod): void {
    this.pods.delete(pod.name);
    this.#condemned.delete(pod);
    const last = pod.node === undefined ? undefined : this.#counts.get(pod.node);
    if (pod.node === undefined || last === undefined) return;
    this.#counts.delete(pod.node);
    this.#past = { inbound: this.#past.inbound + last.inbound, outbound: this.#past.outbound + last.outbound };
  }

  count(node: string, counts: Counts): void {
    this.#counts.set(node, counts);
  }

  /** A gateway's ports can change under it, what it is cannot; everything else of a changed template needs new pods. */
  #revision(): string {
    return this.gateway
      ? `gateway ${startedAs(this.#desired)}#${this.#generation}`
      : `${this.#desired.templateHash}#${this.#generation}`;
  }

  /**
   * Everything asked for is there and ready, and nothing else; what a person starts themselves is not waited for, nor what
   * cannot start.
   */
  get settled(): boolean {
    const pods = [...this.pods.values()];
    if (pods.length !== this.replicas) return false;
    return pods.every((pod) => {
      if (pod.serving) return true;
      return pod.unbuilt || pod.phase === 'External' || pod.phase === 'Succeeded';
    });
  }

  /** Ready here means that requests arrive: the proxies know of it. */
  #readyPods(): number {
    return [...this.pods.values()].filter((p) => p.serving).length;
  }

  status(): WorkloadStatus {
    const totals = [...this.#counts.values()].reduce(
      (sum, c) => ({ inbound: sum.inbound + c.inbound, outbound: sum.outbound + c.outbound }),
      this.#past,
    );
    const { owner, version, containers, serviceAccount, engine } = this.#desired;
    return {
      owner,
      version,
      replicas: this.replicas,
      ready: this.#readyPods(),
      gateway: this.gateway,
      standIn: !this.gateway && containers.some((c) => c.run.kind === 'stand-in'),
      engine,
      serviceAccount,
      inboundRequests: totals.inbound,
      outboundRequests: totals.outbound,
      state: this.#state(),
    };
  }

  #state(): string {
    const revision = this.#revision();
    const pods = [...this.pods.values()];
    const phases = new Map(pods.map((p) => [p.phase, p.message]));
    for (const phase of ['CrashLoopBackOff', 'Failed'] as const) {
      if (phases.has(phase)) return describe(phase, phases.get(phase));
    }
    if (this.#removed || this.replicas === 0) return pods.length > 0 ? 'stopping' : 'scaled to 0';
    const alive = pods.filter((p) => !p.terminating);
    if (phases.has('External')) {
      return this.#readyPods() >= this.replicas ? 'external' : describe('external', phases.get('External'));
    }
    if (alive.some((p) => p.revision !== revision || this.#condemned.has(p))) return 'updating';
    if (phases.has('Succeeded')) return 'completed';
    if (this.#readyPods() < this.replicas) {
      const waiting = alive.find((p) => !p.serving);
      return describe(waiting?.phase === 'Running' && !waiting.ready ? 'not ready' : 'starting', waiting?.message);
    }
    return alive.length > this.replicas ? 'scaling' : 'running';
  }
}

function describe(state: string, message: string | undefined): string {
  return message === undefined || message.startsWith(state) ? (message ?? state) : `${state}: ${message}`;
}

export function workloadKey(owner: { kind: string; namespace: string; name: string }): string {
  return `${owner.kind}/${owner.namespace}/${owner.name}`;
}

/** What of a gateway cannot change under it. */
export function startedAs({ engine, bootstrap }: DesiredWorkload): string {
  return JSON.stringify([engine, bootstrap]);
}

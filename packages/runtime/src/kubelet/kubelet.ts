import type { LocalTraces } from '@mizzen/translator';
import { MOST_REPLICAS } from '../desired.ts';
import type { DesiredWorkload, PodStatus, WorkloadStatus } from '../protocol.ts';
import { Builds } from './builds.ts';
import { type Clock, sleep, within } from './clock.ts';
import type { Launch } from './launch.ts';
import { changedGateway, gatewayLayout, type LayoutDeps, podLayout } from './layout.ts';
import type { Pod, PodDeps } from './pod.ts';
import type { Sidecars } from './sidecars.ts';
import type { StandIns } from './stand-ins.ts';
import { type Counts, startedAs, Workload, workloadKey } from './workload.ts';

export interface KubeletOptions {
  readonly clock: Clock;
  readonly launch: Launch;
  readonly sidecars: Sidecars;
  readonly standIns: StandIns;
  readonly layout: Omit<LayoutDeps, 'reserved'>;
  readonly environment: Readonly<Record<string, string>>;
  /** Where what is built for a container goes; kept from run to run. */
  readonly buildDirectory: (workload: DesiredWorkload, container: string) => string;
  /** Where a pod's sidecar writes its access log. */
  readonly accessLog: (pod: Pod) => string;
  /** Where proxies send spans; absent: nowhere. */
  readonly traces?: LocalTraces | undefined;
  /** Pods changed; `pods()` says what they are now. Called once per turn at most; `sequence` counts up. */
  readonly onPods: (sequence: number) => void;
  readonly onLine: (pod: Pod, container: string, stream: 'stdout' | 'stderr', line: string) => void;
  readonly onEvent: (pod: Pod, text: string) => void;
  /** Something about a workload as a whole may have changed. */
  readonly onChange: () => void;
}

/** No longer than this does a pod that ends wait for proxies to forget it. */
const ENDPOINTS_GONE_MS = 200;
/** Requests that were on their way when the last proxy heard of it get this long to arrive. */
const ON_THE_WAY_MS = 100;
/** After this long a ready pod counts as serving although the proxies did not say that they know it. */
const ENDPOINTS_THERE_MS = 2_000;
/** How long a sidecar lets requests finish after its application has ended. */
const DRAIN_MS = 1_000;
const FASTEST_PROBE_MS = 20;

/** A problem with what a person asked for. */
export class CommandError extends Error {
  readonly code: 'not-found' | 'ambiguous' | 'invalid';
  constructor(code: CommandError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Brings what runs to what should run, one step after the other, whenever something changed. */
export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #workloads = new Map<string, Workload>();
  readonly #builds: Builds;
  readonly #waiting = new Set<Waiter>();
  /** Ready pods that proxies are being told of. */
  readonly #announced = new Set<Pod>();
  #reserved: ReadonlySet<number> = new Set();
  #order = 0;
  #sequence = 0;
  #scheduled = false;
  #stopping = false;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#builds = new Builds(options.launch);
  }

  apply(workloads: readonly DesiredWorkload[], gateways: readonly DesiredWorkload[]): void {
    this.#reserved = new Set(gateways.flatMap((g) => Object.values(g.gatewayPorts ?? {})));
    const wanted = new Set<string>();
    for (const [list, gateway] of [
      [gateways, true],
      [workloads, false],
    ] as const) {
      for (const desired of list) {
        const key = workloadKey(desired.owner);
        wanted.add(key);
        const known = this.#workloads.get(key);
        if (known === undefined) this.#workloads.set(key, new Workload(desired, gateway));
        else {
          const before = known.desired;
          known.update(desired);
          if (gateway) this.#updateGateway(known, before);
        }
      }
    }
    for (const [key, workload] of this.#workloads) if (!wanted.has(key)) workload.remove();
    this.#changed();
  }

  /** `name` names a workload; with `namespace`, only there. */
  scale(name: string, namespace: string | undefined, replicas: number): void {
    if (!Number.isInteger(replicas) || replicas < 0 || replicas > MOST_REPLICAS) {
      throw new CommandError('invalid', `\`${replicas}\` is not a number of replicas`);
    }
    const workload = this.#find(name, namespace);
    if (workload.gateway || workload.desired.owner.kind === 'Pod') {
      throw new CommandError(
        'invalid',
        `\`${name}\` is a ${workload.gateway ? 'gateway' : 'Pod'}, which is always one`,
      );
    }
    workload.scale(replicas);
    this.#changed();
  }

  /** Replaces the pods of a workload as an update would, or one pod. */
  restart(name: string, namespace: string | undefined): void {
    for (const workload of this.#workloads.values()) {
      const pod = workload.pods.get(name);
      if (pod === undefined || name === workload.desired.owner.name) continue;
      if (namespace !== undefined && pod.namespace !== namespace) continue;
      workload.restartPod(pod);
      return this.#changed();
    }
    this.#find(name, namespace).restart();
    this.#changed();
  }

  #find(name: string, namespace: string | undefined): Workload {
    const found = [...this.#workloads.values()].filter(
      ({ desired: { owner } }) => owner.name === name && (namespace === undefined || owner.namespace === namespace),
    );
    if (found.length === 1) return found[0]!;
    if (found.length === 0) {
      const where = namespace === undefined ? '' : ` in namespace \`${namespace}\``;
      throw new CommandError('not-found', `no workload \`${name}\`${where}`);
    }
    const list = found.map((w) => `${w.desired.owner.kind} ${w.desired.owner.namespace}/${name}`).join(', ');
    throw new CommandError('ambiguous', `\`${name}\` could be ${list}`);
  }

  count(node: string, counts: Counts): void {
    for (const workload of this.#workloads.values()) {
      if ([...workload.pods.values()].some((pod) => pod.node === node)) return workload.count(node, counts);
    }
  }

  /** The pod whose proxy a node is. */
  podOf(node: string): Pod | undefined {
    return this.#allPods().find((pod) => pod.node === node);
  }

  /**
   * A sidecar cannot have one of the ports its pod was given, because somebody took it meanwhile: another pod, with
   * other ports, takes its place. False for what has no other place to go, a gateway, and for nodes unknown here.
   */
  replace(node: string): boolean {
    for (const workload of this.#workloads.values()) {
      if (workload.gateway) continue;
      const pod = [...workload.pods.values()].find((each) => each.node === node);
      if (pod === undefined) continue;
      workload.restartPod(pod);
      this.#changed();
      return true;
    }
    return false;
  }

  /** Every proxy has the pods up to this report. */
  converged(sequence: number): void {
    for (const waiter of this.#waiting) if (waiter.sequence <= sequence) waiter.done();
  }

  pods(): PodStatus[] {
    return this.#allPods().map((pod) => pod.status());
  }

  workloads(): WorkloadStatus[] {
    return [...this.#workloads.values()].map((w) => w.status());
  }

  /** Number of the last report of pods. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Pods that are to become ready and are not. */
  get unready(): number {
    return this.#allPods().filter((pod) => !pod.ready && !pod.terminating && !pod.unbuilt).length;
  }

  /** Every workload has what it asked for. */
  get ready(): boolean {
    return [...this.#workloads.values()].every((w) => w.settled);
  }

  /** Ends every pod within about `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    this.#builds.stop();
    const options = { maxGraceMs: Math.max(0, withinMs - DRAIN_MS), drainMs: Math.min(DRAIN_MS, withinMs / 2) };
    // Whoever waits for a workload's last answers waits at a gateway.
    const gateway = { ...options, drainMs: withinMs };
    await Promise.all(this.#allPods().map((pod) => pod.terminate(pod.gateway ? gateway : options)));
  }

  #allPods(): Pod[] {
    return [...this.#workloads.values()].flatMap((w) => [...w.pods.values()]);
  }

  /** Runs once after all changes of this turn: steps first, so that what is reported includes them. */
  #changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#noteServing();
      if (!this.#stopping) for (const workload of this.#workloads.values()) this.#step(workload);
      // Pods that start together are told of together, once they have addresses.
      if (!this.#allPods().some((pod) => pod.placing)) this.#options.onPods(++this.#sequence);
      this.#options.onChange();
    });
  }

  #step(workload: Workload): void {
    const { create, remove } = workload.plan();
    for (const name of create) {
      const pod = workload.create(name, this.#order++, this.#podDeps());
      pod.start().catch((error: unknown) => pod.failed(error));
    }
    for (const name of remove) {
      const pod = workload.pods.get(name);
      if (pod === undefined) continue;
      void pod.terminate({ drainMs: DRAIN_MS }).then(() => {
        workload.forget(pod);
        if (workload.removed && workload.pods.size === 0) this.#workloads.delete(workload.key);
        this.#changed();
      });
    }
    if (workload.removed && workload.pods.size === 0) this.#workloads.delete(workload.key);
  }

  #updateGateway(workload: Workload, before: DesiredWorkload): void {
    const after = workload.desired;
    if (startedAs(before) !== startedAs(after)) return;
    if (before.templateHash === after.templateHash && samePorts(before, after)) return;
    for (const pod of workload.pods.values())
      if (!pod.terminating && pod.layout !== undefined) pod.updateGateway(after, changedGateway(after, pod.layout));
  }

  #podDeps(): PodDeps {
    const { clock, launch, sidecars, standIns, environment, buildDirectory, accessLog, traces, onLine, onEvent } =
      this.#options;
    return {
      clock,
      launch,
      sidecars,
      standIns,
      builds: this.#builds,
      buildDirectory,
      environment,
      accessLog,
      traces,
      onLine,
      onEvent,
      layout: (workload, gateway) => {
        const layout = { ...this.#options.layout, reserved: this.#reserved };
        return gateway ? gatewayLayout(workload, layout) : podLayout(workload, layout);
      },
      // Many pods starting at once share the machine with their probes.
      eager: () => Math.max(FASTEST_PROBE_MS, this.unready * 2),
      onChange: () => this.#changed(),
      endpointsGone: async () => {
        await this.#nextReport(ENDPOINTS_GONE_MS);
        if (!this.#stopping) await sleep(clock, ON_THE_WAY_MS);
      },
    };
  }

  /**
   * A pod that is ready gets requests only once proxies know it, so only then does it count: for a rollout that wants
   * to end an old one, and for whoever waits for everything to be ready.
   */
  #noteServing(): void {
    for (const pod of this.#allPods()) {
      if (!pod.ready) {
        pod.serving = false;
        this.#announced.delete(pod);
      } else if (!pod.serving && !this.#announced.has(pod)) {
        this.#announced.add(pod);
        void this.#nextReport(ENDPOINTS_THERE_MS).then(() => {
          if (!this.#announced.delete(pod)) return;
          pod.serving = true;
          this.#changed();
        });
      }
    }
  }

  /** Resolves when every proxy has the next report of pods, which goes out at the end of this turn; or after `ms`. */
  async #nextReport(ms: number): Promise<void> {
    const sequence = this.#sequence + 1;
    let waiter: Waiter | undefined;
    const known = new Promise<void>((done) => {
      waiter = { sequence, done };
      this.#waiting.add(waiter);
    });
    await within(this.#options.clock, ms, known, undefined);
    if (waiter !== undefined) this.#waiting.delete(waiter);
  }
}

interface Waiter {
  readonly sequence: number;
  readonly done: () => void;
}

function samePorts(a: DesiredWorkload, b: DesiredWorkload): boolean {
  return JSON.stringify(a.gatewayPorts) === JSON.stringify(b.gatewayPorts);
}

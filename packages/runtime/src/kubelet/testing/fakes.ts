import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodStatus } from '../../protocol.ts';
import { Kubelet, type KubeletOptions } from '../kubelet.ts';
import type { Exit, LaunchSpec, Running } from '../launch.ts';
import { PortAllocator } from '../ports.ts';
import type { StandInEvents } from '../stand-ins.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A program that runs until it is told otherwise. */
export interface FakeProgram extends Running {
  readonly spec: LaunchSpec;
  readonly signals: NodeJS.Signals[];
  exit(exit: Partial<Exit>): void;
}

/** A kubelet on a virtual clock with everything around it made up; `log` tells in which order things happened. */
export class FakeNode {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  readonly programs: FakeProgram[] = [];
  readonly standIns = new Map<string, StandInEvents>();
  /** By pod, how long its sidecar was let finish, milliseconds. */
  readonly drains = new Map<string, number>();
  readonly kubelet: Kubelet;
  readonly layout: KubeletOptions['layout'];
  /** SIGTERM ends programs at once; false: they ignore it. */
  obedient = true;
  /** Every report of pods is known to all proxies at once. */
  proxiesFollow = true;
  pods: readonly PodStatus[] = [];
  sequence = 0;
  #sidecars: (() => void)[] = [];
  #pid = 1000;

  constructor(options: Partial<KubeletOptions> = {}) {
    let next = 0;
    this.layout = {
      network: {
        unique: true,
        slot: 0,
        allocate: () => ({ address: `127.64.0.${++next}`, egress: `127.192.0.${next}` }),
        release: () => undefined,
        close: () => undefined,
      },
      ports: new PortAllocator(0, () => Promise.resolve(true)),
      tryBind: () => Promise.resolve('denied'),
    };
    this.kubelet = new Kubelet({
      clock: this.clock,
      launch: (spec) => this.#launch(spec),
      sidecars: {
        start: (node) => {
          this.log.push(`sidecar start ${podOf(node)}`);
          return new Promise((resolve) => this.#sidecars.push(resolve));
        },
        stop: (node, drainMs) => {
          this.log.push(`sidecar stop ${podOf(node)}`);
          this.drains.set(podOf(node), drainMs);
          return Promise.resolve();
        },
      },
      standIns: {
        add: (spec, events) => {
          this.standIns.set(spec.pod, events);
          return { remove: () => Promise.resolve() };
        },
      },
      layout: this.layout,
      environment: {},
      buildDirectory: ({ owner }, container) => join(tmpdir(), `mizzen-builds-${process.pid}`, owner.name, container),
      accessLog: () => '/dev/null',
      onPods: (sequence) => {
        this.pods = this.kubelet.pods();
        this.sequence = sequence;
        if (this.proxiesFollow) queueMicrotask(() => this.kubelet.converged(sequence));
      },
      onLine: () => undefined,
      onEvent: (pod, text) => this.log.push(`${pod.name} ${text}`),
      onChange: () => undefined,
      ...options,
    });
  }

  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  /** All sidecars that were started become ready. */
  async sidecarsReady(): Promise<void> {
    await this.settle();
    for (const ready of this.#sidecars.splice(0)) ready();
    await this.settle();
  }

  phases(): string[] {
    return this.pods.map((p) => `${p.name} ${p.phase}${p.ready ? ' ready' : ''}`);
  }

  #launch(spec: LaunchSpec): FakeProgram {
    const { promise, resolve } = Promise.withResolvers<Exit>();
    const signals: NodeJS.Signals[] = [];
    const name = Array.isArray(spec.command) ? spec.command.join(' ') : String(spec.command);
    const program: FakeProgram = {
      spec,
      signals,
      pid: this.#pid++,
      exited: promise,
      exit: (exit) => resolve({ code: null, signal: null, ...exit }),
      signal: (signal) => {
        signals.push(signal);
        this.log.push(`${signal} ${name}`);
        if (signal === 'SIGKILL' || this.obedient) resolve({ code: null, signal });
        return true;
      },
    };
    this.log.push(`run ${name}`);
    this.programs.push(program);
    return program;
  }
}

function podOf(node: string): string {
  return node.split('~')[2]?.split('.')[0] ?? node;
}

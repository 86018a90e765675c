import type { k8s } from '@mizzen/api';
import type { ContainerStatus, DesiredContainer } from '../protocol.ts';
import { BackOff, CRASH_LOOP } from './backoff.ts';
import { type Clock, type Timer, within } from './clock.ts';
import { expand } from './expand.ts';
import { describeExit, type Exit, type Launch, type Running, runToEnd } from './launch.ts';
import { implicitCheck, probeCheck } from './container-probes.ts';
import { Prober, type ProberOptions, thresholds } from './prober.ts';
import type { StandInHandle, StandIns, StandInSpec } from './stand-ins.ts';

/**
 * starting: its process runs (or is about to), not known to work yet. running: started; `ready` says whether it wants
 * traffic. waiting: it ended, and is started again after the back-off. completed: it ended and stays so. unbuilt: it could
 * not be started, for want of a program or because its build failed, and stays so.
 * starting → running → waiting → starting ...; starting → unbuilt; any → stopped, which is final.
 */
export type ContainerState = 'starting' | 'running' | 'waiting' | 'completed' | 'unbuilt' | 'stopped';

export interface ContainerDeps {
  readonly clock: Clock;
  readonly launch: Launch;
  readonly standIns: StandIns;
  /** Sees to what the command needs before it can start; resolves with what is in the way. Undefined: nothing needed. */
  readonly prepare?: (() => Promise<string | undefined>) | undefined;
  /** Milliseconds between tries of a probe while starting. */
  readonly eager: () => number;
  readonly onChange: () => void;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
  /** Something a person should know, e.g. that a liveness probe failed. */
  readonly onEvent: (text: string) => void;
}

export interface ContainerSpec {
  readonly container: DesiredContainer;
  /** Made anew for every start: it can be large, and stand-ins have no use for it. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly applicationAddress: string;
  readonly applicationPorts: Readonly<Record<number, number>>;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  readonly standIn: StandInSpec;
  /** terminationGracePeriodSeconds of the pod, in milliseconds. */
  readonly graceMs: number;
}

/** Runs one container of a pod: its process, its probes, its restarts. */
export class ContainerRunner {
  readonly #spec: ContainerSpec;
  readonly #deps: ContainerDeps;
  readonly #backOff: BackOff;
  #state: ContainerState = 'starting';
  #ready = false;
  #failed = false;
  #restarts = 0;
  #message: string | undefined;
  #running: Running | undefined;
  #standIn: StandInHandle | undefined;
  #probers: Prober[] = [];
  #timer: Timer | undefined;
  #prepared = false;

  constructor(spec: ContainerSpec, deps: ContainerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#backOff = new BackOff(deps.clock, CRASH_LOOP);
  }

  get state(): ContainerState {
    return this.#state;
  }
  get ready(): boolean {
    return this.#ready;
  }
  /** Completed with a failure. */
  get failed(): boolean {
    return this.#failed;
  }
  get restarts(): number {
    return this.#restarts;
  }
  get message(): string | undefined {
    return this.#message;
  }
  status(): ContainerStatus {
    const { container } = this.#spec;
    return { name: container.name, ready: this.#ready, restarts: this.#restarts, pid: this.#running?.pid };
  }

  start(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'starting';
    this.#message = undefined;
    this.#backOff.started();
    const { run } = this.#spec.container;
    if (run.kind === 'command') this.#run(run.command, run.dir);
    else if (run.kind === 'stand-in') this.#stand();
    else this.#probe();
    this.#deps.onChange();
  }

  /** preStop, while the container still serves. */
  async preStop(timeoutMs: number): Promise<void> {
    const { preStop, run } = this.#spec.container;
    if (preStop === undefined || run.kind !== 'command' || this.#running === undefined) return;
    const spec = { command: preStop, dir: run.dir, env: this.#spec.env() };
    const result = await runToEnd(this.#deps.launch, spec, timeoutMs);
    if (!result.ok) this.#deps.onEvent(`preStop ${result.reason}`);
  }

  /** SIGTERM, and SIGKILL to whatever is left after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#leave('stopped');
    const running = this.#running;
    const standIn = this.#standIn;
    this.#running = undefined;
    this.#standIn = undefined;
    await standIn?.remove();
    if (running !== undefined) await this.#end(running, graceMs);
  }

  async #end(running: Running, graceMs: number): Promise<void> {
    running.signal('SIGTERM');
    const ended = await within(this.#deps.clock, graceMs, running.exited, undefined);
    if (ended !== undefined) return;
    running.signal('SIGKILL');
    await within(this.#deps.clock, 2_000, running.exited, undefined);
  }

  #run(command: readonly string[] | string, dir: string): void {
    const { prepare } = this.#deps;
    if (prepare === undefined || this.#prepared) return this.#launch(command, dir);
    this.#message = 'building';
    void prepare().then((reason) => {
      if (this.#state !== 'starting') return;
      if (reason === undefined) {
        this.#prepared = true;
        this.#message = undefined;
        this.#launch(command, dir);
      } else {
        this.#state = 'unbuilt';
        this.#message = reason;
      }
      this.#deps.onChange();
    });
  }

  #launch(command: readonly string[] | string, dir: string): void {
    const env = this.#spec.env();
    const expanded = (text: string): string => expand(text, (name) => env[name]);
    const running = this.#deps.launch({
      command: typeof command === 'string' ? expanded(command) : command.map(expanded),
      args: this.#spec.container.args.map(expanded),
      dir,
      env,
      onLine: this.#deps.onLine,
    });
    this.#running = running;
    void running.exited.then((exit) => {
      if (this.#running === running) this.#ended(exit);
    });
    this.#probe();
  }

  #stand(): void {
    this.#standIn = this.#deps.standIns.add(this.#spec.standIn, {
      onListening: () => this.#probe(),
      onDown: (reason) => {
        this.#stopProbers();
        this.#message = reason;
        this.#setReady(false);
      },
    });
  }

  #ended(exit: Exit): void {
    this.#running = undefined;
    this.#stopProbers();
    this.#ready = false;
    this.#message = describeExit(exit);
    const { restartPolicy } = this.#spec;
    if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exit.code === 0)) {
      this.#state = 'completed';
      this.#failed = exit.code !== 0;
      this.#deps.onChange();
      return;
    }
    const wait = this.#backOff.next();
    this.#state = 'waiting';
    this.#deps.onEvent(`${this.#message}; ${wait === 0 ? 'restarting' : `restarting in ${Math.round(wait / 1000)} s`}`);
    this.#timer = this.#deps.clock.after(wait, () => {
      this.#restarts++;
      this.start();
    });
    this.#deps.onChange();
  }

  // ---- probes ---------------------------------------------------------------------------------------------------

  #probe(): void {
    this.#stopProbers();
    const { startup } = this.#spec.container;
    if (startup === undefined) return this.#started();
    this.#add(this.#declared(startup), this.#deps.eager, (healthy, reason) => {
      if (healthy) {
        this.#stopProbers();
        this.#started();
      } else this.#kill(`startup probe failed: ${reason}`, startup);
    });
  }

  /** What comes after the startup probe: readiness and liveness. */
  #started(): void {
    const { readiness, liveness } = this.#spec.container;
    const implicit = readiness === undefined ? implicitCheck(this.#spec, this.#deps.clock) : undefined;
    const onReadiness = (healthy: boolean, reason: string): void => {
      this.#message = healthy ? undefined : `not ready: ${reason}`;
      if (healthy) this.#state = 'running';
      this.#setReady(healthy);
    };
    if (readiness !== undefined) this.#add(this.#declared(readiness), this.#deps.eager, onReadiness);
    else if (implicit !== undefined) this.#add(implicit, this.#deps.eager, onReadiness);
    else onReadiness(true, '');
    if (liveness === undefined) return;
    const declared = this.#declared(liveness);
    this.#add(
      // A program gets at least one period to come up, or else a strict probe would never let it.
      { ...declared, initialDelayMs: Math.max(declared.initialDelayMs, declared.periodMs) },
      () => 0,
      (healthy, reason) => {
        if (!healthy) this.#kill(`liveness probe failed: ${reason}`, liveness);
      },
    );
  }

  #declared(probe: k8s.Probe): Pick<ProberOptions, 'check'> & ReturnType<typeof thresholds> {
    const limits = thresholds(probe);
    return { ...limits, check: probeCheck(probe, limits.timeoutMs, this.#spec, this.#deps.launch) };
  }

  #add(
    options: Pick<ProberOptions, 'check'> & ReturnType<typeof thresholds>,
    eager: () => number,
    onChange: (healthy: boolean, reason: string) => void,
  ): void {
    const onFailure = (reason: string): void => {
      if (this.#state !== 'starting' || this.#message === reason) return;
      this.#message = reason;
    };
    const prober = new Prober({ ...options, clock: this.#deps.clock, eager, onChange, onFailure });
    this.#probers.push(prober);
    prober.start();
  }

  /** The probe's own grace period goes before the pod's. */
  #kill(reason: string, { terminationGracePeriodSeconds: own }: k8s.Probe): void {
    this.#deps.onEvent(reason);
    this.#message = reason;
    const running = this.#running;
    this.#stopProbers();
    this.#setReady(false);
    if (running !== undefined) void this.#end(running, own === undefined ? this.#spec.graceMs : own * 1000);
  }

  #setReady(ready: boolean): void {
    if (this.#ready === ready) return;
    this.#ready = ready;
    this.#deps.onChange();
  }

  #leave(state: ContainerState): void {
    this.#state = state;
    this.#ready = false;
    this.#timer?.cancel();
    this.#stopProbers();
  }

  #stopProbers(): void {
    for (const prober of this.#probers) prober.stop();
    this.#probers = [];
  }
}

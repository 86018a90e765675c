import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { BackOff, OWN_PROCESS } from '../kubelet/backoff.ts';
import { type Clock, sleep, type Timer, within } from '../kubelet/clock.ts';
import { type Groups, signalGroup } from '../kubelet/launch.ts';
import type { Counts } from '../kubelet/workload.ts';
import { watchGroup } from '../supervisor/group-child.ts';
import { Admin } from './admin.ts';
import { ACTIVE, activeOf, countsOf, TOTALS } from './counts.ts';
import { type EnvoyLogLine, LOG_FORMAT, parseLogLine, takenAddress } from './log.ts';

export interface EnvoyDeps {
  readonly clock: Clock;
  readonly groups: Groups;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether an address can be listened on now. */
  readonly isFree: (address: string, port: number) => Promise<boolean>;
}

export interface EnvoyProcessOptions extends EnvoyDeps {
  readonly binary: string;
  /** Path of its bootstrap, and of the unix socket its admin interface is on. */
  readonly bootstrap: string;
  readonly admin: string;
  /** It has its first configuration, and its listeners are bound. */
  readonly onReady: () => void;
  /** Somebody else has an address of one of its listeners. */
  readonly onTaken: (taken: { readonly address: string; readonly port: number }) => void;
  /** It ended by itself; it is started again after `waitMs`. `last` holds its last lines. */
  readonly onExit: (how: string, waitMs: number, last: readonly string[]) => void;
  readonly onLog: (log: EnvoyLogLine) => void;
  readonly onLine: (line: string) => void;
}

const LAST_LINES = 5;
/** Between two looks at whether it is ready, drained, or at whether an address is free. */
const READY_MS = 40;
const DRAINED_MS = 25;
const TAKEN_MS = 1_000;
/** From SIGTERM to its end. */
const TERM_MS = 1_000;
const LISTENERS = String.raw`^listener_manager\.(workers_started|total_listeners_warming)$`;
const NOTHING: Counts = { inbound: 0, outbound: 0 };

/** One real Envoy, in a process group of its own, started again when it dies. */
export class EnvoyProcess {
  readonly #options: EnvoyProcessOptions;
  readonly #admin: Admin;
  readonly #backOff: BackOff;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #stopping = false;
  /** It is to end so that another one takes its place. */
  #renewing = false;
  #taken = new Map<string, { readonly address: string; readonly port: number }>();
  #last: string[] = [];
  /** Of the processes before this one, and of this one when it was last asked. */
  #past = NOTHING;
  #present = NOTHING;

  constructor(options: EnvoyProcessOptions) {
    this.#options = options;
    this.#admin = new Admin(options.admin);
    this.#backOff = new BackOff(options.clock, OWN_PROCESS);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { binary, environment, groups, admin } = this.#options;
    this.#backOff.started();
    this.#last = [];
    this.#taken.clear();
    this.#past = sum(this.#past, this.#present);
    this.#present = NOTHING;
    rmSync(admin, { force: true });
    const child = spawn(binary, this.#arguments(), {
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environment,
    });
    this.#child = child;
    this.#exited = watchGroup(child, groups, {
      onLine: (line) => this.#line(line),
      onEnd: (how) => {
        this.#child = undefined;
        this.#ended(how);
      },
    });
    void this.#awaitReady(child);
  }

  /** Requests so far, those of processes that died included; undefined when it does not answer. */
  async counts(): Promise<Counts | undefined> {
    const child = this.#child;
    const stats = child === undefined ? undefined : await this.#admin.stats(TOTALS);
    if (stats === undefined || this.#child !== child) return undefined;
    this.#present = countsOf(stats);
    return sum(this.#past, this.#present);
  }

  async reopenLogs(): Promise<void> {
    await this.#admin.post('/reopen_logs');
  }

  /** Takes nothing new, lets requests finish for up to `drainMs`, and ends. */
  async stop(drainMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#stopping = true;
    this.#timer?.cancel();
    const child = this.#child;
    if (child?.pid !== undefined) {
      if (drainMs > 0) await within(clock, drainMs, this.#drain(), undefined);
      signalGroup(child.pid, 'SIGTERM');
      const inTime = await within(
        clock,
        TERM_MS,
        this.#exited.then(() => true),
        false,
      );
      if (!inTime) signalGroup(child.pid, 'SIGKILL');
      await this.#exited;
    }
    for (const path of [this.#options.bootstrap, this.#options.admin]) rmSync(path, { force: true });
  }

  #arguments(): string[] {
    const words = (text: string): string[] => text.split(' ');
    return [
      '-c',
      this.#options.bootstrap,
      // Envoys that know nothing of each other would meet in the memory that is for hot restarts.
      ...words('--disable-hot-restart --concurrency 1'),
      // Deprecated fields, which Istio's API is full of, are what `misc` warns of, at each update and for each of them;
      // `main` lists all that is built in.
      ...words('--component-log-level misc:error,main:warning --log-level info --log-format-escaped --log-format'),
      LOG_FORMAT,
      // Clients are told to go as soon as it drains.
      ...words('--drain-strategy immediate --drain-time-s 1'),
      ...words('--file-flush-interval-msec 100'),
    ];
  }

  async #awaitReady(child: ChildProcess): Promise<void> {
    while (this.#child === child && !this.#stopping) {
      if (this.#taken.size === 0 && (await this.#isReady()) && this.#child === child) return this.#options.onReady();
      await sleep(this.#options.clock, READY_MS);
    }
  }

  async #isReady(): Promise<boolean> {
    if ((await this.#admin.get('/ready')) === undefined) return false;
    const stats = await this.#admin.stats(LISTENERS);
    return (
      stats?.get('listener_manager.workers_started') === 1 &&
      (stats.get('listener_manager.total_listeners_warming') ?? 0) === 0 &&
      this.#taken.size === 0
    );
  }

  /** First the drain, by which answers say that their connections end; then its listeners close at once. */
  async #drain(): Promise<void> {
    await this.#admin.post('/drain_listeners?graceful');
    await this.#admin.post('/drain_listeners');
    for (;;) {
      const stats = await this.#admin.stats(ACTIVE);
      if (stats === undefined || activeOf(stats) === 0) return;
      await sleep(this.#options.clock, DRAINED_MS);
    }
  }

  #line(line: string): void {
    const log = parseLogLine(line);
    if (log?.level !== 'info' && line.trim() !== '') this.#last.push(log?.text ?? line);
    if (this.#last.length > LAST_LINES) this.#last.shift();
    this.#options.onLine(line);
    if (log === undefined) return;
    const taken = takenAddress(log.text);
    if (taken !== undefined) this.#addressTaken(taken);
    this.#options.onLog(log);
  }

  /** Envoy asks for a listener that it could not bind only when it is sent another: a new process asks for all. */
  #addressTaken(taken: { readonly address: string; readonly port: number }): void {
    const first = this.#taken.size === 0;
    this.#taken.set(`${taken.address}:${taken.port}`, taken);
    this.#options.onTaken(taken);
    if (first) this.#timer = this.#options.clock.after(TAKEN_MS, () => void this.#tryAgain());
  }

  async #tryAgain(): Promise<void> {
    const { isFree, clock } = this.#options;
    const free = await Promise.all([...this.#taken.values()].map(({ address, port }) => isFree(address, port)));
    if (this.#stopping || this.#child?.pid === undefined) return;
    if (free.every(Boolean)) {
      this.#renewing = true;
      signalGroup(this.#child.pid, 'SIGTERM');
    } else this.#timer = clock.after(TAKEN_MS, () => void this.#tryAgain());
  }

  #ended(how: string): void {
    if (this.#stopping) return;
    const { clock, random, onExit } = this.#options;
    this.#timer?.cancel();
    const asked = this.#renewing;
    this.#renewing = false;
    // Envoys that die of the same cause come back one after the other.
    const wait = asked ? 0 : Math.round(this.#backOff.next() * (0.5 + random()));
    this.#timer = clock.after(wait, () => this.start());
    // Its last lines arrive with or just after its end.
    if (!asked) setImmediate(() => onExit(how, wait, this.#last));
  }
}

function sum(a: Counts, b: Counts): Counts {
  return { inbound: a.inbound + b.inbound, outbound: a.outbound + b.outbound };
}

import type { Client, Outcome, Outgoing } from '../client/types.ts';
import type { Clock, Random } from '../deps.ts';
import type { Mode } from '../modes.ts';
import { arrivals, type Arrival, type Profile, secondsOf } from '../profile.ts';
import type { Protocol, Scenario, Step } from '../scenario/types.ts';
import { Series } from '../stats/series.ts';
import { Tally, type Arrivals } from '../stats/tally.ts';
import { iterate } from './iterate.ts';
import { Variables } from './variables.ts';

/** A timer may be this late through no fault of anybody's; what is later counts as waiting. */
const TIMER_SLACK_MS = 2;
const LATE_MS = 10;
/** How long requests under way may go on once a run is stopped. */
const STOP_GRACE_MS = 1000;

export interface RunOptions {
  readonly mode: Mode;
  readonly profile: Profile;
  readonly arrival: Arrival;
  /** Scenarios under way at once; more wait. */
  readonly concurrency: number;
  /** Waiting at most; more are dropped. */
  readonly backlog: number;
  readonly scenarios: readonly Scenario[];
  readonly target: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly client: (protocol: Protocol) => Client;
  /** Another request in its place; what is expected of that is only that it is not answered with 5xx. */
  readonly disturb?: (outgoing: Outgoing, protocol: Protocol) => Outgoing | undefined;
  /** Asked at times (seconds from the start); a reason ends the run. */
  readonly watch?: (run: Run, at: number) => string | undefined;
}

export type Ending = 'time' | 'interrupted' | 'thresholds';

/** What one step of a scenario came to. */
export interface StepTally {
  readonly scenario: Scenario;
  readonly step: Step;
  readonly tally: Tally;
}

/** One run: begins scenarios when they are due, however slow the answers are (open loop). */
export class Run {
  readonly options: RunOptions;
  readonly total = new Tally();
  /** Of late: who watches the run puts a new one in its place. */
  window = new Tally();
  readonly steps: readonly StepTally[];
  readonly series: Series;
  readonly arrivals: Arrivals = { due: 0, started: 0, completed: 0, late: 0, dropped: 0 };
  readonly seconds: number;
  readonly variables: Variables;
  ending: Ending = 'time';
  inFlight = 0;
  #iterations = 0;
  #startedAt = 0;
  #endedAt: number | undefined;
  #stopped = false;
  /** Everything that was due has arrived. */
  #over = false;
  readonly #waiting: number[] = [];
  #waitingFrom = 0;
  readonly #tallies = new Map<Step, StepTally>();
  readonly #weights: number;
  #finish: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  readonly #sleepers = new Set<() => void>();

  constructor(options: RunOptions) {
    this.options = options;
    this.seconds = secondsOf(options.profile);
    this.series = new Series(this.seconds);
    this.variables = new Variables(options.random);
    for (const scenario of options.scenarios) {
      for (const step of scenario.steps) this.#tallies.set(step, { scenario, step, tally: new Tally() });
    }
    this.steps = [...this.#tallies.values()];
    this.#weights = options.scenarios.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    return (this.#endedAt ?? this.options.clock.now()) - this.#startedAt;
  }

  /** Scenarios that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length - this.#waitingFrom;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves when everything that was begun has ended. */
  async start(): Promise<void> {
    const { clock, profile, arrival, random } = this.options;
    this.#startedAt = clock.now();
    const due = arrivals(profile, arrival, random);
    await new Promise<void>((resolve) => {
      this.#finish = () => {
        this.#cancelTimer();
        this.#endedAt ??= clock.now();
        resolve();
      };
      this.#tick(due, due.next().value as number | undefined);
    });
  }

  /** Begins nothing more; what is under way has a moment to end. */
  stop(ending: Ending): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.ending = ending;
    this.#cancelTimer();
    this.#dropWaiting();
    for (const wake of this.#sleepers) wake();
    if (this.#iterations === 0) return this.#finish();
    this.#cancelTimer = this.options.clock.after(STOP_GRACE_MS, this.#finish);
  }

  record(step: Step, outcome: Outcome, latencyMs: number, failures: readonly string[]): void {
    const now = this.elapsed;
    for (const tally of [this.total, this.window, this.#tallies.get(step)!.tally])
      tally.record(outcome, latencyMs, failures);
    const interval = this.series.at(now);
    if (outcome.sent) interval.sent++;
    if (outcome.error === 'cancelled') return;
    interval.ended++;
    if (outcome.aborted) return;
    if (outcome.answer !== undefined) this.series.latency(now, latencyMs);
    if (outcome.error !== undefined || failures.length > 0) interval.errors++;
  }

  async send(protocol: Protocol, outgoing: Outgoing): Promise<Outcome> {
    this.inFlight++;
    const interval = this.series.at(this.elapsed);
    interval.inFlight = Math.max(interval.inFlight, this.inFlight);
    const outcome = await this.options.client(protocol).send(outgoing);
    this.inFlight--;
    return outcome;
  }

  /** A pause that ends early when the run is stopped. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#sleepers.delete(wake);
        resolve();
      };
      const cancel = this.options.clock.after(ms, wake);
      this.#sleepers.add(wake);
    });
  }

  #tick(due: Generator<number>, next: number | undefined): void {
    const { clock, watch } = this.options;
    let at = next;
    while (at !== undefined && at <= this.elapsed && !this.#stopped) {
      this.#arrive(at);
      at = due.next().value as number | undefined;
    }
    if (this.#stopped) return;
    const reason = watch?.(this, this.elapsed / 1000);
    if (reason !== undefined) return this.stop('thresholds');
    const left = this.seconds * 1000 - this.elapsed;
    if (at === undefined && left <= 0) return this.#wait();
    // Woken now and then even when nothing is due, to watch.
    const wait = Math.min(at === undefined ? left : at - this.elapsed, left > 0 ? Math.max(1, left) : 1, 100);
    this.#cancelTimer = clock.after(Math.max(0, wait), () => this.#tick(due, at));
  }

  /** The time is over: those who wait and those under way may still end, each within its own time. */
  #wait(): void {
    const { clock, scenarios } = this.options;
    this.#over = true;
    if (this.#iterations === 0) return this.#finish();
    const longest = Math.max(...scenarios.flatMap(({ steps }) => steps.map(({ timeoutMs }) => timeoutMs)));
    this.#cancelTimer = clock.after(longest + STOP_GRACE_MS, () => {
      this.#stopped = true;
      this.#dropWaiting();
      for (const wake of this.#sleepers) wake();
      this.#finish();
    });
  }

  #arrive(dueMs: number): void {
    this.arrivals.due++;
    const interval = this.series.at(dueMs);
    interval.due++;
    if (this.#iterations < this.options.concurrency) return this.#begin(dueMs, false);
    if (this.waiting < this.options.backlog) {
      this.#waiting.push(dueMs);
      return;
    }
    this.arrivals.dropped++;
    interval.dropped++;
  }

  #begin(dueMs: number, waited: boolean): void {
    const now = this.elapsed;
    const lag = now - dueMs;
    this.arrivals.started++;
    if (lag > LATE_MS) this.arrivals.late++;
    this.#iterations++;
    // Whoever waited is measured from when it was due, so that slow answers are not hidden by those that came after.
    void this.#iteration(waited || lag > TIMER_SLACK_MS ? dueMs : now);
  }

  async #iteration(fromMs: number): Promise<void> {
    const completed = await iterate(this, this.#choose(), fromMs);
    if (completed) this.arrivals.completed++;
    this.#iterations--;
    if (this.waiting > 0 && !this.#stopped) {
      const due = this.#waiting[this.#waitingFrom++]!;
      if (this.#waitingFrom > 1024 && this.#waitingFrom * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#waitingFrom);
        this.#waitingFrom = 0;
      }
      return this.#begin(due, true);
    }
    if (this.#iterations === 0 && (this.#stopped || this.#over)) this.#finish();
  }

  #choose(): Scenario {
    const { scenarios, random } = this.options;
    let left = random.float() * this.#weights;
    for (const scenario of scenarios) {
      left -= scenario.weight;
      if (left < 0) return scenario;
    }
    return scenarios.at(-1)!;
  }

  #dropWaiting(): void {
    for (let i = this.#waitingFrom; i < this.#waiting.length; i++) {
      this.arrivals.dropped++;
      this.series.at(this.#waiting[i]!).dropped++;
    }
    this.#waiting.length = 0;
    this.#waitingFrom = 0;
  }
}

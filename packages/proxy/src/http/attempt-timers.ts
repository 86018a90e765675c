import type { Clock, Timer } from '../deps.ts';
import { Deadline } from './deadline.ts';
import { entered, turnNow } from './turn.ts';

/** Milliseconds; 0 for what is not limited. */
export interface AttemptLimits {
  /** From the end of the request, or when there is a connection if later, to the response's head. */
  readonly response: number;
  /** Without a byte of an answer, from the end of the request. */
  readonly idle: number;
  /** The whole attempt, response included. */
  readonly duration: number;
}

export interface AttemptTimeouts {
  onTryIdle(): void;
  onTryDuration(): void;
}

/** The clocks of the attempt at hand. That for its response is somebody else's, who says when it is over. */
export class AttemptTimers {
  readonly #clock: Clock;
  readonly #response: Deadline;
  readonly #limits: AttemptLimits;
  readonly #timeouts: AttemptTimeouts;
  readonly #idle: Deadline | undefined;
  /** There is a connection: waiting for one takes none of an attempt's time, as in Envoy. */
  #begun = false;
  /** Silence counts: the request is complete, and the time for its answer is not over. */
  #waits = false;
  #duration: Timer | undefined;

  /** Undefined when nothing is limited. */
  static of(
    clock: Clock,
    response: Deadline,
    limits: AttemptLimits,
    timeouts: AttemptTimeouts,
  ): AttemptTimers | undefined {
    const none = limits.response <= 0 && limits.idle <= 0 && limits.duration <= 0;
    return none ? undefined : new AttemptTimers(clock, response, limits, timeouts);
  }

  private constructor(clock: Clock, response: Deadline, limits: AttemptLimits, timeouts: AttemptTimeouts) {
    this.#clock = clock;
    this.#response = response;
    this.#limits = limits;
    this.#timeouts = timeouts;
    if (limits.idle > 0) this.#idle = new Deadline(clock, () => entered(() => timeouts.onTryIdle()));
  }

  attemptBegins(requestComplete: boolean): void {
    this.#begun = true;
    if (requestComplete) this.requestComplete();
    if (this.#limits.duration > 0) {
      this.#duration = this.#clock.after(this.#limits.duration, () => entered(() => this.#timeouts.onTryDuration()));
    }
  }

  requestComplete(): void {
    if (!this.#begun) return;
    // The first of two that are over at once.
    this.#waits = this.#idle !== undefined;
    this.moved();
    if (this.#limits.response > 0) this.#response.set(this.#now() + this.#limits.response);
  }

  /** Something came from the upstream. */
  moved(): void {
    if (this.#waits) this.#idle?.set(this.#now() + this.#limits.idle);
  }

  responseBegins(): void {
    if (this.#idle === undefined) this.#response.clear();
    else this.moved();
  }

  /** The time for an answer that has begun is over. As in Envoy, silence does not count from then on. */
  responseGoesOn(): void {
    this.#waits = false;
    this.#idle?.clear();
  }

  attemptEnds(): void {
    this.#begun = false;
    this.#waits = false;
    this.#response.clear();
    this.#idle?.stop();
    this.#duration?.cancel();
  }

  #now(): number {
    return turnNow(this.#clock);
  }
}

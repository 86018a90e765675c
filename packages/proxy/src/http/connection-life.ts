import type { Random, Timer } from '../deps.ts';
import type { HcmRuntime } from './runtime.ts';

/** How old a downstream connection may become, and how many requests it may carry. */
export class ConnectionLife {
  /** Requests that have begun. */
  requests = 0;
  readonly #hcm: HcmRuntime;
  readonly #timer: Timer | undefined;
  /** Which of the requests is the last for the connection's age. */
  #last = Infinity;

  constructor(hcm: HcmRuntime, onOld: () => void) {
    this.#hcm = hcm;
    const { program, deps, stats } = hcm;
    if (program.maxConnectionDuration <= 0) return;
    const duration = longer(program.maxConnectionDuration, program.maxConnectionJitter, deps.random);
    this.#timer = deps.clock.after(duration, () => {
      stats.downstream_cx_max_duration_reached++;
      onOld();
    });
  }

  /** What has been begun is answered as if nothing were the matter; the request after that is the last. */
  endAfterNext(headHasBegun: boolean): void {
    this.#last = this.requests + (headHasBegun ? 2 : 1);
  }

  /** True: no other follows. */
  requestBegins(): boolean {
    const { program, stats } = this.#hcm;
    this.requests++;
    const { maxRequestsPerConnection: most } = program;
    const enough = most > 0 && this.requests >= most;
    if (enough) stats.downstream_cx_max_requests_reached++;
    return enough || this.requests >= this.#last;
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

/** Spread by chance, so that not all connections end at once. */
export function longer(time: number, jitter: number | undefined, random: Random): number {
  return jitter === undefined || jitter === 0 ? time : time * (1 + random.float() * jitter);
}

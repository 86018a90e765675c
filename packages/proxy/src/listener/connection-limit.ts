import { liveInteger, type Live } from '../runtime/live.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** How many connections all listeners together may have, and have. */
export class ConnectionLimit {
  active = 0;
  /** Those of listeners that the limit is not for count, too. */
  readonly countsAll: boolean;
  readonly #limit: Live<number>;

  /** `configured` is the overload manager's; a value of the runtime counts where there is none. */
  constructor(configured: number | undefined, runtime: Runtime | undefined) {
    this.countsAll = configured === undefined;
    this.#limit =
      configured === undefined
        ? liveInteger(runtime, 'overload.global_downstream_max_connections', Infinity)
        : { value: configured };
  }

  get reached(): boolean {
    return this.active >= this.#limit.value;
  }
}

import type { types } from '@mizzen/xds';
import type { Clock } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { wholeNumber } from '../program/match/header.ts';
import type { Path } from '../program/path.ts';
import { denominator, fraction } from '../program/values.ts';
import { named } from '../runtime/fault.ts';
import type { RequestHead } from '../types.ts';

/** How fast responses may be. */
export interface ResponseRate {
  readonly chance: number;
  /** What a chance that a header asks for is out of. */
  readonly of: number;
  /** Of the runtime, for the chance. */
  readonly key: string;
  /** KiB a second; undefined: a header says. */
  readonly fixed: number | undefined;
}

export function compileResponseRate(
  context: CompileContext,
  { responseRateLimit: config, responseRateLimitPercentRuntime }: types.fault.HTTPFault,
  path: Path,
): ResponseRate | undefined {
  if (config === undefined) return undefined;
  if (config.fixedLimit === undefined && config.headerLimit === undefined) context.refuse(path, 'must say how fast');
  const fixed = config.fixedLimit === undefined ? undefined : Number(config.fixedLimit.limitKbps ?? 0);
  if (fixed !== undefined && fixed < 1) context.refuse([...path, 'fixedLimit', 'limitKbps'], 'must be at least 1');
  const key = named(responseRateLimitPercentRuntime, 'fault.http.rate_limit.response_percent');
  return { chance: fraction(config.percentage, 0), of: denominator(config.percentage), fixed, key };
}

/** KiB a second for a request; undefined: as fast as it goes. */
export function rateFor({ fixed }: ResponseRate, request: RequestHead): number | undefined {
  if (fixed !== undefined) return fixed;
  const given = wholeNumber(request.headers.get('x-envoy-fault-throughput-response') ?? '');
  return given === undefined || given < 1 ? undefined : given;
}

/** Envoy fills buckets this often. */
const INTERVAL = 50;

/** Lets bytes through at a rate; a part goes when there are tokens for all of it. */
export class ByteBucket {
  readonly #clock: Clock;
  /** Bytes a millisecond. */
  readonly #rate: number;
  readonly #started: number;
  #passed = 0;

  constructor(kib: number, clock: Clock) {
    this.#clock = clock;
    this.#rate = (kib * 1024) / 1000;
    this.#started = clock.now();
  }

  /** How long a part of that many bytes has to wait, milliseconds; it then counts as passed. */
  take(bytes: number): number {
    this.#passed += bytes;
    // The first interval's worth is there at once.
    const due = Math.ceil(this.#passed / this.#rate / INTERVAL - 1) * INTERVAL;
    return Math.max(0, this.#started + due - this.#clock.now());
  }
}

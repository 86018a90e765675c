import type { types as xds } from '@mizzen/xds';
import type { Clock } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { milliseconds } from '../program/values.ts';

/** Fills continuously, from full. */
export class TokenBucket {
  readonly max: number;
  /** Tokens a millisecond. */
  readonly rate: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(max: number, perMillisecond: number, clock: Clock) {
    this.max = max;
    this.rate = perMillisecond;
    this.#clock = clock;
    this.#tokens = max;
    this.#at = clock.now();
  }

  /** False, and nothing taken, when there are not as many. Negative: they are given back; 0 is never had. */
  take(tokens = 1): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.max, this.#tokens + (now - this.#at) * this.rate);
    this.#at = now;
    if (this.#tokens < tokens || Object.is(tokens, 0)) return false;
    this.#tokens = Math.min(this.max, this.#tokens - tokens);
    return true;
  }

  get remaining(): number {
    return Math.floor(this.#tokens);
  }

  /** Whole seconds until one token is there. */
  get reset(): number {
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.rate / 1000 - 1e-6);
  }
}

const shared = new WeakMap<Clock, Map<string, WeakRef<TokenBucket>>>();

/** One bucket for all filters that give it this name and say the same of it. */
export function sharedBucket(
  context: CompileContext,
  name: string,
  config: xds.envoyType.TokenBucket,
  path: Path,
): TokenBucket {
  const own = compileBucket(context, config, path);
  const { clock } = context.deps;
  const buckets = shared.get(clock) ?? new Map<string, WeakRef<TokenBucket>>();
  shared.set(clock, buckets);
  const key = `${own.max} ${own.rate} ${milliseconds(config.fillInterval, 0)} ${name}`;
  const known = buckets.get(key)?.deref();
  if (known === undefined) buckets.set(key, new WeakRef(own));
  return known ?? own;
}

export function compileBucket(context: CompileContext, bucket: xds.envoyType.TokenBucket, path: Path): TokenBucket {
  const interval = milliseconds(bucket.fillInterval, 0);
  if (interval < 50) context.refuse([...path, 'fillInterval'], 'must be at least 50 ms');
  if (bucket.tokensPerFill === 0) context.refuse([...path, 'tokensPerFill'], 'must be at least 1');
  return new TokenBucket(
    bucket.maxTokens ?? 0,
    (bucket.tokensPerFill ?? 1) / Math.max(interval, 1),
    context.deps.clock,
  );
}

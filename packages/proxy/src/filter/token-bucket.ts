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

/** What is not used by any filter any more leaves nothing behind. */
class SharedBuckets {
  readonly #known = new Map<string, WeakRef<TokenBucket>>();
  readonly #forgotten = new FinalizationRegistry<string>((key) => {
    if (this.get(key) === undefined) this.#known.delete(key);
  });

  get(key: string): TokenBucket | undefined {
    return this.#known.get(key)?.deref();
  }

  add(key: string, bucket: TokenBucket): void {
    this.#known.set(key, new WeakRef(bucket));
    this.#forgotten.register(bucket, key);
  }

  get size(): number {
    return this.#known.size;
  }
}

const shared = new WeakMap<Clock, SharedBuckets>();

/** How many buckets there are to share. */
export function sharedBuckets(clock: Clock): number {
  return shared.get(clock)?.size ?? 0;
}

/** One bucket for all filters that give it this name and say the same of it. */
export function sharedBucket(
  context: CompileContext,
  name: string,
  config: xds.envoyType.TokenBucket,
  path: Path,
): TokenBucket {
  const own = compileBucket(context, config, path);
  const { clock } = context.deps;
  const buckets = shared.get(clock) ?? new SharedBuckets();
  shared.set(clock, buckets);
  const key = `${own.max} ${own.rate} ${milliseconds(config.fillInterval, 0)} ${name}`;
  const known = buckets.get(key);
  if (known === undefined) buckets.add(key, own);
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

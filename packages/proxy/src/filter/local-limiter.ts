import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { RateLimitDescriptor } from '../types.ts';
import { compileBucket, type TokenBucket } from './token-bucket.ts';

export interface Taken {
  readonly allowed: boolean;
  /** The bucket that decided; its numbers are what the client is told. */
  readonly bucket: TokenBucket | undefined;
  /** It is a limit that is only tried. */
  readonly shadowed?: boolean;
  /** Clients are told of the bucket; undefined: as the filter says. */
  readonly headers?: boolean | undefined;
}

/** Buckets of a filter: one for all requests, and one for each descriptor. */
export interface Limiter {
  take(descriptors: readonly RateLimitDescriptor[]): Taken;
  /** The same, full again. */
  fresh(): Limiter;
}

/** Buckets of values that were not named beforehand: how many are kept unless it is said. */
const DYNAMIC = 20;

interface Rule {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly make: () => TokenBucket;
  /** Some value is open: each has a bucket of its own. */
  readonly open: boolean;
  /** Only tried. */
  readonly shadow: boolean;
}

interface Found {
  readonly bucket: TokenBucket;
  readonly hits: number;
  readonly shadow: boolean;
  readonly headers: boolean | undefined;
}

/** Undefined: nothing is limited. */
export function compileLimiter(
  context: CompileContext,
  config: types.localRateLimit.LocalRateLimit,
  path: Path,
): Limiter | undefined {
  const { tokenBucket, descriptors = [] } = config;
  if (tokenBucket === undefined && descriptors.length === 0) return undefined;
  const at = [...path, 'tokenBucket'];
  const makeDefault = (): TokenBucket | undefined =>
    tokenBucket === undefined ? undefined : compileBucket(context, tokenBucket, at);
  const known = new Set<string>();
  const rules = descriptors.map(({ entries = [], tokenBucket: bucket = {}, shadowMode = false }, i): Rule => {
    const place = [...path, 'descriptors', i];
    if (entries.length === 0) context.refuse([...place, 'entries'], 'must not be empty');
    const key = JSON.stringify(entries.map((entry) => [entry.key ?? '', entry.value ?? '']));
    if (known.has(key)) context.refuse([...place, 'entries'], 'are those of another descriptor');
    known.add(key);
    compileBucket(context, bucket, [...place, 'tokenBucket']);
    return {
      entries: entries.map(({ key = '', value = '' }) => ({ key, value })),
      make: () => compileBucket(context, bucket, [...place, 'tokenBucket']),
      open: entries.some(({ value = '' }) => value === ''),
      shadow: shadowMode,
    };
  });
  const always = config.alwaysConsumeDefaultTokenBucket ?? true;
  const dynamic = config.maxDynamicDescriptors ?? DYNAMIC;
  const make = (): Limiter => new Buckets(makeDefault(), rules, always, dynamic, make);
  return make();
}

class Buckets implements Limiter {
  readonly fresh: () => Limiter;
  /** Undefined: who fits no descriptor is not limited. */
  readonly #default: TokenBucket | undefined;
  readonly #rules: readonly { readonly rule: Rule; readonly buckets: Map<string, TokenBucket> }[];
  readonly #always: boolean;
  readonly #dynamic: number;

  constructor(
    usual: TokenBucket | undefined,
    rules: readonly Rule[],
    always: boolean,
    dynamic: number,
    fresh: () => Limiter,
  ) {
    this.#default = usual;
    this.#rules = rules.map((rule) => ({ rule, buckets: new Map() }));
    this.#always = always;
    this.#dynamic = dynamic;
    this.fresh = fresh;
  }

  take(descriptors: readonly RateLimitDescriptor[]): Taken {
    if (descriptors.length === 0)
      return this.#takeDefault() ? { allowed: true, bucket: this.#default } : this.#refused();
    const found: Found[] = [];
    for (const descriptor of descriptors) {
      const fitting = this.#bucketFor(descriptor);
      if (fitting !== undefined) {
        const hits = descriptor.hitsAddend ?? 1;
        found.push({ ...fitting, hits: descriptor.negative === true ? -hits : hits, headers: descriptor.headers });
      }
    }
    // The slowest first.
    found.sort((a, b) => a.bucket.rate - b.bucket.rate);
    let shadowed: Found | undefined;
    for (const each of found) {
      const { bucket, headers } = each;
      if (bucket.take(each.hits)) continue;
      if (!each.shadow) return { allowed: false, bucket, headers };
      shadowed ??= each;
    }
    if (shadowed !== undefined)
      return { allowed: false, bucket: shadowed.bucket, shadowed: true, headers: shadowed.headers };
    const first = found[0];
    if (first !== undefined && !this.#always) return { allowed: true, bucket: first.bucket, headers: first.headers };
    if (!this.#takeDefault()) return this.#refused();
    return { allowed: true, bucket: first?.bucket ?? this.#default, headers: first?.headers };
  }

  #takeDefault(): boolean {
    return this.#default === undefined || this.#default.take();
  }

  /** Of a bucket that never holds anything there is nothing to tell. */
  #refused(): Taken {
    return { allowed: false, bucket: this.#default?.max === 0 ? undefined : this.#default };
  }

  #bucketFor({ entries }: RateLimitDescriptor): { readonly bucket: TokenBucket; readonly shadow: boolean } | undefined {
    const fits = ({ entries: wanted }: Rule): boolean =>
      wanted.length === entries.length &&
      wanted.every(({ key, value }, i) => key === entries[i]!.key && (value === '' || value === entries[i]!.value));
    const found =
      this.#rules.find(({ rule }) => !rule.open && fits(rule)) ??
      this.#rules.find(({ rule }) => rule.open && fits(rule));
    if (found === undefined) return undefined;
    const { rule, buckets } = found;
    const key = rule.open ? JSON.stringify(entries) : '';
    let bucket = buckets.get(key);
    if (bucket === undefined) bucket = rule.make();
    // The one used last is the last to go.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > this.#dynamic) buckets.delete(buckets.keys().next().value!);
    return { bucket, shadow: rule.shadow };
  }
}

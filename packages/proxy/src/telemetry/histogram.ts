/** Told of each value as it is recorded, by all histograms of the process; undefined: nobody wants to know. */
export type RecordObserver = (histogram: Histogram, value: number) => void;

let observer: RecordObserver | undefined;

/** Sinks that send single values look here; there is one at a time. */
export function observeRecords(next: RecordObserver | undefined): void {
  observer = next;
}

/**
 * Values by Envoy's log-linear buckets: two significant digits each, so that a bucket is a tenth of its power of ten wide.
 * What is recorded becomes visible with the next `flush`, as in Envoy.
 */
export class Histogram {
  /** Values per unit that is shown: durations are counted in whole milliseconds, percentages finer. */
  readonly scale: number;
  #recent: Bins | undefined;
  #interval: Bins | undefined;
  #total: Bins | undefined;
  #dirty = false;

  constructor(scale = 1) {
    this.scale = scale;
  }

  /** A whole number that is not negative. */
  record(value: number): void {
    this.#dirty = true;
    (this.#recent ??= new Bins()).add(value);
    if (observer !== undefined) observer(this, value);
  }

  /** Something has been recorded, be it not yet visible. */
  get begun(): boolean {
    return this.#dirty || this.#total !== undefined;
  }

  /** Values of the last interval and of all that have passed. */
  get interval(): Bins | undefined {
    return this.#interval;
  }
  get total(): Bins | undefined {
    return this.#total;
  }

  /** Ends an interval. */
  flush(): void {
    if (this.#dirty) {
      this.#dirty = false;
      const values = this.#recent!;
      this.#recent = this.#interval;
      this.#recent?.clear();
      this.#interval = values;
      (this.#total ??= new Bins()).addAll(values);
    } else {
      this.#interval?.clear();
    }
  }
}

const PER_DECADE = 90;

/** Counts by bucket: 0, then 1.0 to 9.9, 10 to 99, 100 to 990 and so on. */
export class Bins {
  /** Grows with the values. */
  #counts: number[] = [];
  count = 0;
  /** The value before, which nearly all are like, and its bucket. */
  #value = 0;
  #bin = 0;

  add(value: number): void {
    if (value !== this.#value) {
      this.#value = value;
      this.#bin = binOf(value);
    }
    const at = this.#bin;
    const counts = this.#counts;
    while (counts.length <= at) counts.push(0);
    counts[at]!++;
    this.count++;
  }

  addAll(other: Bins): void {
    const counts = this.#counts;
    while (counts.length < other.#counts.length) counts.push(0);
    for (let i = 0; i < other.#counts.length; i++) counts[i]! += other.#counts[i]!;
    this.count += other.count;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
  }

  /** Non-empty buckets from below. */
  *bins(): Iterable<{ readonly left: number; readonly width: number; readonly count: number }> {
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!;
      if (count > 0) yield { left: leftOf(i), width: widthOf(i), count };
    }
  }

  /** The values below which these shares (ascending) of all lie; those of a bucket are taken to be spread evenly in it. */
  quantiles(shares: readonly number[]): number[] {
    if (this.count === 0) return shares.map(() => NaN);
    const out: number[] = [];
    const bins = [...this.bins()];
    let below = 0;
    let at = 0;
    for (const share of shares) {
      const rank = Math.max(1, Math.ceil(share * this.count));
      while (below + bins[at]!.count < rank) below += bins[at++]!.count;
      const { left, width, count } = bins[at]!;
      out.push(width === 0 ? left : left + (width * (rank - below)) / (count + 1));
    }
    return out;
  }

  /** Approximate, of the buckets' middles. */
  get sum(): number {
    let sum = 0;
    for (const { left, width, count } of this.bins()) {
      const right = left + width;
      sum += left === 0 ? 0 : (left + (width * left) / (left + right)) * count;
    }
    return sum;
  }

  /** How many lie in buckets that begin at or below the bound. */
  upTo(bound: number): number {
    let total = 0;
    for (const { left, count } of this.bins()) {
      if (left > bound) break;
      total += count;
    }
    return total;
  }
}

function binOf(value: number): number {
  if (value < 1) return 0;
  let decade = 0;
  let power = 1;
  while (value >= power * 10) {
    power *= 10;
    decade++;
  }
  return 1 + decade * PER_DECADE + Math.trunc((value * 10) / power) - 10;
}

function leftOf(bin: number): number {
  if (bin === 0) return 0;
  const at = bin - 1;
  return ((10 + (at % PER_DECADE)) / 10) * 10 ** Math.trunc(at / PER_DECADE);
}

function widthOf(bin: number): number {
  return bin === 0 ? 0 : 10 ** (Math.trunc((bin - 1) / PER_DECADE) - 1);
}

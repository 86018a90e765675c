/** Label values in the order of a metric's label names. */
type Values = readonly string[];

/** More series of one metric are not kept unless the registry says so: what comes beyond counts as `other`. */
const MOST_SERIES = 1000;
const BEYOND = 'other';

/** What a metric is called, what it says, and by which labels its series are told apart. */
export interface Description {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** As many series as the registry keeps. */
  readonly most?: number;
}

/** The series of one metric. One without labels is there from the start. */
class SeriesSet<T> {
  readonly #fresh: () => T;
  readonly #labels: readonly string[];
  readonly #most: number;
  readonly #series = new Map<string, { readonly labels: string; readonly value: T }>();

  constructor({ labels = [], most = MOST_SERIES }: Description, fresh: () => T) {
    this.#labels = labels;
    this.#most = most;
    this.#fresh = fresh;
    if (labels.length === 0) this.at([]);
  }

  at(values: Values): T {
    const key = values.join('\0');
    const known = this.#series.get(key);
    if (known !== undefined) return known.value;
    if (this.#series.size >= this.#most && values.some((value) => value !== BEYOND)) {
      return this.at(values.map(() => BEYOND));
    }
    const labels = this.#labels.map((label, i) => `${label}="${escape(values[i] ?? '')}"`).join(',');
    const value = this.#fresh();
    this.#series.set(key, { labels, value });
    return value;
  }

  clear(): void {
    this.#series.clear();
  }

  print(line: (labels: string, value: T) => string): string {
    return [...this.#series.values()].map(({ labels, value }) => line(labels, value)).join('');
  }
}

interface Metric {
  text(): string;
}

const text = ({ name, help }: Description, kind: string, samples: string): string =>
  samples === '' ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${samples}`;

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

export class Counter implements Metric {
  readonly #about: Description;
  readonly #series: SeriesSet<{ value: number }>;

  constructor(about: Description) {
    this.#about = about;
    this.#series = new SeriesSet(about, () => ({ value: 0 }));
  }

  add(values: Values = [], amount = 1): void {
    this.#series.at(values).value += amount;
  }

  text(): string {
    const { name } = this.#about;
    return text(
      this.#about,
      'counter',
      this.#series.print((labels, { value }) => sample(name, labels, value)),
    );
  }
}

/** Label values with the number that they have now. */
export type Readings = Iterable<readonly [values: Values, value: number]>;

/** What is read when somebody asks, so that nothing that is gone stays behind. */
export class Gauge implements Metric {
  readonly #about: Description;
  readonly #read: () => Readings;
  readonly #kind: 'gauge' | 'counter';

  /** `counter` where what is read is one that somebody else counts. */
  constructor(about: Description, read: () => Readings, kind: 'gauge' | 'counter' = 'gauge') {
    this.#about = about;
    this.#read = read;
    this.#kind = kind;
  }

  text(): string {
    const { name } = this.#about;
    const series = new SeriesSet(this.#about, () => ({ value: 0 }));
    if (this.#about.labels === undefined) series.clear();
    for (const [values, value] of this.#read()) series.at(values).value += value;
    return text(
      this.#about,
      this.#kind,
      series.print((labels, { value }) => sample(name, labels, value)),
    );
  }
}

export class Histogram implements Metric {
  readonly #about: Description;
  readonly #bounds: readonly number[];
  readonly #series: SeriesSet<{ readonly counts: number[]; sum: number }>;

  /** `bounds`: upper ends of the buckets, ascending. */
  constructor(about: Description, bounds: readonly number[]) {
    this.#about = about;
    this.#bounds = bounds;
    this.#series = new SeriesSet(about, () => ({ counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 }));
  }

  observe(value: number, values: Values = []): void {
    const series = this.#series.at(values);
    const index = this.#bounds.findIndex((bound) => value <= bound);
    series.counts[index < 0 ? this.#bounds.length : index]! += 1;
    series.sum += value;
  }

  text(): string {
    const { name } = this.#about;
    const samples = this.#series.print((labels, { counts, sum }) => {
      const before = labels === '' ? '' : `${labels},`;
      let total = 0;
      const buckets = counts.map((count, i) => {
        total += count;
        return sample(`${name}_bucket`, `${before}le="${this.#bounds[i] ?? '+Inf'}"`, total);
      });
      return buckets.join('') + sample(`${name}_sum`, labels, sum) + sample(`${name}_count`, labels, total);
    });
    return text(this.#about, 'histogram', samples);
  }
}

/** Metrics in Prometheus' text format 0.0.4, in the order in which they were added. */
export class Registry {
  readonly #metrics: Metric[] = [];
  readonly #most: number;

  /** `most`: how many series of one metric are told apart. */
  constructor(most = MOST_SERIES) {
    this.#most = most;
  }

  counter(about: Description): Counter {
    return this.#add(new Counter(this.#bounded(about)));
  }
  gauge(about: Description, read: () => Readings): void {
    this.#add(new Gauge(this.#bounded(about), read));
  }
  /** A counter that somebody else counts. */
  reading(about: Description, read: () => Readings): void {
    this.#add(new Gauge(this.#bounded(about), read, 'counter'));
  }
  histogram(about: Description, bounds: readonly number[]): Histogram {
    return this.#add(new Histogram(this.#bounded(about), bounds));
  }

  text(): string {
    return this.#metrics.map((metric) => metric.text()).join('');
  }

  #bounded(about: Description): Description {
    return { ...about, most: this.#most };
  }

  #add<T extends Metric>(metric: T): T {
    this.#metrics.push(metric);
    return metric;
  }
}

import type { Counter } from '../program/types.ts';
import type { Exemplars } from './exemplars.ts';
import { Histogram } from './histogram.ts';

export type Tags = readonly (readonly [name: string, value: string])[];

/** A statistic whose tags are known from the start, so that nobody has to find them in its name. */
export interface TaggedStat {
  /** With tags and their values, as `/stats` shows it; what is empty leaves nothing behind. */
  readonly fullName: string;
  readonly name: string;
  readonly tags: Tags;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly counter: Counter;
  readonly histogram: Histogram | undefined;
  /** Values of the histogram with the traces they belong to; undefined: there are none. */
  exemplars?: Exemplars;
  /** How many may still add to it. */
  holders: number;
}

/** Statistics with tags, by full name: the same name gives the same one. */
export class TaggedStats {
  readonly #stats = new Map<string, TaggedStat>();

  get(kind: TaggedStat['kind'], name: string, tags: Tags): TaggedStat {
    const fullName = fullNameOf(name, tags);
    let stat = this.#stats.get(fullName);
    if (stat === undefined) {
      const histogram = kind === 'histogram' ? new Histogram() : undefined;
      this.#stats.set(fullName, (stat = { fullName, name, tags, kind, counter: { value: 0 }, histogram, holders: 0 }));
    }
    return stat;
  }

  find(fullName: string): TaggedStat | undefined {
    return this.#stats.get(fullName);
  }

  hold(stat: TaggedStat): void {
    stat.holders++;
  }

  /** What nobody adds to any more is forgotten. */
  release(stat: TaggedStat): void {
    if (--stat.holders === 0) this.#stats.delete(stat.fullName);
  }

  all(): Iterable<TaggedStat> {
    return this.#stats.values();
  }
}

function fullNameOf(name: string, tags: Tags): string {
  let full = name;
  for (const [tag, value] of tags) full += value === '' ? `.${tag}` : `.${tag}.${value}`;
  return full;
}

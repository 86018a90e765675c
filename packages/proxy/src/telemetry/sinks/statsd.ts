import type { StatsdProgram, StatsSink, StatsSnapshot, TagsOf } from './types.ts';

/** Where lines of statsd go. */
export interface LineWriter {
  /** Lines that belong together. */
  batch(lines: readonly string[]): void;
  /** Done once everything is on its way. */
  close(): Promise<void>;
}

/** Statistics in statsd's text format: counters as what came, and each value of a histogram by itself. */
export class StatsdSink implements StatsSink {
  readonly #program: StatsdProgram;
  readonly #tagsOf: TagsOf;
  readonly #writer: LineWriter;

  constructor(program: StatsdProgram, tagsOf: TagsOf, writer: LineWriter) {
    this.#program = program;
    this.#tagsOf = tagsOf;
    this.#writer = writer;
  }

  flush({ counters, gauges }: StatsSnapshot): void {
    this.#writer.batch([
      ...counters.map(({ name, delta }) => this.#line(name, `${delta}|c`)),
      ...gauges.map(({ name, value }) => this.#line(name, `${value}|g`)),
    ]);
  }

  /** What is not counted in whole units is a share, which statsd knows as a plain histogram. */
  record(name: string, value: number, scale: number): void {
    this.#writer.batch([this.#line(name, scale === 1 ? `${value}|ms` : `${value / scale}|h`)]);
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  #line(name: string, value: string): string {
    const { prefix, tagged } = this.#program;
    if (!tagged) return `${prefix}.${name}:${value}`;
    const { name: bare, tags } = this.#tagsOf(name);
    const list = tags.map((tag) => `${tag.name}:${tag.value}`).join(',');
    return `${prefix}.${bare}:${value}${list === '' ? '' : `|#${list}`}`;
  }
}

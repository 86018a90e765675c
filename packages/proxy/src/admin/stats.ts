import type { Timer } from '../deps.ts';
import { addAll, type Histograms, type Values } from '../telemetry/collect.ts';
import { nodeHistograms, nodeStats } from '../telemetry/node-stats.ts';
import { openSinks } from '../telemetry/sinks/open.ts';
import type { DatagramSocket } from '../telemetry/sinks/datagrams.ts';
import { StatsFeed } from '../telemetry/sinks/feed.ts';
import { endpointTags } from '../telemetry/endpoint-stats.ts';
import { UsedStats } from '../telemetry/sinks/used.ts';
import { addControlPlane, type OtherStats } from '../telemetry/xds-stats.ts';
import type { AdminRequests } from './admin-stats.ts';
import { serverState, text, type AdminAnswer, type AdminContext } from './context.ts';
import { isGauge } from './gauges.ts';
import { statsPage } from './help.ts';
import { histogramText, histogramsJson, viewOf, type BucketMode, type HistogramView } from './histograms.ts';
import { prometheus, type PrometheusMode } from './prometheus.ts';
import { adminRegex } from './regex.ts';
import { runtimeStats, serverStats } from './server-stats.ts';
import type { TagExtractor } from './tags.ts';
import { statsForm } from './stats-form.ts';
import type { StatsProgram } from './stats-program.ts';

/** All statistics of a proxy, and what counters were when they were last reset. */
export class AdminStats {
  readonly requests: AdminRequests;
  readonly #context: AdminContext;
  readonly #program: StatsProgram;
  #zero: Values = new Map();
  #timer: Timer | undefined;
  readonly #used = new UsedStats();
  /** What sinks get; undefined: there are none. */
  readonly #feed: StatsFeed | undefined;

  constructor(
    context: AdminContext,
    program: StatsProgram,
    requests: AdminRequests,
    datagrams: (host: string, port: number) => DatagramSocket,
  ) {
    this.#context = context;
    this.#program = program;
    this.requests = requests;
    if (program.sinks.length > 0) {
      const { deps, node, nodeJson } = context;
      const sinks = openSinks(program.sinks, {
        deps,
        node: nodeJson,
        cluster: (name) => node.clusters.get(name),
        counter: (name) => node.counters.get(name),
        datagrams,
        tagsOf: (name) => this.#tags().extract(name),
      });
      this.#feed = new StatsFeed(sinks, {
        clock: deps.clock,
        accepts: program.accepts,
        isGauge: (name) => this.#isGauge(name),
        raw: () => this.#collect(),
        values: () => this.#all({ texts: new Map(), large: new Map() }),
        histograms: () => this.#allHistograms(),
        views: () => this.#histograms(),
      });
    }
    this.#flushLater();
  }

  /** `/stats` in all its forms. */
  answer(query: URLSearchParams, answering: (status: number) => void, prometheusOnly = false): AdminAnswer {
    const filter = query.get('filter') ?? '';
    const inverted = query.has('invert_filter');
    let wanted = (_name: string): boolean => true;
    if (filter !== '') {
      const regex = adminRegex(filter);
      if (typeof regex === 'string') return text(`Invalid re2 regex: ${regex}`, 400);
      wanted = (name) => regex.matcher(name).find() !== inverted;
    }
    const form = statsForm(query, prometheusOnly);
    if ('status' in form) return form;
    const { format, type, buckets } = form;
    answering(200);
    // As in Envoy, what is brought up to date now shows the next time.
    if (this.#program.flushOnAdmin) queueMicrotask(() => this.#flush());
    const usedOnly = query.has('usedonly');
    const other: OtherStats = { texts: new Map(), large: new Map() };
    const all = this.#all(other);
    const used = usedOnly ? this.#usedAmong(all) : undefined;
    const values = [...all].filter(
      ([name, value]) =>
        !form.hiddenOnly &&
        wanted(name) &&
        (used === undefined || used(name, value)) &&
        (type === 'All' || (type === 'Counters' && !this.#isGauge(name)) || (type === 'Gauges' && this.#isGauge(name))),
    );
    const views =
      !form.hiddenOnly && (type === 'All' || type === 'Histograms')
        ? this.#histograms().filter(({ name, total }) => wanted(name) && (!usedOnly || total.count > 0))
        : [];
    const texts =
      !form.hiddenOnly && (type === 'All' || type === 'TextReadouts')
        ? [...other.texts]
            .filter(([name, value]) => this.#program.accepts(name) && wanted(name) && (!usedOnly || value !== ''))
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
        : [];
    if (format === 'prometheus') {
      const mode: PrometheusMode = buckets === 'summary' || buckets === 'none' ? 'summary' : 'cumulative';
      const shown = query.has('text_readouts') ? texts : [];
      return text(prometheus(values, shown, views, this.#tags(), (name) => this.#isGauge(name), mode));
    }
    const mode: BucketMode =
      buckets === 'cumulative' || buckets === 'disjoint' || buckets === 'detailed' ? buckets : 'none';
    if (format === 'json') {
      const list = [
        ...texts.map(([name, value]) => JSON.stringify({ name, value })),
        ...values.map(([name, value]) => `{"name":${JSON.stringify(name)},"value":${value}}`),
      ];
      if (views.length > 0) list.push(histogramsJson(views, mode));
      return { status: 200, type: 'application/json', body: `{"stats":[${list.join(',')}]}` };
    }
    const lines = [
      ...texts.map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`),
      ...values.map(([name, value]) => `${name}: ${value}\n`),
    ];
    const whole = lines.join('') + views.map((view) => histogramText(view, mode)).join('');
    return format === 'text' ? text(whole) : statsPage(whole);
  }

  /** What has been touched, as Envoy sees it, whatever was reset in between. */
  #usedAmong(all: ReadonlyMap<string, number | bigint>): (name: string, value: number | bigint) => boolean {
    const raw = new Map<string, number | bigint>([...all, ...this.#collect()]);
    return (name) => this.#used.used(name, raw.get(name)!, raw);
  }

  /** Names hide tags, save where they are known already. */
  #tags(): Pick<TagExtractor, 'extract'> {
    const { tagged, clusters } = this.#context.node;
    let endpoints: ReturnType<typeof endpointTags> | undefined;
    return {
      extract: (fullName) => {
        if (fullName.includes('.endpoint.')) {
          endpoints ??= endpointTags(clusters.active());
          const last = fullName.lastIndexOf('.');
          const tags = endpoints.get(fullName.slice(0, last));
          if (tags !== undefined) return { name: `cluster.endpoint${fullName.slice(last)}`, tags };
        }
        const stat = tagged.find(fullName);
        if (stat === undefined) return this.#program.tags.extract(fullName);
        return { name: stat.name, tags: stat.tags.map(([name, value]) => ({ name, value })) };
      },
    };
  }

  #isGauge(name: string): boolean {
    const stat = this.#context.node.tagged.find(name);
    return stat === undefined ? isGauge(name) : stat.kind === 'gauge';
  }

  /** Counters start from 0 again; gauges and histograms stay. */
  reset(): void {
    this.#zero = new Map([...this.#collect()].filter(([name]) => !this.#isGauge(name)));
  }

  /** Sinks get what is new until now. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    if (this.#feed === undefined) return;
    this.#flush();
    await this.#feed.close();
  }

  #collect(other?: OtherStats): Values {
    const values = nodeStats(this.#context.node, other);
    this.requests.addTo(values);
    return values;
  }

  #all(other: OtherStats): Map<string, number | bigint> {
    const all: Values = new Map();
    for (const [name, value] of this.#collect(other)) all.set(name, value - (this.#zero.get(name) ?? 0));
    addAll(all, 'server', serverStats(this.#context, serverState(this.#context)));
    addAll(all, 'runtime', runtimeStats(this.#context.node.runtime));
    if (this.#context.bootstrap.ads !== undefined)
      addControlPlane(all, other.texts, 'control_plane', this.#context.controlPlane);
    const both = new Map<string, number | bigint>([...all, ...other.large]);
    const names = [...both.keys()].filter(this.#program.accepts).sort((a, b) => (a < b ? -1 : 1));
    return new Map(names.map((name) => [name, both.get(name)!]));
  }

  #allHistograms(): Histograms {
    const all = nodeHistograms(this.#context.node);
    for (const [name, parts] of this.requests.histograms()) all.set(name, parts);
    return all;
  }

  #histograms(): HistogramView[] {
    return [...this.#allHistograms()]
      .filter(([name]) => this.#program.accepts(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, parts]) =>
        viewOf(name, parts, this.#program.bounds(this.#context.node.tagged.find(name)?.name ?? name)),
      );
  }

  /** What has been recorded becomes visible. */
  #flush(): void {
    for (const histogram of new Set([...this.#allHistograms().values()].flat())) histogram.flush();
    this.#feed?.flush();
  }

  #flushLater(): void {
    if (this.#program.flushInterval <= 0) return;
    this.#timer = this.#context.deps.clock.after(this.#program.flushInterval, () => {
      this.#flush();
      this.#flushLater();
    });
  }
}

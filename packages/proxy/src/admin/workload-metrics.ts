import type { types } from '@mizzen/xds';
import type { Histogram } from '../telemetry/histogram.ts';
import { nodeHistograms, nodeStats } from '../telemetry/node-stats.ts';
import type { ProxyNode } from '../process/proxy-node.ts';
import type { CompileDeps } from '../program/types.ts';
import { CertificateExpiry } from './certificate-expiry.ts';
import { isGauge } from './gauges.ts';
import { viewOf } from './histograms.ts';
import { prometheus } from './prometheus.ts';
import { compileStats, type StatsProgram } from './stats-program.ts';
import type { TagExtractor } from './tags.ts';

/** Labels as bootstraps have them that Istio's agent writes: names of clusters have dots in them, and end at a semicolon. */
const STATS_CONFIG: types.metrics.StatsConfig = {
  useAllDefaultTags: false,
  statsTags: [
    { tagName: 'cluster_name', regex: String.raw`^cluster\.((.+?);\.)` },
    { tagName: 'tcp_prefix', regex: String.raw`^tcp\.((.*?)\.)\w+?$` },
    { tagName: 'response_code', regex: String.raw`_rq(_(\d{3}))$` },
    { tagName: 'response_code_class', regex: String.raw`_rq(_(\dxx))$` },
    { tagName: 'rds_route_config', regex: String.raw`^http\..*?\.rds\.((.*?)\.)\w+?$` },
    { tagName: 'http_conn_manager_prefix', regex: String.raw`^http\.(([^;]+);\.)` },
    { tagName: 'http_conn_manager_prefix', regex: String.raw`^http\.(?![^;]*;)(([^.]+)\.)` },
    { tagName: 'http_conn_manager_prefix', regex: String.raw`^listener\..*?\.http\.(([^;]+);\.)` },
    { tagName: 'listener_address', regex: String.raw`^listener\.((\[.*?\]_\d+|[\d.]+_\d+)\.)` },
  ],
};

/** Rules ask whether these have grown, so they are there from the start. */
const ALWAYS =
  /\.update_rejected$|^cluster\..*;\.(upstream_rq_pending_overflow|upstream_cx_active)$|^listener\..*\.ssl\.(connection_error|fail_verify_error)$/;

/** The metrics of a proxy without an admin endpoint, in Prometheus' text format. */
export class WorkloadMetrics {
  readonly #node: ProxyNode;
  readonly #program: StatsProgram;
  readonly #certificates: CertificateExpiry;
  readonly #deps: CompileDeps;

  constructor(node: ProxyNode, deps: CompileDeps) {
    this.#node = node;
    this.#deps = deps;
    this.#certificates = new CertificateExpiry(node.secrets);
    this.#program = compileStats({ statsConfig: STATS_CONFIG }, 'metrics', deps, [], {}, new Set()).program;
  }

  /** With what Istio's agent adds of itself; with exemplars, which only OpenMetrics has, where that is wanted. */
  text(exemplars = false): string {
    return this.#certificates.text(this.#deps.clock.wall()) + this.proxyText(exemplars);
  }

  /** Of Envoy's statistics those that have been used. */
  proxyText(exemplars = false): string {
    const { tagged } = this.#node;
    const values = [...nodeStats(this.#node)].filter(
      ([name, value]) => value !== 0 || ALWAYS.test(name) || tagged.find(name) !== undefined,
    );
    const histograms = [...nodeHistograms(this.#node)];
    const all = new Set<Histogram>(histograms.flatMap(([, parts]) => [...parts]));
    for (const histogram of all) histogram.flush();
    const views = histograms
      .map(([name, parts]) => {
        const stat = tagged.find(name);
        const view = viewOf(name, parts, this.#program.bounds(stat?.name ?? name));
        return exemplars ? { ...view, exemplars: stat?.exemplars } : view;
      })
      .filter(({ total }) => total.count > 0);
    const tags: Pick<TagExtractor, 'extract'> = {
      extract: (name) => {
        const stat = tagged.find(name);
        if (stat === undefined) return this.#program.tags.extract(name);
        return { name: stat.name, tags: stat.tags.map(([tag, value]) => ({ name: tag, value })) };
      },
    };
    const gauge = (name: string): boolean =>
      (tagged.find(name)?.kind ?? (isGauge(name) ? 'gauge' : 'counter')) === 'gauge';
    return prometheus(values, [], views, tags, gauge, 'cumulative');
  }
}

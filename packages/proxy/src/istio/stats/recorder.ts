import type { JsonValue, types } from '@mizzen/xds';
import type { CompileDeps, Counter, LogSource } from '../../program/types.ts';
import { milliseconds, unwire } from '../../program/values.ts';
import { flagNames } from '../../telemetry/access-log-flags.ts';
import type { TaggedStats } from '../../telemetry/tagged.ts';
import type { PeerTls, StreamInfo } from '../../types.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import { DOWNSTREAM_PEER, endpointPeer, UPSTREAM_PEER, WorkloadPeer, type PeerFields } from '../peer.ts';
import { labelsOf, partiesOf, type Outcome, type Parties } from './labels.ts';
import { istioVersion, ownWorkload, type Reporter } from './node.ts';
import { Overrides } from './overrides.ts';
import { Series, SeriesMap } from './series.ts';
import { namesService, serviceOf } from './service.ts';

/** Milliseconds: how often connections that go on report, and how long series last that are let go. */
const TCP_REPORTING = 5000;
const GRACE = 300_000;

/** Stands for values of expressions that are not told apart any more. */
const OVERFLOW = 'overflow';
/** UNAUTHENTICATED */
const LAST_GRPC_STATUS = 16;

/** What tells series apart. */
export interface Observed {
  readonly code: number;
  readonly flags: number;
  /** The same bits in the order in which they were set. */
  readonly flagOrder: readonly number[] | undefined;
  /** Undefined: only who takes part counts. */
  readonly protocol: Outcome['protocol'] | undefined;
  readonly grpcStatus: string;
  readonly cluster: string;
  /** What the cluster says of itself to Istio. */
  readonly ofCluster: Parameters<typeof serviceOf>[2];
  readonly route: string;
  readonly authority: string;
  readonly peer: WorkloadPeer | undefined;
  readonly endpoint: WorkloadPeer | undefined;
  readonly workload: string;
  readonly peerSan: string;
  readonly localSan: string;
}

/** Remembered of the last one: traffic comes in runs of the same. */
interface Seen extends Observed {
  readonly series: Series;
}

export interface RecorderContext {
  readonly deps: Pick<CompileDeps, 'clock' | 'nodeMetadata' | 'clusterMetadata' | 'workloadOf'>;
  readonly direction: types.core.TrafficDirection;
}

/** Istio's metrics of one filter: labels are worked out once for each combination of what they depend on. */
export class StatsRecorder {
  readonly reporter: Reporter;
  readonly overrides: Overrides | undefined;
  readonly reportingInterval: number;
  readonly #deps: RecorderContext['deps'];
  readonly #tagged: TaggedStats;
  readonly #own: PeerFields;
  readonly #asksHost: boolean;
  readonly #series: SeriesMap;
  #last: Seen | undefined;
  /** One for all that are looked at: nearly every time it is as `#last`, and forgotten. */
  readonly #now: { -readonly [field in keyof Observed]: Observed[field] } = {
    code: 0,
    flags: 0,
    flagOrder: undefined,
    protocol: undefined,
    grpcStatus: '',
    cluster: '',
    ofCluster: undefined,
    route: '',
    authority: '',
    peer: undefined,
    endpoint: undefined,
    workload: '',
    peerSan: '',
    localSan: '',
  };
  /** Of the series that the last one is among. */
  #generation = 0;
  /** How often something was not told apart for want of room. */
  readonly #overflow: Counter;

  constructor(context: RecorderContext, config: types.istioStats.PluginConfig, tagged: TaggedStats) {
    const { deps } = context;
    const { metrics = [], definitions = [] } = config;
    const metadata = deps.nodeMetadata ?? {};
    this.#deps = deps;
    this.#tagged = tagged;
    this.#own = ownWorkload(metadata);
    this.#asksHost = config.disableHostHeaderFallback !== true;
    this.#series = new SeriesMap(
      deps.clock,
      milliseconds(config.rotationInterval, 0),
      milliseconds(config.gracefulDeletionInterval, GRACE),
    );
    this.reporter =
      config.reporter === 'SERVER_GATEWAY' ? 'waypoint' : context.direction === 'INBOUND' ? 'destination' : 'source';
    this.reportingInterval = milliseconds(config.tcpReportingDuration, TCP_REPORTING);
    this.overrides =
      metrics.length > 0 || definitions.length > 0 ? new Overrides(metrics, definitions, metadata) : undefined;
    this.#overflow = tagged.get('counter', 'istiocustom.mizzen_metrics_overflow_total', [
      ['reporter', this.reporter],
    ]).counter;
    tagged.get('gauge', 'istiocustom.istio_build', [
      ['component', 'proxy'],
      ['tag', istioVersion(metadata)],
    ]).counter.value = 1;
  }

  /** The key under which filters leave what they know of the other end. */
  get peerKey(): string {
    return this.reporter === 'source' ? UPSTREAM_PEER : DOWNSTREAM_PEER;
  }

  /** Those that only who takes part tells apart. */
  findParties(source: LogSource, values: readonly string[]): Series {
    return this.seriesOfParties(this.#look(source, undefined, ''), values);
  }

  /** The same, of what somebody else has seen. */
  seriesOfParties(now: Observed, values: readonly string[]): Series {
    return this.#get({ ...now, protocol: undefined, grpcStatus: '', code: 0, flags: 0 }, '', values);
  }

  find(source: LogSource, protocol: Outcome['protocol'], grpcStatus: string, values: readonly string[]): Series {
    return this.seriesOf(this.#look(source, protocol, grpcStatus), values);
  }

  /** `authority` is asked only where the cluster does not say what it is for, and the host may. */
  asksHost(ofCluster: Observed['ofCluster']): boolean {
    return this.#asksHost && !namesService(ofCluster);
  }

  /** `values`: of the expressions of the overrides. */
  seriesOf(now: Observed, values: readonly string[]): Series {
    this.#series.rotate();
    if (this.#series.generation !== this.#generation) {
      this.#generation = this.#series.generation;
      this.#last = undefined;
    }
    const last = this.#last;
    if (last !== undefined && values.length === 0 && same(last, now)) return last.series;
    const series = this.#get(now, flagNames(now.flags, false, now.flagOrder) ?? '-', values);
    // Several flags may come in more than one order, which only their text tells.
    if ((now.flags & (now.flags - 1)) === 0 && !this.#series.full) this.#last = { ...now, series };
    return series;
  }

  /** What is seen of a request or a connection, until the next one is looked at. */
  #look(source: LogSource, protocol: Seen['protocol'], grpcStatus: string): Observed {
    const { info } = source;
    const cluster = info.upstreamTarget?.cluster;
    const metadata =
      cluster?.metadata ?? (cluster?.name === info.upstreamCluster ? undefined : this.#clusterMetadata(info));
    const ofCluster = metadata?.['istio'];
    const tls: PeerTls | undefined = this.reporter === 'source' ? info.upstreamConnection?.peer : info.connection.tls;
    const peerSan = tls?.uriSans[0] ?? '';
    const peer =
      workloadIn(info, this.peerKey) ??
      (protocol === 'tcp' && this.reporter === 'destination' ? this.#deps.workloadOf?.(peerSan) : undefined);
    const now = this.#now;
    now.code = info.responseCode;
    now.flags = info.responseFlags;
    now.flagOrder = info.flagOrder;
    now.protocol = protocol;
    now.grpcStatus = grpcStatus;
    now.cluster = info.upstreamCluster;
    now.ofCluster = ofCluster;
    now.route = info.routeName;
    now.authority = this.asksHost(ofCluster) ? (source.request?.authority ?? '') : '';
    now.peer = peer;
    now.endpoint = this.reporter === 'waypoint' ? workloadIn(info, UPSTREAM_PEER) : undefined;
    now.workload = peer === undefined && this.reporter === 'source' ? workloadOf(info, protocol) : '';
    now.peerSan = peerSan;
    now.localSan = tls?.localUriSan ?? '';
    return now;
  }

  #get(now: Observed, flags: string, values: readonly string[]): Series {
    let key = keyOf(now, flags, values);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (!this.#series.full) return this.#make(key, now, flags, values);
      this.#overflow.value++;
      const bounded = boundedOf(now);
      const without = values.map(() => OVERFLOW);
      key = keyOf(bounded, flags, without);
      series = this.#series.get(key) ?? this.#make(key, bounded, flags, without);
    }
    return series;
  }

  #make(key: string, seen: Observed, flags: string, values: readonly string[]): Series {
    const parties: Parties = {
      reporter: this.reporter,
      own: this.#own,
      peer: seen.peer?.is ?? endpointPeer(seen.workload)?.is,
      endpoint: seen.endpoint?.is,
      service: serviceOf(seen.route, seen.cluster, seen.ofCluster, unwire(seen.authority)),
      peerPrincipal: seen.peerSan,
      localPrincipal: seen.localSan,
    };
    const { protocol, grpcStatus, code } = seen;
    const tags =
      protocol === undefined
        ? partiesOf(parties)
        : labelsOf(parties, { protocol, responseCode: protocol === 'tcp' ? undefined : code, grpcStatus, flags });
    const series = new Series(this.#tagged, this.overrides, tags, values);
    this.#series.set(key, series);
    return series;
  }

  #clusterMetadata({ upstreamCluster }: StreamInfo): ReturnType<NonNullable<CompileDeps['clusterMetadata']>> {
    return upstreamCluster === '' ? undefined : this.#deps.clusterMetadata?.(upstreamCluster);
  }
}

/** Without what the other ends can make up: hosts, what peers say of themselves, and statuses that gRPC does not have. */
function boundedOf(now: Observed): Observed {
  const { grpcStatus } = now;
  const known = grpcStatus === '' || Number(grpcStatus) <= LAST_GRPC_STATUS;
  return { ...now, authority: '', peer: undefined, endpoint: undefined, grpcStatus: known ? grpcStatus : OVERFLOW };
}

/** What the endpoint is said to be; of what proxies of bytes tell each other more is known. */
function workloadOf({ upstreamTarget }: StreamInfo, protocol: Observed['protocol']): string {
  const { istio, mizzen } = upstreamTarget?.metadata ?? {};
  const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
  const workload = text(istio?.['workload']);
  if (protocol !== 'tcp' || mizzen === undefined) return workload;
  return `${workload};${text(mizzen['app'])};${text(mizzen['version'])}`;
}

function workloadIn(info: StreamInfo, key: string): WorkloadPeer | undefined {
  const object = filterStateOf(info, key);
  return object instanceof WorkloadPeer ? object : undefined;
}

function same(a: Seen, b: Observed): boolean {
  return (
    a.code === b.code &&
    a.flags === b.flags &&
    a.cluster === b.cluster &&
    a.route === b.route &&
    a.peer === b.peer &&
    a.endpoint === b.endpoint &&
    a.protocol === b.protocol &&
    a.grpcStatus === b.grpcStatus &&
    a.authority === b.authority &&
    a.workload === b.workload &&
    a.peerSan === b.peerSan &&
    a.localSan === b.localSan
  );
}

function keyOf(seen: Observed, flags: string, values: readonly string[]): string {
  const { code, protocol, grpcStatus, cluster, route, authority, peer, endpoint, workload, peerSan, localSan } = seen;
  const parts = [code, flags, protocol, grpcStatus, cluster, route, authority, peer?.key ?? '', endpoint?.key ?? ''];
  return [...parts, workload, peerSan, localSan, ...values].join('\n');
}

import { decode, encode, XdsCodecError } from '@mizzen/xds/binary/index.ts';
import type { JsonObject } from '@mizzen/xds';
import type { ClusterManager } from '../cluster/manager.ts';
import type { Deps, Timer } from '../deps.ts';
import { envoyHeaders, GrpcStatus, GrpcStream } from '../grpc/stream.ts';
import type { Counter } from '../program/types.ts';
import { milliseconds } from '../program/values.ts';
import type { LoadStatsProgram } from './program.ts';
import { TrackedCluster } from './tracked.ts';

const PATH = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';
const MESSAGES = 'envoy.service.load_stats.v3';
const FEATURE = 'envoy.lrs.supports_send_all_clusters';
/** Until a stream that is gone is opened again; Envoy's, milliseconds. */
const RETRY_DELAY = 5000;
const MAX_MESSAGE = 4 * 1024 * 1024;

export interface LoadReporterOptions {
  readonly program: LoadStatsProgram;
  readonly deps: Deps;
  readonly clusters: ClusterManager;
  readonly counter: (name: string) => Counter;
  /** Envoy's JSON of the node. */
  readonly node: JsonObject;
  /** The proxy's own locality. */
  readonly ownLocality: string;
  readonly onLog: (level: 'info' | 'warning', message: string) => void;
}

/** What a server wants to be told, and how often. */
interface Wanted {
  readonly clusters: readonly string[] | 'all';
  readonly endpoints: boolean;
  /** Milliseconds. */
  readonly interval: number;
}

/**
 * Tells a server of the load of clusters that it asks for, as often as it wants (Envoy's load reporting service). What
 * was asked holds on when the stream is opened anew, until there is another answer.
 */
export class LoadReporter {
  readonly #options: LoadReporterOptions;
  readonly #node: JsonObject;
  readonly #tracked = new Map<string, TrackedCluster>();
  readonly #counters: Readonly<Record<'errors' | 'requests' | 'responses' | 'retries', Counter>>;
  #wanted: Wanted | undefined;
  #stream: GrpcStream | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: LoadReporterOptions) {
    this.#options = options;
    const { node, counter } = options;
    const features = Array.isArray(node['clientFeatures']) ? (node['clientFeatures'] as readonly string[]) : [];
    this.#node = { ...node, clientFeatures: [...features, FEATURE] };
    const of = (name: string): Counter => counter(`load_reporter.${name}`);
    this.#counters = {
      errors: of('errors'),
      requests: of('requests'),
      responses: of('responses'),
      retries: of('retries'),
    };
    this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#stream?.close();
  }

  #open(): void {
    const { clusters, program } = this.#options;
    const cluster = clusters.get(program.cluster);
    if (cluster === undefined) return this.#failed(GrpcStatus.unavailable, `no cluster \`${program.cluster}\``);
    const { authority, skipEnvoyHeaders } = program;
    const metadata = [...program.metadata, ...(skipEnvoyHeaders ? [] : envoyHeaders(this.#options.deps))];
    this.#stream = new GrpcStream(
      cluster,
      { path: PATH, authority, metadata, maxMessage: MAX_MESSAGE },
      {
        onMessage: (message) => this.#receive(message),
        onEnd: (status, message) => this.#failed(status, message),
      },
    );
    this.#send();
  }

  #failed(status: number, message: string): void {
    this.#stream = undefined;
    this.#timer?.cancel();
    if (this.#closed) return;
    if (status !== GrpcStatus.ok) this.#counters.errors.value++;
    const { deps, onLog, program } = this.#options;
    onLog('warning', `the stream of load reports to \`${program.cluster}\` ended: ${status}, ${message}`);
    this.#timer = deps.clock.after(RETRY_DELAY, () => {
      this.#counters.retries.value++;
      this.#open();
    });
  }

  #receive(bytes: Buffer): void {
    let answer: JsonObject;
    try {
      answer = decode(`${MESSAGES}.LoadStatsResponse`, bytes);
    } catch (error) {
      if (!(error instanceof XdsCodecError)) throw error;
      this.#stream?.close();
      return this.#failed(GrpcStatus.internal, 'an answer that cannot be read');
    }
    this.#wanted = {
      clusters: answer['sendAllClusters'] === true ? 'all' : ((answer['clusters'] ?? []) as readonly string[]),
      endpoints: answer['reportEndpointGranularity'] === true,
      interval: milliseconds(answer['loadReportingInterval'] as string | undefined, 0),
    };
    this.#begin(this.#wanted);
    this.#counters.requests.value++;
  }

  /** A period of reporting begins; what is reported already goes on from where it was. */
  #begin(wanted: Wanted): void {
    const { clusters, deps } = this.#options;
    const names =
      wanted.clusters === 'all' ? [...clusters.active()].map(({ program }) => program.name) : wanted.clusters;
    const kept = new Set(names);
    for (const name of this.#tracked.keys()) if (!kept.has(name)) this.#tracked.delete(name);
    for (const name of kept)
      if (!this.#tracked.has(name)) this.#tracked.set(name, new TrackedCluster(clusters.peek(name), deps.clock.now()));
    this.#timer?.cancel();
    this.#timer = deps.clock.after(wanted.interval, () => this.#send());
  }

  #send(): void {
    const { clusters, deps, ownLocality } = this.#options;
    const wanted = this.#wanted;
    const by = { endpoints: wanted?.endpoints === true, ownLocality };
    const clusterStats = [...this.#tracked].flatMap(([name, tracked]) => {
      const managed = clusters.peek(name);
      return managed === undefined ? [] : [tracked.report(name, managed, deps.clock.now(), by)];
    });
    this.#stream?.send(encode(`${MESSAGES}.LoadStatsRequest`, { node: this.#node, clusterStats }));
    this.#counters.responses.value++;
    if (wanted !== undefined) this.#begin(wanted);
  }
}

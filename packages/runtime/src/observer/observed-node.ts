import type { Clock } from '@mizzen/proxy/deps.ts';
import { taggedMetrics } from '@mizzen/proxy/admin/tagged-metrics.ts';
import { PeerReader } from '@mizzen/proxy/istio/peer-headers.ts';
import { StatsRecorder } from '@mizzen/proxy/istio/stats/recorder.ts';
import { TaggedStats } from '@mizzen/proxy/telemetry/tagged.ts';
import type { NodeTraffic } from '@mizzen/proxy/process/protocol.ts';
import type { MetricsLogName } from '@mizzen/translator/filters/metrics-log.ts';
import type { JsonObject } from '@mizzen/xds';
import { Connections } from './connections.ts';
import { Edges } from './edges.ts';
import type { EntrySink } from './log-server.ts';
import type { Peers } from './peers.ts';
import { Requests } from './requests.ts';

/** Istio's metrics of one Envoy, made of what it logs. */
export class ObservedNode {
  readonly id: string;
  readonly #metadata: JsonObject;
  readonly #clock: Clock;
  readonly #peers: Peers;
  readonly #tagged = new TaggedStats();
  readonly #reader = new PeerReader([]);
  readonly #edges = new Edges();

  constructor(id: string, metadata: JsonObject, clock: Clock, peers: Peers) {
    this.id = id;
    this.#metadata = metadata;
    this.#clock = clock;
    this.#peers = peers;
  }

  /** Entries of one of its logs come. Undefined: its name is not one that says what to make of them. */
  open(logName: string): EntrySink | undefined {
    const name = readName(logName);
    if (name === undefined) return undefined;
    const { direction, ...config } = name;
    const context = { deps: { clock: this.#clock, nodeMetadata: this.#metadata }, direction };
    const recorder = new StatsRecorder(context, config, this.#tagged);
    const requests = new Requests(recorder, this.#reader, this.#edges);
    const connections = new Connections(recorder, {
      node: this.id,
      clock: this.#clock,
      peers: this.#peers,
      edges: this.#edges,
    });
    return {
      http: (entry) => requests.record(entry),
      tcp: (entry) => connections.record(entry),
      end: () => {
        requests.lost();
        connections.lost();
      },
    };
  }

  metrics(): string {
    return taggedMetrics(this.#tagged);
  }

  get stats(): TaggedStats {
    return this.#tagged;
  }

  traffic(): NodeTraffic | undefined {
    return this.#edges.since(this.id);
  }
}

function readName(text: string): MetricsLogName | undefined {
  try {
    const name = JSON.parse(text) as MetricsLogName;
    return name.direction === 'INBOUND' || name.direction === 'OUTBOUND' ? name : undefined;
  } catch {
    return undefined;
  }
}

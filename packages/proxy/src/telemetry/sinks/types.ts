import type { HistogramView } from '../../admin/histograms.ts';
import type { Tag } from '../../admin/tags.ts';
import type { StreamTarget } from '../../call/log-stream.ts';

/** What is sent of a proxy's statistics at one moment: those that have been used. */
export interface StatsSnapshot {
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** `delta`: what came since the last snapshot. */
  readonly counters: readonly { readonly name: string; readonly value: number; readonly delta: number }[];
  readonly gauges: readonly { readonly name: string; readonly value: number | bigint }[];
  readonly histograms: readonly HistogramView[];
}

/** The name without its tags, and these. */
export type TagsOf = (name: string) => { readonly name: string; readonly tags: readonly Tag[] };

/** Where statistics go. */
export interface StatsSink {
  flush(snapshot: StatsSnapshot): void;
  /** A single value of a histogram; `scale` of them are one of its unit. Absent: it does not want them. */
  record?(name: string, value: number, scale: number): void;
  /** Done once everything is on its way. */
  close(): Promise<void>;
}

export interface StatsdProgram {
  readonly kind: 'statsd';
  /** `host` is an IP address; a cluster is spoken to over TCP. */
  readonly to: { readonly host: string; readonly port: number } | { readonly cluster: string };
  readonly prefix: string;
  /** Names come without their tags, which follow the values. */
  readonly tagged: boolean;
  /** Lines share datagrams up to this many bytes; 0: each has its own. */
  readonly datagram: number;
}

export interface MetricsServiceProgram {
  readonly kind: 'metrics_service';
  readonly service: StreamTarget;
  /** Counters say what came, not what there is. */
  readonly deltas: boolean;
  /** Names come without their tags, which are labels. */
  readonly tagged: boolean;
  readonly summaries: boolean;
  readonly histograms: boolean;
  /** Metrics in a message, at most; 0: all. */
  readonly batch: number;
}

export type SinkProgram = StatsdProgram | MetricsServiceProgram;

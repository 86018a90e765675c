import type { JsonObject } from '@mizzen/xds';
import type { Deps } from '../../deps.ts';
import type { Counter } from '../../program/types.ts';
import type { UpstreamCluster } from '../../types.ts';
import { DatagramWriter, type DatagramSocket } from './datagrams.ts';
import { StatsdSink } from './statsd.ts';
import { LaterSink } from './later.ts';
import { StreamWriter } from './stream.ts';
import type { MetricsServiceProgram, SinkProgram, StatsSink, TagsOf } from './types.ts';

export interface SinkDeps {
  readonly deps: Deps;
  /** The node as services are told of it. */
  readonly node: JsonObject;
  readonly cluster: (name: string) => UpstreamCluster | undefined;
  readonly counter: (name: string) => Counter;
  readonly datagrams: (host: string, port: number) => DatagramSocket;
  readonly tagsOf: TagsOf;
}

export function openSinks(programs: readonly SinkProgram[], from: SinkDeps): readonly StatsSink[] {
  return programs.map((program) => {
    if (program.kind === 'metrics_service') return new LaterSink(metricsService(program, from));
    const { to } = program;
    const writer =
      'cluster' in to
        ? new StreamWriter(() => from.cluster(to.cluster), from.counter('statsd.cx_overflow'))
        : new DatagramWriter(from.datagrams(to.host, to.port), program.datagram);
    return new StatsdSink(program, from.tagsOf, writer);
  });
}

/** HTTP/2 and protobuf are loaded for it alone. */
async function metricsService(program: MetricsServiceProgram, from: SinkDeps): Promise<StatsSink> {
  const { MetricsServiceSink } = await import('./metrics-service.ts');
  return new MetricsServiceSink(program, from);
}

import type { types } from '@mizzen/xds';
import type { FilterScope } from '../../filter/scope.ts';
import type { CompileContext } from '../../program/context.ts';
import type { LogSource } from '../../program/types.ts';
import { grpcStatusOf, isGrpc } from '../../telemetry/access-log-grpc.ts';
import type { HttpFilter, HttpStream } from '../../types.ts';
import { MessageMeter } from './messages.ts';
import { StatsRecorder } from './recorder.ts';
import type { Series } from './series.ts';
import { leadsBack } from './tunnel.ts';

const NONE: readonly string[] = [];

/** Istio's metrics of requests. Undefined: nobody keeps statistics. */
export function httpStatsFilter(
  context: CompileContext,
  config: types.istioStats.PluginConfig,
  scope: FilterScope,
): HttpFilter | undefined {
  const { tagged, clock } = context.deps;
  if (tagged === undefined) return undefined;
  const recorder = new StatsRecorder(context, config, tagged);
  const { overrides } = recorder;
  const meters = new WeakMap<HttpStream, MessageMeter>();
  return {
    name: scope.name,
    onRequest(stream) {
      if (isGrpc(stream.request.headers.get('content-type')))
        meters.set(stream, new MessageMeter(recorder, clock, stream));
      return undefined;
    },
    onLog(stream) {
      const source: LogSource = stream;
      const { info } = stream;
      if (info.upstreamTarget !== undefined && leadsBack(info.upstreamTarget.cluster)) return;
      const grpc = isGrpc(stream.request.headers.get('content-type'));
      if (grpc) meters.get(stream)?.end();
      const status = grpc ? String(grpcStatusOf(source) ?? '') : '';
      const values = overrides === undefined ? NONE : overrides.evaluate(source);
      const series = recorder.find(source, grpc ? 'grpc' : 'http', status, values);
      const duration = info.responseEndTime - info.startTime;
      const milliseconds = Math.max(0, Math.trunc(duration));
      series.request(milliseconds, info.wireBytesReceived ?? 0, info.wireBytesSent ?? 0);
      const span = stream.tracing?.sampled;
      if (span !== undefined) {
        const { traceId, spanId } = span;
        const wall = info.startWall + duration;
        series.exemplify('request_duration_milliseconds', { value: milliseconds, traceId, spanId, wall });
      }
      if (overrides !== undefined) recordCustom(overrides, series, values);
    },
  };
}

export function recordCustom(
  overrides: NonNullable<StatsRecorder['overrides']>,
  series: Series,
  values: readonly string[],
): void {
  for (const metric of overrides.custom) {
    const text = values[metric.amount]!;
    series.recordCustom(metric, /^\d+$/.test(text) ? Number(text) : 0);
  }
}

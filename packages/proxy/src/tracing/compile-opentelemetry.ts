import type { types } from '@mizzen/xds';
import { compileGrpcMethod } from '../filter/grpc-service.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { batchOf, httpServiceCall } from './collector.ts';
import { OpenTelemetryTracer, type OpenTelemetrySettings } from './opentelemetry.ts';
import { otlpBytes } from './otlp-bytes.ts';
import { otlpJson, type OtlpSource } from './otlp-json.ts';
import { compileResource, SDK } from './resource.ts';
import { compileSampler } from './samplers.ts';

const SERVICE = 'opentelemetry.proto.collector.trace.v1';
const REQUEST = `${SERVICE}.ExportTraceServiceRequest`;
/** Of gRPC calls, milliseconds. */
const GRPC_TIMEOUT = 250;

export function compileOpenTelemetry(
  context: CompileContext,
  config: types.traceConfig.OpenTelemetryConfig,
  path: Path,
): OpenTelemetryTracer {
  const { deps } = context;
  if (config.grpcService !== undefined && config.httpService !== undefined)
    context.refuse(path, 'must have `grpcService` or `httpService`, and not both');
  deps.counter('tracing.opentelemetry.timer_flushed');
  deps.counter('tracing.opentelemetry.spans_dropped');
  return new OpenTelemetryTracer(
    {
      sampler: compileSampler(context, config.sampler, [...path, 'sampler']),
      batch: batchOf(context, 'opentelemetry'),
      spansSent: deps.counter('tracing.opentelemetry.spans_sent'),
      send: compileExport(context, config, path, {
        resource: compileResource(context, config, path),
        scope: { name: SDK.name, version: SDK.version },
      }),
    },
    deps,
  );
}

/** How spans leave: what fails is not sent again, as in Envoy. */
function compileExport(
  context: CompileContext,
  config: types.traceConfig.OpenTelemetryConfig,
  path: Path,
  source: OtlpSource,
): OpenTelemetrySettings['send'] {
  if (config.httpService !== undefined) {
    const { calls } = context.deps;
    const own = [
      'content-type',
      'application/x-protobuf',
      'user-agent',
      `OTel-OTLP-Exporter-${SDK.name}/${SDK.version}`,
    ];
    const call = httpServiceCall(context, config.httpService, own, [...path, 'httpService']);
    // Not within the request whose span was the last to come.
    return (spans) =>
      void Promise.resolve()
        .then(() => calls.http({ ...call(), body: otlpBytes(source, spans) }).answer)
        .catch(() => undefined);
  }
  if (config.grpcService === undefined) return () => undefined;
  const method = compileGrpcMethod(
    context,
    config.grpcService,
    {
      name: `${SERVICE}.TraceService/Export`,
      requestType: REQUEST,
      answerType: `${SERVICE}.ExportTraceServiceResponse`,
    },
    GRPC_TIMEOUT,
    [...path, 'grpcService'],
  );
  return (spans) => void method.call(otlpJson(source, spans)).answer.catch(() => undefined);
}

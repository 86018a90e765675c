import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import { unwire } from '../program/values.ts';
import { text } from '../telemetry/access-log-text.ts';
import { compileOpenTelemetry } from './compile-opentelemetry.ts';
import { compileDatadog } from './compile-datadog.ts';
import { compileZipkin } from './compile-zipkin.ts';
import type { Operation, RouteDecorator, RouteTracing, TracingProgram } from './program.ts';
import { samplingOf, shareOf, shareOfPercent } from './sampling.ts';
import type { Tracer } from './span.ts';
import { compileCustomTags } from './tags.ts';

const MAX_PATH = 256;

export function compileTracing(
  context: CompileContext,
  hcm: types.hcm.HttpConnectionManager,
  path: Path,
  byRequestId: { readonly packs: boolean; readonly samples: boolean },
): TracingProgram | undefined {
  const { tracing } = hcm;
  if (tracing === undefined) return undefined;
  const at = [...path, 'tracing'];
  const { deps } = context;
  return {
    outbound: context.direction === 'OUTBOUND',
    sampling: samplingOf(deps.runtime, {
      client: shareOfPercent(tracing.clientSampling),
      random: shareOfPercent(tracing.randomSampling),
      overall: shareOfPercent(tracing.overallSampling),
    }),
    byRequestId: byRequestId.samples,
    packsReason: byRequestId.packs,
    verbose: tracing.verbose === true,
    maxPathLength: tracing.maxPathTagLength ?? MAX_PATH,
    tags: compileCustomTags(context, tracing.customTags, [...at, 'customTags']),
    spawnsUpstreamSpan: tracing.spawnUpstreamSpan === true,
    keepsContext: tracing.noContextPropagation === true,
    operation: operationOf(context, tracing.operation, [...at, 'operation']),
    upstreamOperation: operationOf(context, tracing.upstreamOperation, [...at, 'upstreamOperation']),
    tracer: tracerOf(context, tracing.provider ?? deps.bootstrapTracing, [...at, 'provider', 'typedConfig']),
    nodeId: deps.nodeId ?? '',
    zone: deps.zone ?? '',
  };
}

export function compileRouteTracing(
  context: CompileContext,
  tracing: types.route.Tracing | undefined,
  path: Path,
): RouteTracing | undefined {
  if (tracing === undefined) return undefined;
  const all = { numerator: 100, denominator: 100 };
  return {
    sampling: samplingOf(context.deps.runtime, {
      client: shareOf(tracing.clientSampling, all),
      random: shareOf(tracing.randomSampling, all),
      overall: shareOf(tracing.overallSampling, all),
    }),
    tags: compileCustomTags(context, tracing.customTags, [...path, 'customTags']),
    operation: operationOf(context, tracing.operation, [...path, 'operation']),
    upstreamOperation: operationOf(context, tracing.upstreamOperation, [...path, 'upstreamOperation']),
  };
}

export function compileDecorator(
  context: CompileContext,
  decorator: types.route.Decorator | undefined,
  path: Path,
): RouteDecorator | undefined {
  if (decorator === undefined) return undefined;
  const { operation = '', propagate = true } = decorator;
  if (operation === '') context.refuse([...path, 'operation'], 'must not be empty');
  return { operation, propagate };
}

function operationOf(context: CompileContext, format: string | undefined, path: Path): Operation | undefined {
  if (format === undefined || format === '') return undefined;
  const made = text(context, format, '', path);
  return (source) => unwire(made(source));
}

/** Connection managers with the same provider share what sends their spans. */
const tracers = new WeakMap<object, Map<string, Tracer>>();

export function tracerOf(
  context: CompileContext,
  provider: types.traceConfig.Tracing_Http | undefined,
  path: Path,
): Tracer | undefined {
  if (provider === undefined) return undefined;
  const config = provider.typedConfig;
  if (config === undefined) {
    context.refuse(path, 'must be there');
    return undefined;
  }
  const { calls } = context.deps;
  let known = tracers.get(calls);
  if (known === undefined) tracers.set(calls, (known = new Map()));
  const key = JSON.stringify(config);
  let tracer = known.get(key);
  if (tracer !== undefined) return tracer;
  const before = context.nacks.length;
  tracer = compileProvider(context, config, path);
  if (tracer !== undefined && context.nacks.length === before) known.set(key, tracer);
  return tracer;
}

function compileProvider(
  context: CompileContext,
  config: { readonly '@type': string },
  path: Path,
): Tracer | undefined {
  const type = messageOf(config['@type']);
  switch (type) {
    case 'envoy.config.trace.v3.ZipkinConfig':
      return compileZipkin(context, config as types.traceConfig.ZipkinConfig, path);
    case 'envoy.config.trace.v3.DatadogConfig':
      return compileDatadog(context, config as types.traceConfig.DatadogConfig, path);
    case 'envoy.config.trace.v3.OpenTelemetryConfig':
      return compileOpenTelemetry(context, config as types.traceConfig.OpenTelemetryConfig, path);
    default:
      // A type that no table knows has been refused where it stands.
      if (context.nacks.length === 0) context.refuse(path, `\`${type}\` is not a tracer that is supported`);
      return undefined;
  }
}

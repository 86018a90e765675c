import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpCall } from '../program/types.ts';
import { liveInteger } from '../runtime/live.ts';
import { batchOf, httpServiceCall, splitUri } from './collector.ts';
import { ZipkinTracer } from './zipkin.ts';

/** Milliseconds. */
const TIMEOUT = 5000;
const JSON_TYPE = 'application/json';

export function compileZipkin(
  context: CompileContext,
  config: types.traceConfig.ZipkinConfig,
  path: Path,
): ZipkinTracer {
  const { deps } = context;
  const version = config.collectorEndpointVersion ?? 'DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE';
  if (version !== 'HTTP_JSON')
    context.refuse([...path, 'collectorEndpointVersion'], 'must be `HTTP_JSON`: spans go as JSON');
  const counter = (name: string): ReturnType<typeof deps.counter> => deps.counter(`tracing.zipkin.${name}`);
  deps.counter('tracing.zipkin.timer_flushed');
  return new ZipkinTracer(
    {
      call: callOf(context, config, path),
      wideTraceIds: config.traceId128bit === true,
      sharesSpans: config.sharedSpanContext ?? true,
      splits: config.splitSpansForRequest === true,
      withW3c: config.traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION',
      serviceName: deps.serviceCluster ?? '',
      address: deps.outerAddress ?? '127.0.0.1',
      batch: batchOf(context, 'zipkin'),
      counters: {
        spans_sent: counter('spans_sent'),
        reports_sent: counter('reports_sent'),
        reports_dropped: counter('reports_dropped'),
        reports_failed: counter('reports_failed'),
        reports_skipped_no_cluster: counter('reports_skipped_no_cluster'),
      },
    },
    {
      clock: deps.clock,
      random: deps.random,
      calls: deps.calls,
      hasCluster: (name) => deps.hasCluster?.(name) !== false,
    },
  );
}

function callOf(
  context: CompileContext,
  config: types.traceConfig.ZipkinConfig,
  path: Path,
): () => Omit<HttpCall, 'body'> {
  const timeout = liveInteger(context.deps.runtime, 'tracing.zipkin.request_timeout', TIMEOUT);
  const headers = ['content-type', JSON_TYPE];
  if (config.collectorService !== undefined) {
    const { uri = '', cluster = '' } = config.collectorService.httpUri ?? {};
    // Without a scheme it is a path.
    const place = uri.includes('://') ? splitUri(uri) : { path: uri, authority: cluster };
    const call = httpServiceCall(context, config.collectorService, headers, [...path, 'collectorService'], place);
    return () => ({ ...call(), timeout: timeout.value });
  }
  const { collectorCluster: cluster = '', collectorEndpoint: target = '', collectorHostname: host = '' } = config;
  if (cluster === '') context.refuse([...path, 'collectorCluster'], 'must not be empty');
  if (target === '') context.refuse([...path, 'collectorEndpoint'], 'must not be empty');
  const authority = host === '' ? cluster : host;
  const forwardedFor = context.deps.outerAddress;
  const call = { cluster, method: 'POST', path: target, authority, headers, chunked: true, forwardedFor };
  return () => ({ ...call, timeout: timeout.value });
}

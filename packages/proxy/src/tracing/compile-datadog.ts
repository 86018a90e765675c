import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { DatadogTracer } from './datadog/tracer.ts';
import { SDK } from './resource.ts';

/** Milliseconds: of the library that Envoy has. */
const TIMEOUT = 2000;

export function compileDatadog(
  context: CompileContext,
  { collectorCluster: cluster = '', collectorHostname = '', serviceName = '' }: types.traceConfig.DatadogConfig,
  path: Path,
): DatadogTracer {
  const { deps } = context;
  if (cluster === '') context.refuse([...path, 'collectorCluster'], 'must not be empty');
  const env = (name: string): string | undefined => deps.env(name) || undefined;
  const environment = env('DD_ENV') ?? '';
  const counter = (name: string): ReturnType<typeof deps.counter> => deps.counter(`tracing.datadog.${name}`);
  return new DatadogTracer(
    {
      call: {
        cluster,
        method: 'POST',
        path: '/v0.4/traces',
        authority: collectorHostname === '' ? cluster : collectorHostname,
        headers: [
          'content-type',
          'application/msgpack',
          'datadog-meta-lang',
          SDK.language,
          'datadog-meta-lang-version',
          process.versions.node,
          'datadog-meta-tracer-version',
          SDK.version,
        ],
        timeout: TIMEOUT,
      },
      defaults: {
        service: env('DD_SERVICE') ?? (serviceName === '' ? 'envoy' : serviceName),
        environment,
        tags: [
          ['version', env('DD_VERSION') ?? `${SDK.name} ${SDK.version}`],
          ...(environment === '' ? [] : [['env', environment] as const]),
          ['language', SDK.language],
          ['runtime-id', deps.random.uuid()],
        ],
        processId: process.pid,
      },
      counters: {
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

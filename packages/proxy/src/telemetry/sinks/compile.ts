import { isIP } from 'node:net';
import type { types } from '@mizzen/xds';
import { compileAddress } from '../../program/address.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import type { MetricsServiceProgram, SinkProgram, StatsdProgram } from './types.ts';
import { compileMetadata } from '../../program/grpc-metadata.ts';

const METRICS = 'envoy.config.metrics.v3';
const PREFIX = 'envoy';

/** Sinks of a bootstrap, in their order; `clusters` are those that are there from the start. */
export function compileSinks(
  context: CompileContext,
  sinks: readonly types.metrics.StatsSink[] | undefined,
  clusters: ReadonlySet<string>,
  node: types.core.Node,
): readonly SinkProgram[] {
  return (sinks ?? []).flatMap(({ typedConfig }, i) => {
    const path = ['statsSinks', i, 'typedConfig'];
    if (typedConfig === undefined) {
      context.refuse(path, 'must be there');
      return [];
    }
    switch (messageOf(typedConfig['@type'])) {
      case `${METRICS}.StatsdSink`:
        return statsd(context, typedConfig as types.metrics.StatsdSink, path, clusters, node) ?? [];
      case `${METRICS}.DogStatsdSink`:
        return dogStatsd(context, typedConfig as types.metrics.DogStatsdSink, path) ?? [];
      case `${METRICS}.MetricsServiceConfig`:
        return metricsService(context, typedConfig as types.metrics.MetricsServiceConfig, path, clusters);
      default:
        // A type that no table knows has been refused where it stands.
        return [];
    }
  });
}

function statsd(
  context: CompileContext,
  { address, tcpClusterName = '', prefix = '' }: types.metrics.StatsdSink,
  path: Path,
  clusters: ReadonlySet<string>,
  node: types.core.Node,
): StatsdProgram | undefined {
  const common = { kind: 'statsd', prefix: prefix === '' ? PREFIX : prefix, tagged: false, datagram: 0 } as const;
  if (address !== undefined) {
    const to = udp(context, address, [...path, 'address']);
    return to && { ...common, to };
  }
  // That one of both is there is a rule of the message.
  if (tcpClusterName !== '' && !clusters.has(tcpClusterName))
    context.refuse([...path, 'tcpClusterName'], `there is no static cluster \`${tcpClusterName}\``);
  if ((node.id ?? '') === '' || (node.cluster ?? '') === '')
    context.refuse([...path, 'tcpClusterName'], '`id` and `cluster` of the node are required');
  return { ...common, to: { cluster: tcpClusterName } };
}

function dogStatsd(
  context: CompileContext,
  { address, prefix = '', maxBytesPerDatagram }: types.metrics.DogStatsdSink,
  path: Path,
): StatsdProgram | undefined {
  const datagram = Number(maxBytesPerDatagram ?? 0);
  const to = udp(context, address, [...path, 'address']);
  return to && { kind: 'statsd', to, prefix: prefix === '' ? PREFIX : prefix, tagged: true, datagram };
}

function metricsService(
  context: CompileContext,
  config: types.metrics.MetricsServiceConfig,
  path: Path,
  clusters: ReadonlySet<string>,
): MetricsServiceProgram {
  const { envoyGrpc, initialMetadata, retryPolicy } = config.grpcService ?? {};
  const { histogramEmitMode = 'SUMMARY_AND_HISTOGRAM' } = config;
  const at = [...path, 'grpcService'];
  const cluster = envoyGrpc?.clusterName ?? '';
  const name = [...at, 'envoyGrpc', 'clusterName'];
  if (cluster === '') context.refuse(name, 'must not be empty');
  else if (!clusters.has(cluster)) context.refuse(name, `there is no static cluster \`${cluster}\``);
  if (retryPolicy !== undefined) context.refuse([...at, 'retryPolicy'], 'streams of metrics are not tried again');
  if (envoyGrpc?.retryPolicy !== undefined)
    context.refuse([...at, 'envoyGrpc', 'retryPolicy'], 'streams of metrics are not tried again');
  return {
    kind: 'metrics_service',
    service: {
      cluster,
      authority: envoyGrpc?.authority ?? '',
      metadata: compileMetadata(context, initialMetadata, at)(),
      skipEnvoyHeaders: envoyGrpc?.skipEnvoyHeaders === true,
    },
    deltas: config.reportCountersAsDeltas === true,
    tagged: config.emitTagsAsLabels === true,
    summaries: histogramEmitMode !== 'HISTOGRAM',
    histograms: histogramEmitMode !== 'SUMMARY',
    batch: config.batchSize ?? 0,
  };
}

function udp(
  context: CompileContext,
  address: types.core.Address | undefined,
  path: Path,
): { readonly host: string; readonly port: number } | undefined {
  const at = compileAddress(context, address, path, true);
  if (at === undefined) return undefined;
  if (at.kind !== 'socket') {
    const field = at.kind === 'pipe' ? 'pipe' : 'envoyInternalAddress';
    context.refuse([...path, field], 'statistics go over UDP: `socketAddress` is what says where');
    return undefined;
  }
  if (at.address !== '' && isIP(at.address) === 0)
    context.refuse([...path, 'socketAddress', 'address'], `\`${at.address}\` is not an IP address`);
  return { host: at.address, port: at.port };
}

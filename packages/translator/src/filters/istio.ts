import { duration } from '../duration.ts';
import { TYPE_PREFIX, type types } from '@mizzen/xds';
import { hasIstioFilters } from '../context.ts';
import type { Build, ListenerClass } from '../listener/build.ts';
import { proxyHeaders } from './proxy-config.ts';
import { defined, extension, typedStruct } from './typed.ts';

/** Filters that only Istio's build of Envoy has, and in part Mizzen's own proxy. Left out for every other proxy. */

type HttpFilter = types.hcm.HttpFilter;
type Filter = types.listener.Filter;

const discovery = [{ istio_headers: {} }, { workload_discovery: {} }];
const propagation = [{ istio_headers: {} }];
const propagationInMesh = [{ istio_headers: { skip_external_clusters: true } }];

/** Says who the peer is, by headers; first of all, because policies and metrics may want to know. */
export function httpMetadataExchange({ context }: Build, listener: ListenerClass): HttpFilter {
  const inMesh = proxyHeaders(context).metadataExchangeHeaders?.mode === 'IN_MESH';
  return typedStruct(
    'istio.metadata_exchange',
    'io.istio.http.peer_metadata.Config',
    listener === 'inbound'
      ? { downstream_discovery: discovery, downstream_propagation: propagation }
      : { upstream_discovery: discovery, upstream_propagation: inMesh ? propagationInMesh : propagation },
  );
}

/** The same for connections: the first bytes after the TLS handshake, agreed on by ALPN. */
export const TCP_METADATA_EXCHANGE: Filter = typedStruct(
  'istio.metadata_exchange',
  'envoy.tcp.metadataexchange.config.MetadataExchange',
  { enable_discovery: true, protocol: 'istio-peer-exchange' },
);

/** Offers Istio's own ALPN names upstream, by which the peer's sidecar chooses the chain for mutual TLS. */
export const ALPN: HttpFilter = extension('istio.alpn', 'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig', {
  alpnOverride: [
    { alpnOverride: ['istio-http/1.0', 'istio', 'http/1.0'] },
    { upstreamProtocol: 'HTTP11', alpnOverride: ['istio-http/1.1', 'istio', 'http/1.1'] },
    { upstreamProtocol: 'HTTP2', alpnOverride: ['istio-h2', 'istio', 'h2'] },
  ],
});

/** Istio's metrics, for HTTP and for TCP alike; nothing when no provider wants them. */
export function statsFilters(
  build: Build,
  listener: ListenerClass,
): readonly { name: string; typedConfig: types.listener.Filter['typedConfig'] }[] {
  const config = hasIstioFilters(build.context) ? statsConfig(build, listener) : undefined;
  return config === undefined
    ? []
    : [{ name: 'istio.stats', typedConfig: { '@type': `${TYPE_PREFIX}stats.PluginConfig`, ...config } }];
}

/** How they are to be counted; undefined when no provider wants them. */
export function statsConfig(build: Build, listener: ListenerClass): types.istioStats.PluginConfig | undefined {
  const choice = build.telemetry.metrics(listener);
  if (choice === undefined) return undefined;
  const { reportingInterval } = choice;
  const metrics = choice.overrides.map(({ name, disabled, dimensions, tagsToRemove }) => ({
    name,
    ...(disabled ? { drop: true } : {}),
    ...(Object.keys(dimensions).length > 0 ? { dimensions } : {}),
    ...(tagsToRemove.length > 0 ? { tagsToRemove } : {}),
  }));
  return defined({
    ...(listener === 'outbound' ? {} : { disableHostHeaderFallback: true }),
    tcpReportingDuration: duration(reportingInterval),
    ...(metrics.length > 0 ? { metrics } : {}),
  });
}

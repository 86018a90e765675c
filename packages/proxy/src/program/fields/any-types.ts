/**
 * Types that only Istio's build of Envoy has, accepted wherever a filter may stand and left out of the program: they
 * make telemetry or exchange labels, and decide nothing.
 */
export const noEffectTypes: Readonly<Record<string, string>> = {
  'stats.PluginConfig': 'Istio’s statistics; Mizzen keeps its own',
  'istio.workload.BootstrapExtension': 'workloads are known from what the control plane says of endpoints',
  'envoy.tcp.metadataexchange.config.MetadataExchange': 'exchanges workload labels for telemetry',
  'io.istio.http.peer_metadata.Config': 'exchanges workload labels for telemetry',
  'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig': 'gRPC statistics are not kept',
};

import type { types } from '@mizzen/xds';

/** Istio's Envoy exchanges workload metadata with its peer when mutual TLS was agreed on through ALPN. */
export const metadataExchange: readonly types.cluster.Filter[] = [
  {
    name: 'istio.metadata_exchange',
    typedConfig: {
      '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
      typeUrl: 'type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange',
      value: { enable_discovery: true, protocol: 'istio-peer-exchange' },
    },
  },
];

import type { ServicePort } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { keepsMetrics, type TranslationContext } from '../context.ts';
import { isHttp } from '../names.ts';

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

/**
 * Mizzen's own proxy exchanges metadata over connections only where they carry no requests: those go with what
 * `istio.alpn` would have made of them.
 */
export function exchangesPeers({ proxy }: TranslationContext, port: Pick<ServicePort, 'protocol'>): boolean {
  return keepsMetrics(proxy) && !isHttp(port.protocol);
}

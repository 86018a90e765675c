import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const PEER = 'io.istio.http.peer_metadata.Config';

/** Filters that only Istio's build of Envoy has. */
export const istioFields: FieldTable = {
  [PEER]: {
    implemented: `downstreamDiscovery upstreamDiscovery downstreamPropagation upstreamPropagation sharedWithUpstream
      additionalLabels`,
  },
  [`${PEER}.DiscoveryMethod`]: {
    implemented: 'istioHeaders',
    noEffect: {
      'workloads are not looked up by address, as in a proxy whose metadata discovery is off': 'workloadDiscovery',
    },
    refused: { [NOT_SUPPORTED]: 'baggage upstreamFilterState' },
  },
  [`${PEER}.PropagationMethod`]: { implemented: 'istioHeaders', refused: { [NOT_SUPPORTED]: 'baggage' } },
  [`${PEER}.IstioHeaders`]: { implemented: 'skipExternalClusters' },
  'envoy.tcp.metadataexchange.config.MetadataExchange': {
    implemented: 'protocol additionalLabels',
    noEffect: {
      'workloads are not looked up by address, as in a proxy whose metadata discovery is off': 'enableDiscovery',
    },
  },
  'stats.PluginConfig': {
    implemented: `disableHostHeaderFallback tcpReportingDuration metrics definitions reporter rotationInterval
      gracefulDeletionInterval`,
    noEffect: {
      'Istio’s proxy does not look at it any more': 'debug maxPeerCacheSize statPrefix fieldSeparator valueSeparator',
    },
  },
  'stats.MetricConfig': {
    implemented: 'dimensions name tagsToRemove drop',
    noEffect: { 'Istio’s proxy does not look at it': 'match' },
  },
  'stats.MetricDefinition': { implemented: 'name value type' },
};

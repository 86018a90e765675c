import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const CORE = 'envoy.config.core.v3';
const REST = 'there are no REST sources';
const VERSION = { V2: 'version 2 of the API is gone', AUTO: 'must be V3' };

/** Where resources come from: ADS, a management server for one type, or files. */
export const configSourceFields: FieldTable = {
  [`${CORE}.ConfigSource`]: {
    implemented: 'ads apiConfigSource path pathConfigSource initialFetchTimeout resourceApiVersion',
    refused: { [NOT_SUPPORTED]: 'self authorities' },
    values: { resourceApiVersion: { V2: VERSION.V2 } },
  },
  [`${CORE}.AggregatedConfigSource`]: {},
  [`${CORE}.ExtensionConfigSource`]: {
    implemented: 'configSource defaultConfig applyDefaultConfigWithoutWarming typeUrls',
  },
  [`${CORE}.ApiConfigSource`]: {
    implemented: 'apiType transportApiVersion grpcServices setNodeOnFirstMessageOnly',
    noEffect: { [REST]: 'refreshDelay requestTimeout', 'requests are few: they are not limited': 'rateLimitSettings' },
    refused: { [REST]: 'clusterNames', [NOT_SUPPORTED]: 'configValidators' },
    values: {
      apiType: {
        DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE: NOT_SUPPORTED,
        REST,
        AGGREGATED_GRPC: NOT_SUPPORTED,
        AGGREGATED_DELTA_GRPC: NOT_SUPPORTED,
      },
      transportApiVersion: VERSION,
    },
  },
  [`${CORE}.PathConfigSource`]: { implemented: 'path watchedDirectory', refused: { [NOT_SUPPORTED]: 'pollInterval' } },
  [`${CORE}.WatchedDirectory`]: { implemented: 'path', refused: { [NOT_SUPPORTED]: 'watchModify' } },
  [`${CORE}.GrpcService`]: {
    implemented: 'envoyGrpc initialMetadata timeout',
    noEffect: {
      'streams are opened again as `envoyGrpc.retryPolicy` says, which is not for what filters ask; those are refused with one':
        'retryPolicy',
    },
    refused: { [NOT_SUPPORTED]: 'googleGrpc' },
  },
  [`${CORE}.GrpcService.EnvoyGrpc`]: {
    implemented: 'clusterName authority retryPolicy maxReceiveMessageLength skipEnvoyHeaders',
  },
  [`${CORE}.BackoffStrategy`]: { implemented: 'baseInterval maxInterval' },
};

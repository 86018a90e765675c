import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const BOOTSTRAP = 'envoy.config.bootstrap.v3';
const METRICS = 'envoy.config.metrics.v3';
const OWN_PROCESS = 'is about threads, memory and crashes of a process in C++';
const NO_MICROSECONDS = 'histograms of times are in milliseconds';
const ITSELF = 'the proxy says itself what it is';

/** The file a proxy is started with. */
export const bootstrapFields: FieldTable = {
  [`${BOOTSTRAP}.Bootstrap`]: {
    implemented: `node staticResources dynamicResources clusterManager statsConfig admin layeredRuntime
      bootstrapExtensions tracing dnsResolutionConfig typedDnsResolverConfig statsFlushInterval statsFlushOnAdmin statsSinks`,
    noEffect: {
      [OWN_PROCESS]: `watchdog watchdogs enableDispatcherStats fatalActions memoryAllocatorManager perfTracingFilePath
        defaultSocketInterface grpcAsyncClientManagerConfig enableWorkerCpuAffinity`,
      'statistics are made when they are needed and stay': 'deferredStatOptions statsEvictionInterval',
      'but for the monitor of downstream connections: memory and the rest are limited by the operating system':
        'overloadManager',
      'regular expressions are RE2’s': 'defaultRegexEngine',
      'servers decide over what they are asked again': 'useTcpForDnsLookups',
      'messages have the form of `--log-format`': 'applicationLogConfig',
      'headers are found by name': 'inlineHeaders',
    },
    refused: {
      [NOT_SUPPORTED]: `nodeContextParams hdsConfig flagsPath headerPrefix statsServerVersionOverride configSources
        defaultConfigSource certificateProviderInstances xdsDelegateExtension xdsConfigTrackerExtension listenerManager`,
    },
  },
  [`${BOOTSTRAP}.Bootstrap.StaticResources`]: { implemented: 'listeners clusters secrets' },
  [`${BOOTSTRAP}.Bootstrap.DynamicResources`]: {
    implemented: 'ldsConfig cdsConfig adsConfig',
    refused: { [NOT_SUPPORTED]: 'ldsResourcesLocator cdsResourcesLocator' },
  },
  [`${BOOTSTRAP}.LayeredRuntime`]: { implemented: 'layers' },
  [`${BOOTSTRAP}.RuntimeLayer`]: {
    implemented: 'name staticLayer diskLayer adminLayer rtdsLayer',
  },
  [`${BOOTSTRAP}.RuntimeLayer.DiskLayer`]: { implemented: 'symlinkRoot subdirectory appendServiceCluster' },
  [`${BOOTSTRAP}.RuntimeLayer.AdminLayer`]: {},
  [`${BOOTSTRAP}.RuntimeLayer.RtdsLayer`]: { implemented: 'name rtdsConfig' },
  'envoy.service.runtime.v3.Runtime': { implemented: 'name layer' },
  'envoy.extensions.bootstrap.internal_listener.v3.InternalListener': {
    noEffect: { 'connections to internal listeners are not buffered': 'bufferSizeKb' },
  },
  [`${BOOTSTRAP}.ClusterManager.OutlierDetection`]: {
    implemented: 'eventLogPath',
    noEffect: { 'Envoy does not read it either': 'eventService' },
  },
  [`${BOOTSTRAP}.ClusterManager`]: {
    implemented: 'outlierDetection localClusterName upstreamBindConfig loadStatsConfig',
    noEffect: {
      'clusters are made when they are needed': 'enableDeferredClusterCreation',
    },
  },
  [`${BOOTSTRAP}.Admin`]: {
    implemented: 'address allowPaths accessLog accessLogPath',
    noEffect: {
      'profiles are Node’s: `node --prof`': 'profilePath',
      'there is no such limit': 'ignoreGlobalConnLimit',
    },
    refused: { [NOT_SUPPORTED]: 'socketOptions' },
  },
  'envoy.config.core.v3.Node': {
    implemented: 'id cluster metadata locality',
    noEffect: {
      [ITSELF]: 'userAgentName userAgentVersion userAgentBuildVersion extensions clientFeatures listeningAddresses',
    },
    refused: { [NOT_SUPPORTED]: 'dynamicParameters' },
  },
  [`${METRICS}.StatsSink`]: { implemented: 'name typedConfig' },
  [`${METRICS}.StatsdSink`]: {
    implemented: 'address tcpClusterName prefix',
    noEffect: { [NO_MICROSECONDS]: 'scaleHistogramUnitsToMilliseconds' },
  },
  [`${METRICS}.DogStatsdSink`]: {
    implemented: 'address prefix maxBytesPerDatagram',
    noEffect: { [NO_MICROSECONDS]: 'scaleHistogramUnitsToMilliseconds' },
  },
  [`${METRICS}.MetricsServiceConfig`]: {
    implemented: `grpcService transportApiVersion reportCountersAsDeltas emitTagsAsLabels histogramEmitMode batchSize`,
    values: { transportApiVersion: { V2: 'services speak version 3' } },
  },
  [`${METRICS}.StatsConfig`]: {
    implemented: 'statsTags useAllDefaultTags statsMatcher histogramBucketSettings',
    refused: { [NOT_SUPPORTED]: 'allowDefaultTagOverrides' },
  },
  [`${METRICS}.HistogramBucketSettings`]: {
    implemented: 'match buckets',
    noEffect: { 'native histograms of Prometheus are not offered': 'bins' },
  },
  [`${METRICS}.TagSpecifier`]: { implemented: 'tagName regex fixedValue' },
  [`${METRICS}.StatsMatcher`]: { implemented: 'rejectAll exclusionList inclusionList' },
};

import { TypeUrl, type types } from '@mizzen/xds';
import { compileKeepalive } from '../../keepalive.ts';
import { livePercentage } from '../../runtime/live.ts';
import { CompileContext } from '../context.ts';
import { noEffectTypes } from '../fields/index.ts';
import { messageOf, readResource } from '../read-resource.ts';
import { compileUpstreamTransport, negotiates, transportSecrets } from '../transport.ts';
import type {
  AddressOrder,
  ClusterProgram,
  Compiled,
  CompileDeps,
  EndpointsProgram,
  OriginalDstProgram,
  UpstreamHttpProgram,
  UpstreamTransportProgram,
} from '../types.ts';
import { asciiLower, milliseconds, percent } from '../values.ts';
import { compileAssignment, withCopies } from '../endpoints.ts';
import { compileBind } from './bind.ts';
import { compileThresholds, perHostConnections } from './circuit-breakers.ts';
import { compileDns, dnsConfig, DNS_NAME } from './dns.ts';
import { compileHealthChecks } from './health-check.ts';
import { compileUpstreamHttp, HTTP_OPTIONS, isAutomatic, mayUseHttp2 } from './http.ts';
import { compileLb } from './lb.ts';
import { compilePolicy } from './lb-policy.ts';
import { compileOutlier } from './outlier.ts';

/** Kinds that need no configuration of their own. */
const BY_NAME: Readonly<Record<string, ClusterProgram['type']>> = {
  'envoy.cluster.static': 'STATIC',
  'envoy.cluster.strict_dns': 'STRICT_DNS',
  'envoy.cluster.logical_dns': 'LOGICAL_DNS',
  [DNS_NAME]: 'STRICT_DNS',
  'envoy.cluster.original_dst': 'ORIGINAL_DST',
};
const DNS = 'envoy.extensions.clusters.dns.v3.DnsCluster';
const AGGREGATE = 'envoy.extensions.clusters.aggregate.v3.ClusterConfig';
const AGGREGATED_AT = ['clusterType', 'typedConfig', 'clusters'] as const;
const DYNAMIC_FORWARD_PROXY = 'envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig';

/** Clusters that know themselves which host to take. */
const PROVIDERS: ReadonlySet<ClusterProgram['type']> = new Set(['ORIGINAL_DST', 'AGGREGATE', 'DYNAMIC_FORWARD_PROXY']);

/** Compiles a CDS resource. Pure: nothing outside `deps` is touched. */
export function compileCluster(resource: unknown, deps: CompileDeps): Compiled<ClusterProgram> {
  const read = readResource(TypeUrl.cluster, resource);
  if (read.nacks.length > 0) return { nacks: read.nacks };
  const cluster = read.resource as types.cluster.Cluster;
  const context = new CompileContext(TypeUrl.cluster, cluster.name ?? '', deps);
  const program = compileRead(context, cluster);
  return context.nacks.length > 0 ? { nacks: context.nacks } : { program };
}

function compileRead(context: CompileContext, cluster: types.cluster.Cluster): ClusterProgram {
  const { name = '', commonLbConfig: common, upstreamConnectionOptions: connection } = cluster;
  if (name === '') context.refuse(['name'], 'must not be empty');
  const type = clusterType(context, cluster);
  // Whether or not anything is hashed.
  if (type !== 'STRICT_DNS' && cluster.commonLbConfig?.consistentHashingLbConfig?.useHostnameForHashing === true)
    context.refuse(
      ['commonLbConfig', 'consistentHashingLbConfig', 'useHostnameForHashing'],
      'goes with clusters of type `STRICT_DNS` alone',
    );
  const http = compileUpstreamHttp(context, cluster, type === 'DYNAMIC_FORWARD_PROXY');
  if (
    type === 'DYNAMIC_FORWARD_PROXY' &&
    !(http.autoSni && http.autoSanValidation) &&
    cluster.clusterType?.typedConfig?.['allowInsecureClusterOptions'] !== true
  )
    context.refuse(
      ['clusterType', 'typedConfig', 'allowInsecureClusterOptions'],
      'must be set where `upstreamHttpProtocolOptions` lack `autoSni` or `autoSanValidation`',
    );
  const transport = withAlpn(compileUpstreamTransport(context, cluster.transportSocket, ['transportSocket']), http);
  const transportMatches = (cluster.transportSocketMatches ?? []).map((match, i) => ({
    name: match.name ?? '',
    match: match.match ?? {},
    transport: compileUpstreamTransport(context, match.transportSocket ?? {}, [
      'transportSocketMatches',
      i,
      'transportSocket',
    ]),
  }));
  if (isAutomatic(cluster) && ![transport, ...transportMatches.map((match) => match.transport)].every(negotiates))
    context.refuse(
      ['typedExtensionProtocolOptions', HTTP_OPTIONS, 'autoConfig'],
      'wants TLS to every host: the protocol is agreed on there',
    );
  const balancing =
    cluster.loadBalancingPolicy === undefined
      ? compileLb(context, cluster)
      : compilePolicy(context, cluster, cluster.loadBalancingPolicy);
  if (balancing.lb.policy === 'CLUSTER_PROVIDED' && !PROVIDERS.has(type))
    context.refuse(
      [cluster.loadBalancingPolicy === undefined ? 'lbPolicy' : 'loadBalancingPolicy'],
      `\`CLUSTER_PROVIDED\`: a cluster of type \`${type}\` does not provide it`,
    );
  if (type === 'ORIGINAL_DST' && balancing.lb.policy !== 'CLUSTER_PROVIDED')
    context.refuse(['lbPolicy'], 'must be `CLUSTER_PROVIDED`: a cluster of type `ORIGINAL_DST` has no other');
  if (balancing.lb.policy === 'CLUSTER_PROVIDED' && (cluster.lbSubsetConfig?.subsetSelectors ?? []).length > 0)
    context.refuse(['lbSubsetConfig'], 'cannot be combined with `CLUSTER_PROVIDED`');
  const peerExchange = compileFilters(context, cluster);
  if (type === 'EDS') {
    const { serviceName = '', edsConfig } = cluster.edsClusterConfig ?? {};
    if (edsConfig === undefined)
      context.refuse(['edsClusterConfig', 'edsConfig'], 'must say where the endpoints come from');
    context.refer('endpoint', serviceName === '' ? name : serviceName, edsConfig, ['edsClusterConfig', 'edsConfig']);
  } else if (cluster.edsClusterConfig !== undefined)
    context.refuse(['edsClusterConfig'], `is for clusters of type \`EDS\`, and this one is of type \`${type}\``);
  const panicThreshold = livePercentage(
    context.deps.runtime,
    'upstream.healthy_panic_threshold',
    percent(common?.healthyPanicThreshold, 0.5),
  );
  if (milliseconds(cluster.connectTimeout, 5000) <= 0) context.refuse(['connectTimeout'], 'must be greater than 0');
  return {
    name,
    statName: cluster.altStatName === undefined || cluster.altStatName === '' ? name : cluster.altStatName,
    type,
    aggregated: aggregated(cluster),
    edsServiceName:
      cluster.edsClusterConfig?.serviceName === undefined || cluster.edsClusterConfig.serviceName === ''
        ? name
        : cluster.edsClusterConfig.serviceName,
    edsServiceGiven: type === 'EDS' ? (cluster.edsClusterConfig?.serviceName ?? '') : '',
    endpoints: endpointsOf(context, cluster, type),
    ...balancing,
    get panicThreshold() {
      return panicThreshold.value;
    },
    closeConnectionsOnHostSetChange: common?.closeConnectionsOnHostSetChange === true,
    updateMergeWindow: milliseconds(common?.updateMergeWindow, 1000),
    overrideHealth: new Set(common?.overrideHostStatus?.statuses ?? ['UNKNOWN', 'HEALTHY', 'DEGRADED']),
    maintenance: livePercentage(context.deps.runtime, `upstream.maintenance_mode.${name}`, 0),
    connectTimeout: milliseconds(cluster.connectTimeout, 5000),
    thresholds: compileThresholds(context, cluster.circuitBreakers),
    perHostMaxConnections: perHostConnections(context, cluster.circuitBreakers),
    outlierDetection: compileOutlier(context, cluster.outlierDetection),
    healthChecks: compileHealthChecks(context, cluster.healthChecks, mayUseHttp2(cluster)),
    ignoreNewHosts: common?.ignoreNewHostsUntilFirstHc === true,
    waitForWarm: cluster.waitForWarmOnInit !== false,
    ignoreHealthOnHostRemoval: cluster.ignoreHealthOnHostRemoval === true,
    closeConnectionsOnHostHealthFailure: cluster.closeConnectionsOnHostHealthFailure === true,
    transportMatches,
    transport,
    http:
      balancing.hashKey === undefined ? http : { ...http, policies: { ...http.policies, hashKey: balancing.hashKey } },
    dns: compileDns(context, cluster, type),
    originalDst: type === 'ORIGINAL_DST' ? compileOriginalDst(context, cluster) : undefined,
    tcpKeepalive: compileKeepalive(connection?.tcpKeepalive),
    sources: compileBind(context, cluster.upstreamBindConfig, ['upstreamBindConfig']),
    addressOrder: compileOrder(connection?.happyEyeballsConfig),
    preconnectRatio: preconnectRatio(context, cluster),
    poolPerConnection: cluster.connectionPoolPerDownstreamConnection === true,
    metadata: cluster.metadata?.filterMetadata,
    tracking: {
      budgets: cluster.trackClusterStats?.timeoutBudgets === true || cluster.trackTimeoutBudgets === true,
      sizes: cluster.trackClusterStats?.requestResponseSizes === true,
      endpoints: cluster.trackClusterStats?.perEndpointStats === true,
    },
    peerExchange,
    secretNames: [
      ...new Set([transport, ...transportMatches.map((match) => match.transport)].flatMap(transportSecrets)),
    ],
    places: context.places,
  };
}

/** HTTP/2 is offered where nothing is said of it and nothing else would do. */
function withAlpn(transport: UpstreamTransportProgram, { http2Only }: UpstreamHttpProgram): UpstreamTransportProgram {
  if (!http2Only || transport.kind !== 'tls' || transport.tls.alpnProtocols.length > 0) return transport;
  return { kind: 'tls', tls: { ...transport.tls, alpnProtocols: ['h2'] } };
}

function clusterType(context: CompileContext, cluster: types.cluster.Cluster): ClusterProgram['type'] {
  const custom = cluster.clusterType?.typedConfig;
  const named = custom === undefined ? BY_NAME[cluster.clusterType?.name ?? ''] : undefined;
  if (named !== undefined) return named;
  if (cluster.clusterType === undefined) return cluster.type ?? 'STATIC';
  const type = custom === undefined ? (cluster.clusterType.name ?? '') : messageOf(custom['@type']);
  if (type === DYNAMIC_FORWARD_PROXY) return 'DYNAMIC_FORWARD_PROXY';
  if (type === DNS) return dnsConfig(cluster)?.allAddressesInSingleEndpoint === true ? 'LOGICAL_DNS' : 'STRICT_DNS';
  if (type === AGGREGATE) {
    if (cluster.lbPolicy !== 'CLUSTER_PROVIDED') context.refuse(['lbPolicy'], 'must be `CLUSTER_PROVIDED`');
    if (aggregated(cluster)?.length === 0) context.refuse([...AGGREGATED_AT], 'must not be empty');
    return 'AGGREGATE';
  }
  context.refuse(['clusterType', 'typedConfig'], `\`${type}\` is not a kind of cluster that is supported`);
  return 'STATIC';
}

function compileOrder(config: types.cluster.UpstreamConnectionOptions_HappyEyeballsConfig | undefined): AddressOrder {
  const { firstAddressFamilyVersion: first, firstAddressFamilyCount } = config ?? {};
  return { first: first === 'V4' || first === 'V6' ? first : undefined, count: firstAddressFamilyCount ?? 1 };
}

function preconnectRatio(context: CompileContext, { preconnectPolicy }: types.cluster.Cluster): number {
  const ratio = preconnectPolicy?.perUpstreamPreconnectRatio ?? 1;
  if (ratio < 1 || ratio > 3)
    context.refuse(['preconnectPolicy', 'perUpstreamPreconnectRatio'], 'must be between 1 and 3');
  return ratio;
}

function aggregated({ clusterType }: types.cluster.Cluster): readonly string[] | undefined {
  const config = clusterType?.typedConfig as { readonly '@type': string; readonly clusters?: string[] } | undefined;
  return config !== undefined && messageOf(config['@type']) === AGGREGATE ? (config.clusters ?? []) : undefined;
}

const ONE_HOST = 'a LOGICAL_DNS cluster has exactly one endpoint';

function endpointsOf(
  context: CompileContext,
  cluster: types.cluster.Cluster,
  type: ClusterProgram['type'],
): EndpointsProgram | undefined {
  const { loadAssignment } = cluster;
  switch (type) {
    case 'STATIC':
    case 'STRICT_DNS':
    case 'LOGICAL_DNS': {
      if (loadAssignment === undefined) {
        if (type === 'LOGICAL_DNS') context.refuse(['loadAssignment'], ONE_HOST);
        return {
          name: cluster.name ?? '',
          localities: [],
          overprovisioningFactor: 140,
          weightedPriorityHealth: false,
          dropOverload: 0,
        };
      }
      const endpoints = compileAssignment(context, loadAssignment, ['loadAssignment'], type !== 'STATIC');
      const hosts = endpoints.localities.flatMap((locality) => locality.endpoints);
      if (type === 'LOGICAL_DNS' && (hosts.length !== 1 || loadAssignment.endpoints?.length !== 1))
        context.refuse(['loadAssignment'], ONE_HOST);
      return type === 'STATIC' ? withCopies(endpoints) : endpoints;
    }
    case 'EDS':
    case 'ORIGINAL_DST':
    case 'AGGREGATE':
    case 'DYNAMIC_FORWARD_PROXY':
      if (loadAssignment !== undefined)
        context.refuse(['loadAssignment'], `a cluster of type ${type} has no endpoints of its own`);
      return undefined;
  }
}

function compileOriginalDst(context: CompileContext, cluster: types.cluster.Cluster): OriginalDstProgram {
  const config = cluster.originalDstLbConfig;
  const { key = '', path = [] } = config?.metadataKey ?? {};
  const byHeader = config?.useHttpHeader === true;
  if (!byHeader && (config?.httpHeaderName ?? '') !== '')
    context.refuse(['originalDstLbConfig', 'httpHeaderName'], 'says nothing without `useHttpHeader`');
  return {
    headerName: byHeader ? asciiLower(config?.httpHeaderName ?? '') || 'x-envoy-original-dst-host' : undefined,
    metadataKey: config?.metadataKey === undefined ? undefined : [key, ...path.map((segment) => segment.key ?? '')],
    portOverride: config?.upstreamPortOverride ?? 0,
    cleanupInterval: milliseconds(cluster.cleanupInterval, 5000),
  };
}

/** Upstream network filters: the exchange of metadata, and those that do nothing here. */
function compileFilters(context: CompileContext, cluster: types.cluster.Cluster): ClusterProgram['peerExchange'] {
  let exchange: ClusterProgram['peerExchange'];
  (cluster.filters ?? []).forEach((filter, i) => {
    const type = messageOf(filter.typedConfig?.['@type'] ?? '');
    if (type === 'envoy.tcp.metadataexchange.config.MetadataExchange') {
      exchange = filter.typedConfig as types.metadataExchange.MetadataExchange;
    } else if (!Object.hasOwn(noEffectTypes, type))
      context.refuse(['filters', i, 'typedConfig'], `\`${type}\` is not an upstream filter that is supported`);
  });
  return exchange;
}

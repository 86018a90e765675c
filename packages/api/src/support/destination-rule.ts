import type {
  ConnectionPoolSettings,
  ConnectionPoolSettings_HTTPSettings,
  ConnectionPoolSettings_HTTPSettings_ConnectionKeepalive,
  ConnectionPoolSettings_TCPSettings,
  DestinationRule,
  LoadBalancerSettings,
  LoadBalancerSettings_ConsistentHashLB,
  LoadBalancerSettings_ConsistentHashLB_HTTPCookie,
  LoadBalancerSettings_ConsistentHashLB_HTTPCookie_Attribute,
  LoadBalancerSettings_ConsistentHashLB_MagLev,
  LoadBalancerSettings_ConsistentHashLB_RingHash,
  OutlierDetection,
  Subset,
  TrafficPolicy,
  TrafficPolicy_PortTrafficPolicy,
  TrafficPolicy_RetryBudget,
  TrafficPolicy_ProxyProtocol,
  TrafficPolicy_TunnelSettings,
  WarmupConfiguration,
  ZoneAwareLoadBalancerSetting,
  ZoneAwareLoadBalancerSetting_Failover,
} from '../gen/istio.networking.v1alpha3.ts';
import { byEngine, envoyFields, except, fields, left, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const NET = 'istio.networking.v1alpha3';
const LB = `${NET}.LoadBalancerSettings`;
const POOL = `${NET}.ConnectionPoolSettings`;
const ONLY_HTTP2 = moot("it is about HTTP/2, which Mizzen's proxy does not speak yet");
/** A wish for HTTP/2 that is not met; the traffic itself flows. */
export const H2_UPGRADE = byEngine(
  left('connections between sidecars stay HTTP/1.1'),
  yes('HTTP/1.1 becomes HTTP/2 between sidecars', 'HttpProtocolOptions.ExplicitHttpConfig.http2ProtocolOptions'),
);

/** Between regions it is the same everywhere; zones are balanced by Envoy itself, which has to know its own cluster. */
export const ZONE_AWARE = byEngine(
  yes('regions one after the other; the zones of one are all alike', 'LocalityLbEndpoints.priority'),
  yes(
    "the client's zone as far as it has endpoints enough, regions one after the other",
    'CommonLbConfig.zoneAwareLbConfig',
    'LocalityLbEndpoints.priority',
  ),
);

export const destinationRule: MessageTable = {
  [`${NET}.DestinationRule`]: fields<DestinationRule>({
    host: yes('the service it is about', 'Cluster.name'),
    trafficPolicy: yes('for all of the service', 'Cluster.name'),
    subsets: yes('named parts of the service, by labels; each is a cluster', 'Cluster.name'),
    exportTo: yes('namespaces it is visible in'),
    workloadSelector: yes('clients it is for; all of its namespace when left out'),
  }),
  [`${NET}.Subset`]: fields<Subset>({
    name: yes('what VirtualServices call it', 'Cluster.name'),
    labels: yes('labels its endpoints have', 'ClusterLoadAssignment.endpoints'),
    trafficPolicy: yes("over the rule's own, part by part", 'Cluster.name'),
  }),
  [`${NET}.TrafficPolicy`]: fields<TrafficPolicy>({
    loadBalancer: yes('how an endpoint is chosen', 'Cluster.lbPolicy'),
    connectionPool: yes('limits of connections and requests', 'Cluster.circuitBreakers'),
    outlierDetection: yes('takes failing endpoints out for a while', 'Cluster.outlierDetection'),
    tls: yes('TLS to the service; mutual TLS between sidecars when left out', 'Cluster.transportSocket'),
    portLevelSettings: yes('the same for one port, in place of the rest'),
    tunnel: yes('puts bytes into a CONNECT or POST request to a proxy', 'TcpProxy.tunnelingConfig'),
    proxyProtocol: yes('connections begin with a PROXY protocol header', 'Cluster.transportSocket'),
    retryBudget: yes('limits retries to a share of the requests', 'CircuitBreakers.Thresholds.retryBudget'),
  }),
  [`${NET}.TrafficPolicy.PortTrafficPolicy`]: fields<TrafficPolicy_PortTrafficPolicy>({
    port: yes('the port'),
    loadBalancer: yes('as above', 'Cluster.lbPolicy'),
    connectionPool: yes('as above', 'Cluster.circuitBreakers'),
    outlierDetection: yes('as above', 'Cluster.outlierDetection'),
    tls: yes('as above', 'Cluster.transportSocket'),
  }),
  [`${NET}.TrafficPolicy.RetryBudget`]: fields<TrafficPolicy_RetryBudget>({
    percent: yes('share of the active requests; 20 when left out', 'RetryBudget.budgetPercent'),
    budgetInterval: yes(
      'requests that began within this long count, not those that are active',
      'RetryBudget.budgetInterval',
    ),
    minRetryConcurrency: yes('retries that are always allowed', 'RetryBudget.minRetryConcurrency'),
  }),
  [`${NET}.TrafficPolicy.TunnelSettings`]: fields<TrafficPolicy_TunnelSettings>({
    protocol: yes('CONNECT or POST', 'TunnelingConfig.usePost'),
    targetHost: yes('the host asked for', 'TunnelingConfig.hostname'),
    targetPort: yes('its port', 'TunnelingConfig.hostname'),
  }),
  [`${NET}.TrafficPolicy.ProxyProtocol`]: fields<TrafficPolicy_ProxyProtocol>({
    version: yes('V1 (text) or V2 (binary)', 'ProxyProtocolConfig.version'),
  }),
  [`${NET}.ZoneAwareLoadBalancerSetting`]: fields<ZoneAwareLoadBalancerSetting>({
    enabled: byEngine(
      yes('`false` switches it off'),
      yes('`false` switches it off', 'ZoneAwareLbConfig.routingEnabled'),
    ),
    failover: yes('the region to go to next', 'LocalityLbEndpoints.priority'),
    failoverPriority: yes('labels by which endpoints are ranked before regions', 'LocalityLbEndpoints.priority'),
    minClusterSize: byEngine(
      moot('zones are all alike'),
      yes('fewer endpoints are used all alike; 6 when left out', 'ZoneAwareLbConfig.minClusterSize'),
    ),
  }),
  [`${NET}.ZoneAwareLoadBalancerSetting.Failover`]: fields<ZoneAwareLoadBalancerSetting_Failover>({
    from: yes('region of the client'),
    to: yes('region used when its own fails', 'LocalityLbEndpoints.priority'),
  }),
  [LB]: fields<LoadBalancerSettings>({
    simple: except(yes('LEAST_REQUEST when left out', 'Cluster.lbPolicy'), {
      PASSTHROUGH: moot('there is no original destination without interception, so endpoints are balanced'),
    }),
    consistentHash: yes('the same endpoint for the same key', 'Cluster.lbPolicy', 'RouteAction.hashPolicy'),
    backendUtilization: left('endpoints are balanced by requests, whatever load they report', 'leave it out'),
    localityLbSetting: yes("by locality, over the mesh's setting", 'LocalityLbEndpoints.priority'),
    zoneAwareLbSetting: ZONE_AWARE,
    warmupDurationSecs: yes('deprecated form of warmup.duration', 'SlowStartConfig.slowStartWindow'),
    warmup: yes(
      'new endpoints get less at first',
      'RoundRobinLbConfig.slowStartConfig',
      'LeastRequestLbConfig.slowStartConfig',
    ),
  }),
  [`${NET}.WarmupConfiguration`]: fields<WarmupConfiguration>({
    duration: yes('how long', 'SlowStartConfig.slowStartWindow'),
    minimumPercent: yes('what they get at the start', 'SlowStartConfig.minWeightPercent'),
    aggression: yes('how steeply it grows', 'SlowStartConfig.aggression'),
  }),
  [`${LB}.ConsistentHashLB`]: fields<LoadBalancerSettings_ConsistentHashLB>({
    httpHeaderName: yes('hashes a header', 'HashPolicy.Header.headerName'),
    httpCookie: yes('hashes a cookie, made when there is none', 'HashPolicy.cookie'),
    useSourceIp: yes("hashes the client's address", 'HashPolicy.connectionProperties'),
    httpQueryParameterName: yes('hashes a query parameter', 'HashPolicy.QueryParameter.name'),
    ringHash: yes('by a ring; the default', 'Cluster.ringHashLbConfig'),
    maglev: yes('by Maglev', 'Cluster.maglevLbConfig'),
    minimumRingSize: yes('deprecated form of ringHash.minimumRingSize', 'RingHashLbConfig.minimumRingSize'),
  }),
  [`${LB}.ConsistentHashLB.HTTPCookie`]: fields<LoadBalancerSettings_ConsistentHashLB_HTTPCookie>({
    name: yes('its name', 'HashPolicy.Cookie.name'),
    path: yes('its path, when it is made', 'HashPolicy.Cookie.path'),
    ttl: yes('its life, when it is made', 'HashPolicy.Cookie.ttl'),
    attributes: yes('more of it, when it is made', 'HashPolicy.Cookie.attributes'),
  }),
  [`${LB}.ConsistentHashLB.HTTPCookie.Attribute`]: fields<LoadBalancerSettings_ConsistentHashLB_HTTPCookie_Attribute>({
    name: yes('for instance `SameSite`', 'HashPolicy.CookieAttribute.name'),
    value: yes('its value', 'HashPolicy.CookieAttribute.value'),
  }),
  [`${LB}.ConsistentHashLB.RingHash`]: fields<LoadBalancerSettings_ConsistentHashLB_RingHash>({
    minimumRingSize: yes('1024 when left out', 'RingHashLbConfig.minimumRingSize'),
  }),
  [`${LB}.ConsistentHashLB.MagLev`]: fields<LoadBalancerSettings_ConsistentHashLB_MagLev>({
    tableSize: yes('a prime number', 'MaglevLbConfig.tableSize'),
  }),
  [POOL]: fields<ConnectionPoolSettings>({
    tcp: yes('of connections'),
    http: yes('of requests'),
  }),
  [`${POOL}.TCPSettings`]: fields<ConnectionPoolSettings_TCPSettings>({
    maxConnections: yes('no limit when left out', 'CircuitBreakers.Thresholds.maxConnections'),
    connectTimeout: yes('time to connect', 'Cluster.connectTimeout'),
    tcpKeepalive: yes('probes on idle connections', 'UpstreamConnectionOptions.tcpKeepalive'),
    maxConnectionDuration: yes(
      'connections end after it',
      'HttpProtocolOptions.maxConnectionDuration',
      'TcpProxy.maxDownstreamConnectionDuration',
    ),
    idleTimeout: yes(
      'connections without traffic end after it',
      'HttpProtocolOptions.idleTimeout',
      'TcpProxy.idleTimeout',
    ),
  }),
  [`${POOL}.HTTPSettings`]: fields<ConnectionPoolSettings_HTTPSettings>({
    http1MaxPendingRequests: yes(
      'requests that wait for a connection',
      'CircuitBreakers.Thresholds.maxPendingRequests',
    ),
    http2MaxRequests: yes('requests at the same time, of HTTP/1.1 too', 'CircuitBreakers.Thresholds.maxRequests'),
    maxRequestsPerConnection: yes('a connection ends after as many', 'HttpProtocolOptions.maxRequestsPerConnection'),
    maxRetries: yes('retries at the same time', 'CircuitBreakers.Thresholds.maxRetries'),
    idleTimeout: yes('connections without requests end after it', 'HttpProtocolOptions.idleTimeout'),
    h2UpgradePolicy: except(yes('HTTP/1.1 is kept as it is'), { UPGRADE: H2_UPGRADE }),
    useClientProtocol: byEngine(
      moot('everything is HTTP/1.1 here'),
      yes("the client's version of HTTP is used to the endpoints", 'HttpProtocolOptions.useDownstreamProtocolConfig'),
    ),
    maxConcurrentStreams: byEngine(
      ONLY_HTTP2,
      yes('requests at the same time on one connection', 'Http2ProtocolOptions.maxConcurrentStreams'),
    ),
    http2KeepAlive: byEngine(ONLY_HTTP2, yes('pings on connections', 'Http2ProtocolOptions.connectionKeepalive')),
  }),
  [`${POOL}.HTTPSettings.ConnectionKeepalive`]: envoyFields<ConnectionPoolSettings_HTTPSettings_ConnectionKeepalive>(
    ONLY_HTTP2,
    {
      interval: yes('time between pings', 'KeepaliveSettings.interval'),
      timeout: yes('time for the answer', 'KeepaliveSettings.timeout'),
    },
  ),
  [`${NET}.OutlierDetection`]: fields<OutlierDetection>({
    consecutiveErrors: moot('it is deprecated, and Istio does not read it either'),
    splitExternalLocalOriginErrors: yes(
      'counts failures to connect apart from answers',
      'OutlierDetection.splitExternalLocalOriginErrors',
    ),
    consecutiveLocalOriginFailures: yes(
      'failures to connect in a row',
      'OutlierDetection.consecutiveLocalOriginFailure',
    ),
    consecutiveGatewayErrors: yes('502, 503 and 504 in a row', 'OutlierDetection.consecutiveGatewayFailure'),
    consecutive5xxErrors: yes('5xx in a row', 'OutlierDetection.consecutive5xx'),
    interval: yes('time between looks', 'OutlierDetection.interval'),
    baseEjectionTime: yes(
      'how long an endpoint stays out, times how often it was',
      'OutlierDetection.baseEjectionTime',
    ),
    maxEjectionPercent: yes('no more than this share is out', 'OutlierDetection.maxEjectionPercent'),
    minHealthPercent: yes('with fewer in health all are used', 'CommonLbConfig.healthyPanicThreshold'),
    failurePercentageThreshold: yes(
      'share of failing requests for which an endpoint is taken out',
      'OutlierDetection.failurePercentageThreshold',
    ),
    outlierDetectionHttpErrorCodes: yes(
      'statuses that count as errors, in place of 5xx',
      'HttpProtocolOptions.outlierDetection',
    ),
  }),
};

import type { DnsServers } from '../../deps.ts';
import type { JsonObject, types } from '@mizzen/xds';
import type { ProxyTlv } from '../../filter/proxy-protocol/header.ts';
import type { Live } from '../../runtime/live.ts';
import type { TrackingProgram } from '../../telemetry/tracked.ts';
import type { ResponseHead } from '../../types/request.ts';
import type { ClusterPolicies } from '../../types/route.ts';
import type { LbProgram, OverrideSource, SubsetProgram, ZoneAwareProgram } from './balancing.ts';
import type { ResourcePlace } from './compile.ts';
import type { EndpointProgram, EndpointsProgram } from './endpoints.ts';
import type { KeepaliveProgram } from './listener.ts';
import type { HealthCheckProgram, OutlierProgram } from './health.ts';
import type { UpstreamTlsProgram } from './tls.ts';

export interface ClusterProgram {
  /** Istio's exchange of metadata, with hosts that agree to it. Who each proxy is, it says itself: they share programs. */
  readonly peerExchange?: types.metadataExchange.MetadataExchange | undefined;
  readonly name: string;
  readonly statName: string;
  readonly type:
    | 'STATIC'
    | 'STRICT_DNS'
    | 'LOGICAL_DNS'
    | 'EDS'
    | 'ORIGINAL_DST'
    | 'DYNAMIC_FORWARD_PROXY'
    | 'AGGREGATE';
  /** AGGREGATE: the clusters, in order. */
  readonly aggregated: readonly string[] | undefined;
  /** EDS: name to ask for. */
  readonly edsServiceName: string;
  /** That, as far as the configuration says it; empty: it does not. */
  readonly edsServiceGiven: string;
  /** STATIC, STRICT_DNS, LOGICAL_DNS: where its hosts are. */
  readonly endpoints: EndpointsProgram | undefined;
  readonly lb: LbProgram;
  /** As fractions; 0 turns panic off. */
  readonly panicThreshold: number;
  readonly localityWeighted: boolean;
  readonly zoneAware: ZoneAwareProgram;
  readonly hashByHostname: boolean;
  readonly hashBalanceFactor: number;
  /** What its balancer hashes, whatever others say. */
  readonly hashKey: ClusterPolicies['hashKey'] | undefined;
  readonly closeConnectionsOnHostSetChange: boolean;
  /** How long changes that are no hosts coming or going would wait for others, milliseconds; 0: not at all. */
  readonly updateMergeWindow: number;
  readonly subsets: SubsetProgram | undefined;
  /** Health of hosts that a request may name before the load balancer is asked. */
  readonly overrideHealth: ReadonlySet<EndpointProgram['health']>;
  /** Requests may name their host in these. */
  readonly overrides: readonly OverrideSource[] | undefined;

  /** Chance that requests are turned away. */
  readonly maintenance: Live<number>;
  readonly connectTimeout: number;
  readonly thresholds: { readonly DEFAULT: ThresholdsProgram; readonly HIGH: ThresholdsProgram };
  readonly perHostMaxConnections: number | undefined;
  readonly outlierDetection: OutlierProgram | undefined;
  readonly healthChecks: readonly HealthCheckProgram[];
  readonly ignoreHealthOnHostRemoval: boolean;
  /** Hosts that have not been checked yet do not count in how much of a priority is available. */
  readonly ignoreNewHosts: boolean;
  /** False: usable before its names are resolved. */
  readonly waitForWarm: boolean;
  readonly closeConnectionsOnHostHealthFailure: boolean;

  /** First whose `match` the endpoint's `envoy.transport_socket_match` metadata contains; none: `transport`. */
  readonly transportMatches: readonly {
    readonly name: string;
    readonly match: JsonObject;
    readonly transport: UpstreamTransportProgram;
  }[];
  readonly transport: UpstreamTransportProgram;

  readonly http: UpstreamHttpProgram;
  readonly dns: DnsProgram;
  readonly originalDst: OriginalDstProgram | undefined;
  readonly tcpKeepalive: KeepaliveProgram | undefined;
  readonly addressOrder: AddressOrder;
  /** Addresses to connect from; undefined: nothing is said. */
  readonly sources: SourceAddresses | undefined;
  /** Requests share connections only with others of their downstream connection. */
  readonly poolPerConnection: boolean;
  /** Connections to a host for each request under way. */
  readonly preconnectRatio: number;
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
  readonly tracking: TrackingProgram;
  readonly secretNames: readonly string[];
  readonly places: readonly ResourcePlace[];
}

/** Which of a host's addresses are tried first. */
export interface AddressOrder {
  /** Undefined: the family of the first one. */
  readonly first: 'V4' | 'V6' | undefined;
  /** So many of that family come before one of the other. */
  readonly count: number;
}

/** The first of the destination's family is taken; `0.0.0.0` and `::` leave it to the system. */
export type SourceAddresses = readonly { readonly address: string; readonly port: number }[];

/** Where the address of an ORIGINAL_DST cluster's host is found, beside the connection. */
export interface OriginalDstProgram {
  /** Lowercase; undefined: no header is looked at. */
  readonly headerName: string | undefined;
  /** Path into the dynamic metadata, the filter's name first. */
  readonly metadataKey: readonly string[] | undefined;
  /** 0: as named. */
  readonly portOverride: number;
  readonly cleanupInterval: number;
}

export type UpstreamTransportProgram =
  | { readonly kind: 'raw' }
  | { readonly kind: 'tls'; readonly tls: UpstreamTlsProgram }
  /** Sends a PROXY protocol header first. */
  | {
      readonly kind: 'proxy_protocol';
      readonly header: ProxyProtocolProgram;
      readonly inner: UpstreamTransportProgram;
    };

export interface ProxyProtocolProgram {
  readonly version: 'V1' | 'V2';
  /** Only version 2 carries them. */
  readonly tlvs: readonly ProxyTlv[];
  /** Which of those that the client's own header brought along go with it. */
  readonly passes: (tlv: ProxyTlv) => boolean;
}

export interface UpstreamHttpProgram {
  /** It can only be spoken to over HTTP/2: by the proxy itself, never by requests that are routed. */
  readonly http2Only: boolean;
  readonly idleTimeout: number;
  readonly maxConnectionDuration: number;
  readonly maxRequestsPerConnection: number;
  readonly maxResponseHeadersBytes: number;
  readonly maxHeadersCount: number;
  /** Of a request and its answer on a connection; 0: no limit. */
  readonly maxStreamDuration?: number;
  readonly headerKeyFormat: 'lowercase' | 'proper-case' | 'preserve-case';
  /** What keeps the spelling of others spells names that are added here `Proper-Case`. */
  readonly properOthers?: boolean;
  /** What the cluster asks for itself; undefined: nothing of the kind. */
  readonly policies?: ClusterPolicies | undefined;
  /** What responses count as errors of their host; undefined: those of the server. */
  readonly isError?: ((response: ResponseHead) => boolean) | undefined;
  /** Phrases of statuses are passed on. */
  readonly keepsReason?: boolean;
  /** Requests name scheme and host in their first line, as proxies want it. */
  readonly fullUrl?: boolean;
  readonly enableTrailers?: boolean;
  readonly allowChunkedLength?: boolean;
  readonly autoSni: boolean;
  readonly autoSanValidation: boolean;
  readonly autoSniHeader: string;
  /** Its protocol is the one that the client speaks. */
  readonly followsDownstream?: boolean;
}

export interface ThresholdsProgram {
  /** Gauges of what remains are shown. */
  readonly trackRemaining: boolean;
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  readonly retryBudget: RetryBudgetProgram | undefined;
}

export interface RetryBudgetProgram {
  readonly fraction: number;
  readonly minConcurrency: number;
  /** Milliseconds in which requests that began count; 0: those that are under way do. */
  readonly interval?: number | undefined;
}

export interface DnsProgram {
  readonly family: 'AUTO' | 'V4_ONLY' | 'V6_ONLY' | 'V4_PREFERRED' | 'ALL';
  readonly refreshRate: number;
  /** Without `dnsFailureRefreshRate` failures are tried again at the usual rate. */
  readonly failureBase: number;
  readonly failureMax: number;
  readonly failureBacksOff: boolean;
  readonly respectTtl: boolean;
  readonly jitter: number;
  /** Who is asked; undefined: nothing is said. */
  readonly servers: DnsServers | 'system' | undefined;
  /** Dynamic forward proxy: how long an unused host stays, and how many there may be. */
  readonly hostTtl: number;
  readonly maxHosts: number;
  readonly cacheName: string;
}

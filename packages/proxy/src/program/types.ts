/**
 * What xDS resources become: plain data and closures, made once and never changed. All times are milliseconds, sizes
 * bytes, fractions in [0, 1]; every default Envoy has is filled in.
 */
import type { Any, JsonObject, JsonValue, types } from '@mizzen/xds';
import type { Clock, Random } from '../deps.ts';
import type { Live } from '../runtime/live.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ProxyTlv } from '../filter/proxy-protocol/header.ts';
import type { Step } from '../listener/inspect.ts';
import type { ProxyProtocolReader } from '../filter/proxy-protocol/filter.ts';
import type { CipherGroups } from '../tls/ciphers.ts';
import type { RevocationList } from '../tls/crl.ts';
import type { TrustBundles } from '../tls/spiffe.ts';
import type { StateSetter } from '../filter-state/set.ts';
import type { ExchangeProgram } from '../istio/exchange.ts';
import type { TcpStatsProgram } from '../istio/stats/tcp.ts';
import type { GrpcCalls } from '../telemetry/grpc-calls.ts';
import type { TaggedStats } from '../telemetry/tagged.ts';
import type { Asked } from '../filter/rbac/matcher.ts';
import type { Chooser } from './match/matcher.ts';
import type { TracingProgram } from '../tracing/program.ts';
import type { HeaderMutations } from './headers.ts';
import type {
  ConnectionInfo,
  HashResult,
  HttpFilter,
  ClusterPolicies,
  Nack,
  RequestHead,
  ResponseHead,
  RouteDecision,
  StreamInfo,
  Trace,
} from '../types.ts';

/** Either the program or every reason why there is none. */
export type Compiled<T> =
  | { readonly program: T; readonly nacks?: undefined }
  | { readonly program?: undefined; readonly nacks: readonly Nack[] };

/** What compiled filters reach for. The simulator brings its own. */
export interface CompileDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Sends one GET through a cluster (remote JWKS). Rejects on timeout and connection failure. */
  readonly fetch: (request: HttpFetch) => Promise<{ readonly status: number; readonly body: Buffer }>;
  /** Sends requests of the proxy's own through clusters. */
  readonly calls: UpstreamCalls;
  /** The counter of that full name (`http.ingress.rbac.allowed`), the same object for the same name. */
  readonly counter: (name: string) => Counter;
  /** Reads a file that a `dataSource` names. Throws what `readFileSync` throws. */
  readonly readFile: (path: string) => Buffer;
  /** Whether the proxy itself speaks HTTP/2 to a cluster, as to a management server; nobody else can. */
  readonly speaksHttp2?: (cluster: string) => boolean;
  /** Whether a cluster is there now; undefined where nobody knows. */
  readonly hasCluster?: (name: string) => boolean;
  /** Whether a cluster connects to whatever host requests name; undefined where nobody knows. */
  readonly isForwardProxy?: (name: string) => boolean;
  /** Somebody has said that the proxy is not to get requests any more. */
  readonly healthFailed?: () => boolean;
  /** How many hosts a cluster has; undefined: there is no such cluster. */
  readonly clusterMembers?: (
    cluster: string,
  ) => { readonly total: number; readonly healthy: number; readonly degraded: number } | undefined;
  /** Where gRPC calls to a cluster are counted; undefined: there is no such cluster. */
  readonly grpcCalls?: (cluster: string) => GrpcCalls | undefined;
  /** The cluster that the proxy itself is part of (`--service-cluster`), where that is known. */
  readonly serviceCluster?: string;
  /** Where values that runtime keys name are; undefined: the defaults count. */
  readonly runtime?: Runtime | undefined;
  /** Filter configurations that come by themselves; undefined: there are none. */
  readonly extensions?: ExtensionLookup;
  /** Tracing of connection managers that name no provider, from the bootstrap. */
  readonly bootstrapTracing?: types.traceConfig.Tracing_Http | undefined;
  readonly zone?: string;
  /** By which others know this machine. */
  readonly outerAddress?: string;
  /** The id of the node, where it is known. */
  readonly nodeId?: string;
  /** What the node says of itself, where it is known. */
  readonly nodeMetadata?: JsonObject;
  /** Metadata of a cluster, by filter name; undefined: it has none, or is not there. */
  readonly clusterMetadata?: (name: string) => Readonly<Record<string, JsonObject>> | undefined;
  /** Where statistics with tags are kept; undefined: nobody wants them. */
  readonly tagged?: TaggedStats;
  /** An environment variable that a `dataSource` or %ENVIRONMENT% names. */
  readonly env: (name: string) => string | undefined;
}
/** Configurations of filters that are discovered, by name, and what is kept of listeners that are compiled with them. */
export interface ExtensionLookup {
  config(name: string): Any | undefined;
  /** It is not in force yet, and may be refused. */
  isTried(name: string): boolean;
  readonly compiled: WeakMap<object, CompiledParts>;
}

/** A resource as it was read, and what became of parts of it: those that do not change stay the same objects. */
export interface CompiledParts {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly made: Map<string, { readonly config: object; readonly part: unknown }>;
}

/** A filter of a listener whose configuration comes by itself. */
export interface DiscoveredExtension {
  readonly kind: 'http_filter' | 'network_filter' | 'tcp_listener_filter';
  readonly name: string;
  /** The listener is not used before there has been an answer. */
  readonly waits: boolean;
}

/** A resource that another one names, and the source it is to be had from: undefined is the bootstrap. */
export interface ResourcePlace {
  readonly kind: 'endpoint' | 'route' | 'secret' | 'runtime' | 'extension';
  readonly name: string;
  readonly source: types.core.ConfigSource | undefined;
}

export interface HttpFetch {
  readonly cluster: string;
  readonly uri: string;
  readonly timeout: number;
}
/** Calls that filters make. A call that fails rejects with a CallError; a cancelled one never settles. */
export interface UpstreamCalls {
  readonly http: (call: HttpCall) => PendingCall<HttpAnswer>;
  readonly grpc: (call: GrpcCall) => PendingCall<JsonObject>;
  /** A service that takes log entries; the same one for the same settings. */
  readonly logs: (service: LogService) => (entry: JsonObject) => void;
}
/** Where log entries go, and how many at a time. */
export interface LogService {
  readonly kind: 'http' | 'tcp';
  readonly cluster: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly skipEnvoyHeaders: boolean;
  readonly logName: string;
  /** Milliseconds between messages. */
  readonly interval: number;
  /** A message goes once its entries are this long; 0: each by itself. */
  readonly bytes: number;
}
export interface PendingCall<T> {
  readonly answer: Promise<T>;
  cancel(): void;
}
export interface HttpCall {
  readonly cluster: string;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** Name and value in turn, framing left out. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly timeout: number;
}
export interface HttpAnswer {
  readonly status: number;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}
/** One request and one answer; messages are JSON, in the shape that their types have in the xds package. */
export interface GrpcCall {
  readonly cluster: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  /** `envoy.service.auth.v3.Authorization/Check` */
  readonly method: string;
  readonly request: object;
  readonly requestType: string;
  readonly answerType: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly timeout: number;
  /** Without the fields by which Envoy says that a call is its own. */
  readonly skipEnvoyHeaders?: boolean;
}
export interface Counter {
  value: number;
}

// ---- listeners ---------------------------------------------------------------------------------------------------

export type AddressProgram =
  | { readonly kind: 'socket'; readonly address: string; readonly port: number; readonly ipv4Compat: boolean }
  | { readonly kind: 'pipe'; readonly path: string; readonly mode: number }
  /** Reached only by clusters whose endpoint is the internal address of that name. */
  | { readonly kind: 'internal'; readonly name: string };

export interface ListenerProgram {
  readonly name: string;
  readonly statPrefix: string;
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  readonly address: AddressProgram;
  readonly additionalAddresses: readonly AddressProgram[];
  /** False: no socket; takes connections handed over by a listener with `useOriginalDst`. */
  readonly bindToPort: boolean;
  readonly useOriginalDst: boolean;
  readonly direction: 'INBOUND' | 'OUTBOUND' | 'UNSPECIFIED';
  /** `MODIFY_ONLY`: not also when health checks are made to fail. */
  readonly drainType: 'DEFAULT' | 'MODIFY_ONLY';
  readonly listenerFilters: readonly ListenerFilterProgram[];
  /** 0: no limit. */
  readonly listenerFiltersTimeout: number;
  readonly continueOnListenerFiltersTimeout: boolean;
  readonly chains: readonly FilterChainProgram[];
  readonly defaultChain: FilterChainProgram | undefined;
  /** Envoy's order of criteria; undefined: close the connection. `chain.ts` gives the same with a trace. */
  readonly selectChain: (criteria: ChainCriteria, trace?: Trace) => FilterChainProgram | undefined;
  readonly perConnectionBufferLimit: number;
  readonly backlog: number | undefined;
  readonly connectionLimit: Live<number>;
  /** The limit over all listeners is not for this one. */
  readonly unlimited: boolean;
  /** Written when a connection ends, whatever its filters did. */
  readonly accessLogs: readonly AccessLogProgram[];
  /** Names of secrets and route configurations that the chains refer to. */
  readonly secretNames: readonly string[];
  readonly routeConfigNames: readonly string[];
  readonly extensions: readonly DiscoveredExtension[];
  readonly places: readonly ResourcePlace[];
}

export type ListenerFilterProgram = {
  /** Decides per connection by the destination's port; undefined: never disabled. */
  readonly disabled: ((destinationPort: number) => boolean) | undefined;
} &
  /** Of TLS or of HTTP. */
  (
    | { readonly kind: 'inspector'; readonly step: Step }
    | { readonly kind: 'original_dst' }
    /** Its configuration has not come: connections end. */
    | { readonly kind: 'missing' }
    | { readonly kind: 'proxy_protocol'; readonly reader: ProxyProtocolReader }
  );

/** What chains are chosen by. Addresses are text as Node gives them; IPv4-mapped IPv6 counts as IPv4. */
export interface ChainCriteria {
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly directSourceAddress: string;
  /** SNI, lowercase, empty when none. */
  readonly serverName: string;
  /** What the inspectors found: `tls`, `raw_buffer`, or empty (counts as raw_buffer). */
  readonly transportProtocol: string;
  /** ALPN names in the client's order, or what the HTTP inspector found. */
  readonly applicationProtocols: readonly string[];
}

export interface FilterChainProgram {
  readonly name: string;
  /** Place in `filterChains`; -1 for the default chain. */
  readonly index: number;
  readonly match: FilterChainMatchProgram;
  /** Undefined: plain text. */
  readonly tls: DownstreamTlsProgram | undefined;
  readonly filters: readonly NetworkFilterProgram[];
  /** For the TLS handshake; 0: no limit. */
  readonly transportSocketConnectTimeout: number;
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
}

export interface FilterChainMatchProgram {
  readonly destinationPort: number | undefined;
  readonly prefixRanges: readonly Cidr[];
  readonly serverNames: readonly string[];
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
  readonly directSourcePrefixRanges: readonly Cidr[];
  readonly sourceType: 'ANY' | 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL';
  readonly sourcePrefixRanges: readonly Cidr[];
  readonly sourcePorts: readonly number[];
}

export interface Cidr {
  readonly text: string;
  readonly prefixLength: number;
  readonly contains: (address: string) => boolean;
}

export type NetworkFilterProgram =
  | { readonly kind: 'rbac'; readonly rbac: NetworkRbacProgram }
  | { readonly kind: 'gate'; readonly gate: NetworkGate }
  | { readonly kind: 'connection_limit'; readonly limit: ConnectionLimitProgram }
  | { readonly kind: 'set_filter_state'; readonly state: NetworkStateProgram }
  | { readonly kind: 'peer_exchange'; readonly exchange: ExchangeProgram }
  | { readonly kind: 'istio_stats'; readonly stats: TcpStatsProgram }
  /** The same `config` is the same connection manager, whatever has become of its filters. */
  | { readonly kind: 'http_connection_manager'; readonly hcm: HcmProgram; readonly config: object }
  | { readonly kind: 'tcp_proxy'; readonly tcp: TcpProxyProgram }
  | { readonly kind: 'echo' }
  /** Its configuration has not come: connections end. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'direct_response'; readonly response: Buffer };

export interface ConnectionLimitProgram {
  /** What is refused stays open this long, milliseconds. */
  readonly delay: number;
  readonly gate: NetworkGate;
}

/** What is put into the filter state of connections, and when; a connection without TLS has its handshake at once. */
export interface NetworkStateProgram {
  readonly onNewConnection: StateSetter | undefined;
  readonly onHandshake: StateSetter | undefined;
  /** When the client's first bytes come. */
  readonly onData: StateSetter | undefined;
}

/** A filter that decides, perhaps after asking somebody, whether a connection may begin. Its bytes stay unread meanwhile. */
export interface NetworkGate {
  /** In words, for explanations. */
  readonly text: string;
  check(connection: ConnectionInfo, metadata: StreamInfo['dynamicMetadata']): GateDecision | PendingGate;
  /** A connection that was asked about has ended. */
  ended?(allowed: boolean): void;
}
export interface GateDecision {
  readonly allowed: boolean;
  /** Why the connection is closed, for logs. */
  readonly details: string;
  readonly closeReason?: string;
  /** Envoy has connected to the upstream by then. */
  readonly closesUpstream?: boolean;
  /** Bits of ResponseFlag. */
  readonly flags: number;
  /** By filter name. */
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
}
export interface PendingGate {
  readonly decision: Promise<GateDecision>;
  /** The connection has gone. */
  cancel(): void;
}

export interface NetworkRbacProgram {
  readonly statPrefix: string;
  /** `ONE_TIME_ON_FIRST_BYTE` waits for data before it decides; `CONTINUOUS` decides on each read. */
  readonly enforcement: 'ONE_TIME_ON_FIRST_BYTE' | 'CONTINUOUS';
  /** Wait this long before a denied connection is closed. */
  readonly delayDeny: number;
  /**
   * Decides for a connection. A denial closes it with termination details `rbac_access_denied_matched_policy[NAME]`
   * (already formatted in `details`); what shadow rules found is in `metadata`, for access logs, or undefined.
   */
  check(connection: ConnectionInfo, trace?: Trace, metadata?: StreamInfo['dynamicMetadata']): NetworkRbacDecision;
}
export interface NetworkRbacDecision {
  readonly allowed: boolean;
  readonly details: string;
  /** Name of the policy that decided; empty when none matched. */
  readonly policy: string;
  readonly metadata: JsonObject | undefined;
}

// ---- http connection manager -------------------------------------------------------------------------------------

export type SingleRouteSource =
  | { readonly kind: 'inline'; readonly config: RouteConfigProgram }
  | { readonly kind: 'rds'; readonly name: string };
/** Where the routes of a connection manager are. */
export type RouteSource =
  | SingleRouteSource
  | {
      readonly kind: 'scoped';
      /** Of the scope that a request is in; undefined: none. */
      readonly key: (request: RequestHead) => string | undefined;
      readonly scopes: ReadonlyMap<string, SingleRouteSource>;
    };

/** What becomes of `x-forwarded-client-cert`. */
export interface ClientCertProgram {
  readonly mode: 'SANITIZE' | 'FORWARD_ONLY' | 'APPEND_FORWARD' | 'SANITIZE_SET' | 'ALWAYS_FORWARD_ONLY';
  readonly subject: boolean;
  readonly cert: boolean;
  readonly dns: boolean;
  readonly uri: boolean;
}

export interface HcmProgram {
  readonly statPrefix: string;
  /** Place within the xDS, for traces: listener name and path. */
  readonly routes: RouteSource;
  /** In request order; the router, which the connection manager itself is, comes last and is left out. */
  readonly filters: readonly HttpFilter[];
  readonly router: RouterProgram;
  readonly codecType: 'AUTO' | 'HTTP1';

  readonly maxRequestHeadersBytes: number;
  readonly maxHeadersCount: number;
  readonly headersWithUnderscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER';
  readonly maxRequestsPerConnection: number;

  /** Connection without a request; 0: none. */
  readonly idleTimeout: number;
  readonly maxConnectionDuration: number;
  /** Whole stream; 0: none. */
  readonly maxStreamDuration: number;
  readonly streamIdleTimeout: number;
  readonly requestTimeout: number;
  readonly requestHeadersTimeout: number;
  readonly drainTimeout: number;
  readonly delayedCloseTimeout: number;

  /** Clients are not heard that want another protocol. */
  readonly ignoresUpgrades?: ((type: string) => boolean) | undefined;
  readonly allowAbsoluteUrl: boolean;
  readonly acceptHttp10: boolean;
  readonly allowCustomMethods: boolean;
  readonly defaultHostForHttp10: string;
  readonly enableTrailers: boolean;
  readonly allowChunkedLength: boolean;
  /** `:status`-like capitalisation of header names on the way down. */
  readonly headerKeyFormat: 'lowercase' | 'proper-case' | 'preserve-case';
  readonly properOthers?: boolean;
  /** Keep the connection after an invalid message where possible. */
  readonly streamErrorOnInvalidMessage: boolean;

  readonly proxyStatus?: ProxyStatusProgram | undefined;
  /** Changes of a request before anything else is made of it. */
  readonly earlyMutations?: readonly HeaderMutations[];
  readonly serverName: string;
  readonly serverHeaderTransformation: 'OVERWRITE' | 'APPEND_IF_ABSENT' | 'PASS_THROUGH';
  readonly schemeOverwrite: string | undefined;
  readonly schemeMatchUpstream: boolean;
  readonly via: string;
  readonly addUserAgent: boolean;

  readonly useRemoteAddress: boolean;
  /** Asked before x-forwarded-for, which may not be asked at all then. */
  readonly ipHeaders?: readonly IpHeader[] | undefined;
  readonly asksXff?: boolean;
  readonly xffNumTrustedHops: number;
  /** Proxies whose word in x-forwarded-for is believed; undefined: those are counted instead. */
  readonly xffIsTrusted?: ((address: string) => boolean) | undefined;
  readonly skipXffAppend: boolean;
  readonly appendXForwardedPort: boolean;
  /** PROXY protocol headers towards clusters name the client of the request. */
  readonly namesClients: boolean;
  /** True for addresses that count as internal (`x-envoy-internal`, kept internal headers). */
  readonly isInternalAddress: (address: string) => boolean;
  readonly representIpv4AsMapped: boolean;

  readonly generateRequestId: boolean;
  readonly preserveExternalRequestId: boolean;
  readonly alwaysSetRequestIdInResponse: boolean;
  /** Whether the request id's 15th digit carries the trace decision. */
  readonly packTraceReason: boolean;
  /** Undefined: requests are not traced. */
  readonly tracing?: TracingProgram | undefined;

  readonly clientCert: ClientCertProgram;
  /** Per request; undefined: it is `clientCert` for all, as it is where nothing matches. */
  readonly chooseClientCert: Chooser<Asked, ClientCertProgram> | undefined;

  readonly proxy100Continue: boolean;
  /** Lowercase upgrade type → enabled by default for routes. `connect` is one of them. */
  readonly upgrades: ReadonlyMap<
    string,
    { readonly enabled: boolean; readonly filters: readonly HttpFilter[] | undefined }
  >;

  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT' | 'UNESCAPE_AND_FORWARD';
  readonly stripPort: 'none' | 'matching' | 'any';
  readonly stripTrailingHostDot: boolean;

  /** Undefined: Envoy's plain replies. */
  readonly localReply: LocalReplyProgram | undefined;
  readonly accessLogs: readonly AccessLogProgram[];
  readonly accessLogFlushInterval: number;
  readonly flushAccessLogOnNewRequest: boolean;
  /** Tunnels are logged when they are established, too. */
  readonly logsTunnels?: boolean;
}

export interface ProxyStatusProgram {
  readonly name: string;
  readonly details: boolean;
  readonly termination: boolean;
  readonly flags: boolean;
  /** The status that RFC 9209 recommends replaces the response's. */
  readonly recommended: boolean;
}

/** A header that says where a request comes from. */
export interface IpHeader {
  readonly name: string;
  /** The address may make a request internal. */
  readonly trusted: boolean;
  /** Undefined: what is asked next says it. */
  readonly rejectStatus: number | undefined;
}

export interface RouterProgram {
  readonly suppressEnvoyHeaders: boolean;
  /** Answers are counted, by status and by who asked. */
  readonly dynamicStats: boolean;
  /** Of gRPC requests only how many were answered. */
  readonly suppressGrpcRequestFailureCodeStats: boolean;
  readonly respectExpectedRqTimeout: boolean;
  readonly startChildSpan: boolean;
  /** What runtime keys say of all requests; undefined: there is no runtime. */
  readonly runtime?: RouterRuntime | undefined;
  readonly strictCheckHeaders: readonly string[];
  readonly upstreamLogs: readonly AccessLogProgram[];
  /** Attempts are logged when they have a connection, too, and every so often (milliseconds; 0: not). */
  readonly logsUpstreamStart?: boolean;
  readonly upstreamLogInterval?: number;
}

export interface RouterRuntime {
  /** Chance that a request may be retried at all. */
  readonly useRetry: Live<number>;
  /** Of retries whose policy does not say, milliseconds. */
  readonly baseBackOff: Live<number>;
  /** Chance that requests for a cluster are turned away. */
  maintenance(cluster: string): number;
}

export interface LocalReply {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  readonly headers: readonly HeaderChange[];
}
export interface LocalReplyProgram {
  /** What is sent instead of a local reply with this status and body. `stream.info.responseCode` is already the status. */
  rewrite(stream: LogSource, status: number, body: string): LocalReply;
}

/** One compiled header addition; the action is Envoy's `appendAction`. An empty value is dropped unless `keepEmpty`. */
export interface HeaderChange {
  readonly name: string;
  readonly action: 'append' | 'add-if-absent' | 'overwrite-or-add' | 'overwrite-if-exists';
  readonly keepEmpty: boolean;
  readonly value: (source: LogSource) => string;
}

// ---- access log --------------------------------------------------------------------------------------------------

/** What a log line is made of. An HttpStream is one; a TCP connection gives only `info`. */
export interface LogSource {
  readonly info: StreamInfo;
  /** Why there is a line; undefined: because a request ended. */
  readonly logType?: AccessLogType | undefined;
  readonly request?: RequestHead | undefined;
  readonly response?: ResponseHead | undefined;
  /** Response trailers, name and value in turn. */
  readonly trailers?: readonly string[] | undefined;
}

/** `ACCESS_LOG_TYPE`, as Envoy spells it. */
export type AccessLogType =
  | 'NotSet'
  | 'TcpUpstreamConnected'
  | 'TcpPeriodic'
  | 'TcpConnectionEnd'
  | 'DownstreamStart'
  | 'DownstreamPeriodic'
  | 'DownstreamEnd'
  | 'DownstreamTunnelSuccessfullyEstablished'
  | 'UpstreamPoolReady'
  | 'UpstreamPeriodic'
  | 'UpstreamEnd';

export interface AccessLogProgram {
  readonly shouldLog: ((source: LogSource) => boolean) | undefined;
  readonly target: AccessLogFile | AccessLogService;
}
export interface AccessLogFile {
  /** A file, or `/dev/stdout`, `/dev/stderr`. */
  readonly path: string;
  /** The whole line, newline included. */
  format(source: LogSource): string;
}
/** Takes entries and sends them on. */
export interface AccessLogService {
  log(source: LogSource): void;
}

// ---- routes ------------------------------------------------------------------------------------------------------

/** A compiled route configuration. Its insides are program/route's; `route()` (program/route/route.ts) reads it. */
export interface RouteConfigProgram {
  readonly name: string;
  /** Some route switches filters off. */
  readonly switchesFilters: boolean;
  readonly virtualHostNames: readonly string[];
  /** Every cluster a route names, for warnings and warming. */
  readonly clusterNames: readonly string[];
  /** Names under which requests are counted: virtual clusters, and stat prefixes of routes. */
  readonly requestGroups: readonly string[];
  /** Headers never sent from outside (`internalOnlyHeaders`), removed on the way up and down. */
  readonly internalOnlyHeaders: readonly string[];
  /** See route(). */
  readonly find: (request: RequestHead, info: StreamInfo, random: Random, trace: Trace | undefined) => RouteDecision;
}

// ---- tcp proxy ---------------------------------------------------------------------------------------------------

export interface TcpProxyProgram {
  readonly statPrefix: string;
  /** The only cluster, or one by weight: give a number in [0, 1). */
  readonly cluster: (random: number) => TcpClusterProgram;
  readonly clusterNames: readonly string[];
  /** Its clusters are chosen by weight, and nothing else. */
  readonly weighted: boolean;
  /** For a cluster that the filter state of a connection names. */
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  /** 0: none. Envoy's default is an hour. */
  readonly idleTimeout: number;
  readonly maxDownstreamConnectionDuration: number;
  /** Up to this fraction is added to it, by chance. */
  readonly maxDurationJitter: number;
  readonly maxConnectAttempts: number;
  /** How long to wait before another attempt; undefined: not at all. */
  readonly backOff: { readonly base: number; readonly max: number } | undefined;
  /** The upstream is connected to only once the client has said something. */
  readonly connectsOnData: boolean;
  readonly hashKey: ((connection: ConnectionInfo) => HashResult) | undefined;
  readonly tunnel: TunnelProgram | undefined;
  readonly accessLogs: readonly AccessLogProgram[];
  readonly accessLogFlushInterval: number;
  readonly flushAccessLogOnConnected: boolean;
}

export interface TcpClusterProgram {
  readonly name: string;
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
}

/** Connections go on as the payload of an HTTP request. */
export interface TunnelProgram {
  readonly hostname: (source: LogSource) => string;
  /** Undefined: CONNECT. */
  readonly postPath: string | undefined;
  readonly headers: HeaderMutations;
  /** Requests get an id in this field, which is kept as dynamic metadata under this key. */
  readonly requestId: { readonly header: string; readonly metadataKey: string } | undefined;
}

// ---- tls ---------------------------------------------------------------------------------------------------------

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface CommonTlsProgram {
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
  /** Of TLS 1.2, by OpenSSL's names; undefined: the default. TLS 1.3 suites are not chosen. */
  readonly ciphers: CipherGroups | undefined;
  readonly ecdhCurves: string | undefined;
  readonly signatureAlgorithms: string | undefined;
  /** Only what FIPS 140-3 approves, whatever else is said. */
  readonly fips?: boolean;
  readonly keyLog?: KeyLogProgram | undefined;
  readonly alpnProtocols: readonly string[];
  readonly certificates: readonly TlsCertificateProgram[];
  readonly certificateSecrets: readonly string[];
  /** Inline, or what the secret lacks: SAN matchers of a combined context apply beside the secret's roots. */
  readonly validation: ValidationProgram | undefined;
  readonly validationSecret: string | undefined;
}

export interface DownstreamTlsProgram extends CommonTlsProgram {
  readonly requireClientCertificate: boolean;
  /** Of the cipher suites of both sides the client's first is taken, not the server's. */
  readonly preferClientCiphers?: boolean;
  /** With a server name that none has, the certificates are searched for one with a key that suits the client. */
  readonly fullScanCertificates?: boolean;
  readonly sessionTickets: boolean;
  /** Sessions of clients that take no tickets are kept here. */
  readonly storedSessions?: boolean;
  /** The first encrypts; all decrypt. Undefined: made up. */
  readonly ticketKeys?: readonly Buffer[] | undefined;
  readonly ticketKeysSecret?: string | undefined;
  readonly ocspPolicy?: 'LENIENT_STAPLING' | 'STRICT_STAPLING' | 'MUST_STAPLE';
  readonly sessionTimeout: number | undefined;
}

export interface UpstreamTlsProgram extends CommonTlsProgram {
  readonly sni: string;
  /** SNI from the request's Host; SAN of the certificate checked against the SNI that was sent. */
  readonly autoHostSni: boolean;
  readonly autoSniSanValidation: boolean;
  readonly maxSessionKeys: number;
}

export interface TlsCertificateProgram {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly passphrase: string | undefined;
  /** Has certificate and key in place of the others; `certificateChainPem` is a copy of its certificate. */
  readonly pkcs12?: Buffer | undefined;
  readonly mustStaple?: boolean;
  /** The stapled response; `nextUpdate` in milliseconds since the epoch. */
  readonly ocsp?: { readonly response: Buffer; readonly nextUpdate: number } | undefined;
}

/** A file of secrets of handshakes (NSS key log), for connections between such addresses; an empty list is all. */
export interface KeyLogProgram {
  readonly path: string;
  readonly local: readonly Cidr[];
  readonly remote: readonly Cidr[];
}

export interface ValidationProgram {
  /** Undefined: certificates are not checked against roots (Envoy accepts any then). */
  readonly trustedCaPem: string | undefined;
  readonly systemRoots: boolean;
  /** Authorities by trust domain of SPIFFE; `trustedCaPem` has all of them. */
  readonly trustBundles?: TrustBundles | undefined;
  /** For every certificate of the chain. */
  readonly crlPem: string | undefined;
  /** For the peer's own certificate alone. */
  readonly leafRevocations?: readonly RevocationList[] | undefined;
  readonly acceptUntrusted: boolean;
  readonly allowExpired: boolean;
  /** SHA-256 of the certificate, lowercase hexadecimal without colons. */
  readonly certificateHashes: readonly string[];
  /** Base64 SHA-256 of the public key. */
  readonly spkiHashes: readonly string[];
  /** Empty: any. One must match one of the certificate's names. */
  readonly sanMatchers: readonly SanMatcher[];
  readonly maxVerifyDepth: number | undefined;
}
export interface SanMatcher {
  readonly type: 'ANY' | 'EMAIL' | 'DNS' | 'URI' | 'IP_ADDRESS' | 'OTHER_NAME';
  /** Of an `OTHER_NAME`. */
  readonly oid?: string;
  /** In words, e.g. `exact spiffe://cluster.local/ns/a/sa/b`. */
  readonly text: string;
  readonly matches: (san: string) => boolean;
}

export type SecretProgram =
  | { readonly kind: 'certificate'; readonly name: string; readonly certificate: TlsCertificateProgram }
  | { readonly kind: 'validation'; readonly name: string; readonly validation: ValidationProgram }
  | { readonly kind: 'ticket-keys'; readonly name: string; readonly keys: readonly Buffer[] }
  | { readonly kind: 'generic'; readonly name: string; readonly value: Buffer };

// ---- clusters and endpoints --------------------------------------------------------------------------------------

export interface ClusterProgram {
  /** Istio's exchange of metadata, with hosts that agree to it. */
  readonly peerExchange?: ExchangeProgram | undefined;
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
  /** STATIC, STRICT_DNS, LOGICAL_DNS: where its hosts are. */
  readonly endpoints: EndpointsProgram | undefined;
  readonly lb: LbProgram;
  /** As fractions; 0 turns panic off. */
  readonly panicThreshold: number;
  readonly localityWeighted: boolean;
  readonly zoneAware: {
    readonly routingEnabled: number;
    readonly minClusterSize: number;
    readonly failOnPanic: boolean;
  };
  readonly hashByHostname: boolean;
  readonly hashBalanceFactor: number;
  readonly closeConnectionsOnHostSetChange: boolean;
  readonly subsets: SubsetProgram | undefined;
  /** Health of hosts that a request may name before the load balancer is asked. */
  readonly overrideHealth: ReadonlySet<EndpointProgram['health']>;
  /** Requests may name their host in these. */
  readonly overrides: readonly OverrideSource[] | undefined;

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
  readonly tcpKeepalive:
    | { readonly time: number | undefined; readonly interval: number | undefined; readonly probes: number | undefined }
    | undefined;
  /** Addresses to connect from; undefined: nothing is said. */
  readonly sources: SourceAddresses | undefined;
  /** Requests share connections only with others of their downstream connection. */
  readonly poolPerConnection: boolean;
  /** Connections to a host for each request under way. */
  readonly preconnectRatio: number;
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
  readonly secretNames: readonly string[];
  readonly places: readonly ResourcePlace[];
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
  /** Already encoded; only version 2 carries them. */
  readonly tlvs: Buffer;
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
  readonly headerKeyFormat: 'lowercase' | 'proper-case' | 'preserve-case';
  /** What keeps the spelling of others spells names that are added here `Proper-Case`. */
  readonly properOthers?: boolean;
  /** What the cluster asks for itself; undefined: nothing of the kind. */
  readonly policies?: ClusterPolicies | undefined;
  /** Phrases of statuses are passed on. */
  readonly keepsReason?: boolean;
  /** Requests name scheme and host in their first line, as proxies want it. */
  readonly fullUrl?: boolean;
  readonly enableTrailers?: boolean;
  readonly autoSni: boolean;
  readonly autoSanValidation: boolean;
  readonly overrideAutoSniHeader: string;
  /** Its protocol is the one that the client speaks. */
  readonly followsDownstream?: boolean;
}

export type LbProgram =
  | { readonly policy: 'ROUND_ROBIN'; readonly slowStart: SlowStartProgram | undefined }
  | {
      readonly policy: 'LEAST_REQUEST';
      readonly choiceCount: number;
      readonly activeRequestBias: number;
      /** All hosts are compared, not a few. */
      readonly fullScan: boolean;
      readonly slowStart: SlowStartProgram | undefined;
    }
  | { readonly policy: 'RANDOM' }
  | {
      readonly policy: 'RING_HASH';
      readonly minimumRingSize: number;
      readonly maximumRingSize: number;
      readonly hashFunction: 'XX_HASH' | 'MURMUR_HASH_2';
    }
  | { readonly policy: 'MAGLEV'; readonly tableSize: number }
  | { readonly policy: 'CLUSTER_PROVIDED' };

export interface SlowStartProgram {
  readonly window: number;
  readonly aggression: number;
  readonly minWeight: number;
}

export interface SubsetProgram {
  readonly fallback: 'NO_FALLBACK' | 'ANY_ENDPOINT' | 'DEFAULT_SUBSET';
  readonly defaultSubset: JsonObject;
  readonly selectors: readonly SelectorProgram[];
  readonly localityWeightAware: boolean;
  /** A locality counts by how many of its hosts a subset has. */
  readonly scaleLocalityWeight: boolean;
  /** When nothing else is found, any host. */
  readonly panicModeAny: boolean;
  /** A list in a host's metadata stands for each of its values. */
  readonly listAsAny: boolean;
  /** Criteria may list others to be tried one after the other. */
  readonly metadataFallbackList: boolean;
  /** Criteria may have keys that no selector has. */
  readonly allowRedundantKeys: boolean;
}

/** Where requests name their host. */
export type OverrideSource =
  /** Lowercase. */
  | { readonly header: string; readonly metadata?: undefined }
  /** Path into the dynamic metadata, the filter's name first. */
  | { readonly header?: undefined; readonly metadata: readonly string[] };

export interface SelectorProgram {
  /** Sorted. */
  readonly keys: readonly string[];
  /** Undefined: as the cluster says. */
  readonly fallback: SubsetProgram['fallback'] | 'KEYS_SUBSET' | undefined;
  readonly fallbackKeys: readonly string[];
  /** A value stands for one host. */
  readonly singleHost: boolean;
}

export interface ThresholdsProgram {
  /** Gauges of what remains are shown. */
  readonly trackRemaining: boolean;
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  readonly retryBudget: { readonly fraction: number; readonly minConcurrency: number } | undefined;
}

/** Enforcing values are fractions of 1. */
export interface OutlierProgram {
  readonly interval: number;
  readonly baseEjectionTime: number;
  readonly maxEjectionTime: number;
  readonly maxEjectionTimeJitter: number;
  readonly maxEjectionFraction: number;
  readonly consecutive5xx: number;
  readonly enforcingConsecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly enforcingConsecutiveGatewayFailure: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailure: number;
  readonly enforcingConsecutiveLocalOriginFailure: number;
  readonly successRateMinimumHosts: number;
  readonly successRateRequestVolume: number;
  /** Standard deviations. */
  readonly successRateStdevFactor: number;
  readonly enforcingSuccessRate: number;
  readonly enforcingLocalOriginSuccessRate: number;
  readonly failurePercentageThreshold: number;
  readonly enforcingFailurePercentage: number;
  readonly enforcingFailurePercentageLocalOrigin: number;
  readonly failurePercentageMinimumHosts: number;
  readonly failurePercentageRequestVolume: number;
  readonly alwaysEjectOneHost: boolean;
  readonly successfulActiveHealthCheckUnejectHost: boolean;
  /** Hosts whose responses have `x-envoy-degraded` are used only where the others do not suffice. */
  readonly detectDegradedHosts: boolean;
}

export interface HealthCheckProgram {
  /** Tells the checks of a cluster with several apart. */
  readonly name: string;
  readonly timeout: number;
  readonly interval: number;
  readonly initialJitter: number;
  readonly intervalJitter: number;
  readonly intervalJitterFraction: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  readonly reuseConnection: boolean;
  readonly noTrafficInterval: number;
  readonly noTrafficHealthyInterval: number;
  readonly unhealthyInterval: number;
  readonly unhealthyEdgeInterval: number;
  readonly healthyEdgeInterval: number;
  /** Offered in place of the cluster's; undefined: the cluster's. */
  readonly alpnProtocols: readonly string[] | undefined;
  /** What chooses the transport in place of the endpoint's metadata. */
  readonly transportMatch: JsonObject | undefined;
  /** Files that get a line for every change. */
  readonly eventLogs: readonly string[];
  readonly logsFailures: boolean;
  readonly logsSuccesses: boolean;
  readonly check: CheckProgram;
}

export type CheckProgram =
  | {
      readonly kind: 'http';
      /** Empty: the cluster's name. */
      readonly host: string;
      readonly path: string;
      readonly method: string;
      readonly send: Buffer;
      /** Pieces of the body that must come in this order. */
      readonly receive: readonly Buffer[];
      /** So much of the body is looked at; 0: all. */
      readonly responseBufferSize: number;
      readonly headers: HeaderMutations;
      /** `[start, end)` pairs; default 200. */
      readonly expectedStatuses: readonly (readonly [number, number])[];
      readonly retriableStatuses: readonly (readonly [number, number])[];
      /** Judges `x-envoy-upstream-healthchecked-cluster`. */
      readonly serviceName: ((name: string) => boolean) | undefined;
      readonly http2: boolean;
    }
  | {
      readonly kind: 'tcp';
      readonly send: Buffer;
      readonly receive: readonly Buffer[];
      readonly proxyProtocol: ProxyProtocolProgram | undefined;
    }
  | {
      readonly kind: 'grpc';
      readonly serviceName: string;
      /** Empty: the cluster's name. */
      readonly authority: string;
      readonly headers: HeaderMutations;
    }
  | { readonly kind: 'redis'; readonly key: string };

export interface DnsProgram {
  readonly family: 'AUTO' | 'V4_ONLY' | 'V6_ONLY' | 'V4_PREFERRED' | 'ALL';
  readonly refreshRate: number;
  readonly failureBase: number;
  readonly failureMax: number;
  readonly respectTtl: boolean;
  readonly jitter: number;
  /** Dynamic forward proxy: how long an unused host stays, and how many there may be. */
  readonly hostTtl: number;
  readonly maxHosts: number;
}

export interface EndpointsProgram {
  /** EDS service name (the assignment's `clusterName`). */
  readonly name: string;
  /** In order of priority, then as given. */
  readonly localities: readonly LocalityProgram[];
  /** Percent, 140 unless told. */
  readonly overprovisioningFactor: number;
  readonly weightedPriorityHealth: boolean;
  /** Fraction of requests to drop. */
  readonly dropOverload: number;
  /** Forgotten when there is no other for so long, milliseconds; undefined: never. */
  readonly staleAfter?: number | undefined;
}
export interface LocalityProgram {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  readonly priority: number;
  /** Undefined: none was given; such localities get no share under locality-weighted balancing. */
  readonly weight: number | undefined;
  readonly endpoints: readonly EndpointProgram[];
}
export interface EndpointProgram {
  readonly address: AddressProgram;
  /** `internal` addresses: what tells endpoints of the same listener apart. */
  readonly endpointId: string;
  /** Tried one after the other where the first does not answer at once. */
  readonly additionalAddresses: readonly { readonly address: string; readonly port: number }[];
  readonly hostname: string;
  readonly weight: number;
  readonly health: 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED';
  /** Where health is asked for; undefined: the endpoint's own address. */
  readonly healthCheckAddress: { readonly address: string; readonly port: number } | undefined;
  readonly healthCheckHostname: string;
  readonly healthCheckDisabled: boolean;
  /** By filter name: `envoy.lb`, `envoy.transport_socket_match`, `istio`. */
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
}

import type { Asked } from '../match/known.ts';
import type { Live } from '../../runtime/live.ts';
import type { TracingProgram } from '../../tracing/program.ts';
import type { HttpFilter } from '../../types/filter.ts';
import type { RequestHead, ResponseHead } from '../../types/request.ts';
import type { HeaderMutations } from '../headers.ts';
import type { Chooser } from '../match/matcher.ts';
import type { AccessLogProgram, LogSource } from './access-log.ts';
import type { RouteConfigProgram } from './route.ts';

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
  readonly issuer?: boolean;
  /** As an array of objects, where what is there is none that is not. */
  readonly json?: boolean;
  readonly cert: boolean;
  readonly chain: boolean;
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
  /** Part of it by which it may last longer. */
  readonly maxConnectionJitter?: number;
  /** An old connection is only ended with the answer to a request that begins later. */
  readonly safeMaxConnectionDuration?: boolean;
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
  /** What upstreams are told of the proxy itself. */
  readonly userAgent: { readonly cluster: string; readonly node: string } | undefined;

  readonly useRemoteAddress: boolean;
  /** Asked before x-forwarded-for, which may not be asked at all then. */
  readonly ipHeaders?: readonly IpHeader[] | undefined;
  readonly asksXff?: boolean;
  readonly xffNumTrustedHops: number;
  /** Proxies whose word in x-forwarded-for is believed; undefined: those are counted instead. */
  readonly xffIsTrusted?: ((address: string) => boolean) | undefined;
  readonly skipXffAppend: boolean;
  /** What requests to a port are said to have come by. */
  readonly protoOfPort?: ReadonlyMap<number, string> | undefined;
  /** Part of the time before drained connections end that is added by chance. */
  readonly drainJitter?: number;
  /** Clients are added to x-forwarded-for though it is what says where requests come from. */
  readonly appendsUntrusted?: boolean;
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
}

export interface LocalReply {
  readonly body: string;
  readonly contentType: string;
}

export interface LocalReplyProgram {
  /**
   * Changes the head of a local reply, and says what its body is instead. `stream.info.responseCode` is already the status, and
   * `stream.response` the head.
   */
  rewrite(stream: LogSource, head: ResponseHead, body: string): LocalReply;
}

/** One compiled header addition; the action is Envoy's `appendAction`. An empty value is dropped unless `keepEmpty`. */
export interface HeaderChange {
  readonly name: string;
  /** The name or the value, as far as it is fixed, is none that HTTP has. */
  readonly invalid?: boolean;
  /** The value is made of what is known of the request: it may be anything. */
  readonly made?: boolean;
  readonly action: 'append' | 'add-if-absent' | 'overwrite-or-add' | 'overwrite-if-exists';
  readonly keepEmpty: boolean;
  readonly value: (source: LogSource) => string;
}

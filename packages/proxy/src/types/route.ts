import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { Headers } from '../http/headers.ts';
import type { HeaderMutations } from '../program/headers.ts';
import type { ProxyProtocolProgram } from '../program/types/cluster.ts';
import type { RouteDecorator, RouteTracing } from '../tracing/program.ts';
import type { HttpStream } from './filter.ts';
import type { PerFilter } from './per-filter.ts';
import type { RequestHead, ResponseHead, StreamInfo } from './request.ts';
import type { UpstreamHost } from './upstream.ts';

/** Where a request goes. Made by `route()` from a compiled route configuration and a request's head. */
export type RouteDecision =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'redirect';
      readonly route: RouteEntry;
      readonly status: number;
      readonly location: string;
      /** The request's path after the redirect's rewrite, for logs and header values; undefined: it stays. */
      readonly path?: string | undefined;
    }
  | {
      readonly kind: 'direct';
      readonly route: RouteEntry;
      readonly status: number;
      readonly body: string;
      readonly format?: DirectBody | undefined;
      /** For a status that has one: where the request was sent to. */
      readonly location?: string | undefined;
    }
  | {
      readonly kind: 'cluster';
      readonly route: RouteEntry;
      readonly cluster: string;
      readonly weighted: WeightedClusterEntry | undefined;
    };

/** Makes the body of a direct response; `%LOCAL_REPLY_BODY%` is the body that was configured. */
export interface DirectBody {
  readonly contentType: string;
  readonly text: (source: { readonly info: StreamInfo; readonly request?: RequestHead | undefined }) => string;
}

/** A compiled virtual host. program/ defines the details; others pass it on. */
export interface VirtualHostProgram {
  readonly name: string;
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  /** `rateLimits`, for rate limit filters. */
  readonly rateLimits?: readonly RateLimitPolicy[];
  readonly perFilter: PerFilter;
  /** Name of the virtual cluster that a request belongs to; undefined: there are none. */
  readonly virtualCluster?: ((request: RequestHead) => string) | undefined;
  readonly includeRequestAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  /** Retries say whether a timeout is why. */
  readonly includeIsTimeoutRetry?: boolean;
}

/** One of a route's `rateLimits`: what a request is counted as, undefined when this is not about it. */
export interface RateLimitPolicy {
  readonly stage: number;
  /** It counts when the stream ends, and nobody waits for the answer. */
  readonly onStreamDone: boolean;
  /** Somebody may switch it off by a runtime key; local limits then never have it. */
  readonly disableKey: string;
  /** Chance in [0, 1] that it counts. */
  readonly enabled: { readonly value: number };
  describe(stream: HttpStream): RateLimitDescriptor | undefined;
}

export interface RateLimitDescriptor {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly limit: { readonly requestsPerUnit: number; readonly unit: string } | undefined;
  /** Undefined: whatever counts by default. */
  readonly hitsAddend: number | undefined;
  /** What it counts is given back. */
  readonly negative?: boolean;
  /** Clients are told of it; undefined: as the filter says. */
  readonly headers?: boolean | undefined;
}

export interface WeightedClusterEntry {
  readonly name: string;
  /** Of the route and of this cluster, merged; replaces the action's. */
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  readonly perFilter: PerFilter;
}

export interface RouteEntry {
  readonly name: string;
  /** Its requests are counted under that, too. */
  readonly statPrefix?: string;
  /** `filterMetadata` of the route, by filter name. */
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
  readonly virtualHost: VirtualHostProgram;
  /** Index within its virtual host; with the virtual host's index it is the route's place in the xDS. */
  readonly index: number;
  readonly perFilter: PerFilter;
  readonly action: RouteActionProgram | undefined;
  readonly tracing?: RouteTracing | undefined;
  readonly decorator?: RouteDecorator | undefined;
  /** Applies request header changes and the path and host rewrite, in Envoy's order of specificity. */
  rewriteRequest(
    request: RequestHead,
    stream: HttpStream,
    weighted: WeightedClusterEntry | undefined,
    suppressEnvoyHeaders?: boolean,
  ): void;
  /** Of the response header changes, takes out what is to be removed. */
  readonly trimResponse?: (headers: Headers, weighted: WeightedClusterEntry | undefined) => void;
  /** Applies response header changes. */
  rewriteResponse(response: ResponseHead, stream: HttpStream, weighted: WeightedClusterEntry | undefined): void;
}

export interface RouteActionProgram {
  /** `maxStreamDuration` is there. */
  readonly limitsStreams: boolean;
  /** `rateLimits`, for rate limit filters. */
  readonly rateLimits?: readonly RateLimitPolicy[];
  /** The virtual host's count too, whatever the route has. */
  readonly includeVhRateLimits?: boolean;
  /** Milliseconds; 0 means none. */
  readonly timeout: number;
  readonly idleTimeout: number | undefined;
  readonly maxStreamDuration: number | undefined;
  readonly retry: RetryProgram | undefined;
  /** Attempts that take too long go on, with others beside them. */
  readonly hedges: boolean;
  readonly internalRedirect?: InternalRedirectProgram | undefined;
  readonly mirrors: readonly MirrorProgram[];
  readonly hashKey: ((request: RequestHead, stream: HttpStream) => HashResult) | undefined;
  /** Endpoint metadata (filter `envoy.lb`) that subset load balancing must match. */
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  readonly upgrades: ReadonlyMap<
    string,
    {
      readonly enabled: boolean;
      readonly terminateConnect: boolean;
      readonly allowPost?: boolean;
      readonly proxyProtocol?: ProxyProtocolProgram | undefined;
    }
  >;
  readonly maxGrpcTimeout: number | undefined;
  readonly clusterNotFoundStatus: number;
  /** Bytes of a request's body that may be kept for a retry, where the route or its virtual host says so. */
  readonly bufferLimit?: number | undefined;
  readonly priority: 'DEFAULT' | 'HIGH';
  /** `:authority` becomes the chosen endpoint's hostname, when it has one (DNS clusters). */
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  /** Taken from the deadline that `grpc-timeout` gives, in milliseconds. */
  readonly grpcTimeoutOffset: number;
  /** Bounds a `grpc-timeout` that then limits the whole stream (0: as the client says); undefined: does not. */
  readonly grpcTimeoutHeaderMax: number | undefined;
  readonly grpcTimeoutHeaderOffset: number;
}

/** Policies of a cluster for requests whose routes could have them too; absent: the route's count. */
export interface ClusterPolicies {
  readonly retry?: RetryProgram;
  readonly mirrors?: readonly MirrorProgram[];
  readonly hashKey?: ((request: RequestHead, stream: Pick<HttpStream, 'info'>) => HashResult) | undefined;
}

/** How far a request has been redirected within the proxy. */
export interface Redirects {
  count: number;
  /** Route left and route taken, of predicates that let no request go there twice. */
  readonly taken: Set<string>;
}

/** Whether a request may go from a route to another. */
export type RedirectPredicate = (
  from: string,
  target: string,
  redirects: Redirects,
  fromTls: boolean,
  toTls: boolean,
) => boolean;

export interface InternalRedirectProgram {
  readonly max: number;
  readonly codes: readonly number[];
  readonly crossScheme: boolean;
  /** Fields of the response that the request gets. */
  readonly copied: readonly string[];
  readonly predicates: readonly RedirectPredicate[];
}

export interface HashResult {
  /** 64-bit key, or undefined when no policy applied. */
  readonly key: bigint | undefined;
  /** A cookie to set on the response, when a cookie policy generated one. */
  readonly setCookie?: string;
}

export interface RetryProgram {
  /** Bit set of RetryOn (http/retry.ts). */
  readonly on: number;
  readonly numRetries: number;
  readonly perTryTimeout: number;
  readonly perTryIdleTimeout: number;
  readonly retriableStatusCodes: readonly number[];
  readonly retriableHeaders: readonly ((response: ResponseHead) => boolean)[];
  /** Undefined: the policy does not say. */
  readonly backOffBase: number | undefined;
  readonly backOffMax: number | undefined;
  /** When none of them matches the request, only a client can ask for retries of it. */
  readonly retriableRequestHeaders: readonly ((request: RequestHead) => boolean)[];
  /** Fields of a response that say how long to wait, the first that can be read counting. */
  readonly resetHeaders: readonly { readonly name: string; readonly unixTime: boolean }[];
  /** A longer wait than this is not believed. */
  readonly resetMax: number;
  readonly avoidPreviousHosts: boolean;
  /** Retries rather go to hosts that this does not say it of. */
  readonly avoids: ((host: UpstreamHost) => boolean) | undefined;
  /** Attempts after which priorities that were tried are left out; undefined: never. */
  readonly leavesPrioritiesAfter?: number | undefined;
  readonly hostSelectionAttempts: number;
}

export interface MirrorProgram {
  /** Empty: a field of the request names it. */
  readonly cluster: string;
  readonly clusterHeader?: string;
  /** Chance in [0, 1]. */
  readonly fraction: number;
  readonly disableShadowHostSuffix: boolean;
  /** Empty: the request's own, with a suffix. */
  readonly host?: string;
  /** Changes of the copy's head. */
  readonly mutations?: readonly HeaderMutations[];
  /** Whether the copy's span is sent; absent: as that of the request. */
  readonly traceSampled?: boolean;
}

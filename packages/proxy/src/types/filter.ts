import type { TraceReason } from '../tracing/request-id.ts';
import type { Transform } from 'node:stream';
import type { JsonObject } from '@mizzen/xds';
import type { SpanIds } from '../program/types/access-log.ts';
import type { RequestHead, ResponseHead, StreamInfo } from './request.ts';
import type { PerRoute } from './per-filter.ts';
import type { RouteDecision } from './route.ts';
import type { Trace } from './trace.ts';
import type { AlpnChoice } from './upstream.ts';

/** `undefined`: go on. `'stop'`: a local reply was sent. A promise: wait for it. */
export type FilterResult = undefined | 'stop' | Promise<undefined | 'stop'>;

/** A request on its way through the filters of one HTTP connection manager. */
export interface HttpStream {
  readonly request: RequestHead;
  readonly info: StreamInfo;
  /** What is to be offered upstream by ALPN in place of the cluster's own names. */
  upstreamAlpn: AlpnChoice | undefined;
  /** Set once the response's head is known. */
  response: ResponseHead | undefined;
  /** Chooses the route on first use and remembers it. */
  route(): RouteDecision;
  /** Forgets the chosen route, because something it depends on changed. */
  clearRoute(): void;
  /** What is configured for a filter below the connection manager, of whatever kind; a `PerRouteKind` reads it. */
  perRoute(filterName: string): PerRoute | undefined;
  sendLocalReply(
    status: number,
    body: string,
    details: string,
    flags: number,
    headers?: readonly [string, string][],
    more?: LocalReplyOptions,
  ): void;
  setMetadata(filter: string, value: JsonObject): void;
  /** The request is traced; `sampled`: its span is sent to whoever collects them. */
  readonly tracing?:
    | { readonly sampled: SpanIds | undefined; readonly ids: SpanIds | undefined; readonly reason: TraceReason }
    | undefined;
  /** The request has a body, or may have one. */
  readonly expectsBody: boolean;
  /** The lowercase protocol that an upgrade asks for, `connect`, or empty. */
  readonly upgrade: string;
  /** The response's head opens a tunnel: what follows is no body. */
  readonly tunnel: boolean;
  /**
   * Called in `onRequest`, before the promise is returned that waits for it: reads the body into memory, up to `limit`
   * bytes, while what comes after the filter waits. `partial`: there being more is no error, the first bytes are enough.
   * Without `partial` a larger body is answered with a 413, and the promise never settles.
   */
  collectBody(limit: number, partial: boolean): Promise<CollectedBody>;
  /** The same, but nobody needs the body: settles once all of the request has come. */
  passOverBody(): Promise<void>;
  /** So many bytes of a body are held at most, where a filter has no limit of its own. */
  readonly bodyLimit: number;
  /** No body follows the response's head. */
  readonly responseEnds: boolean;
  /** In `onResponse`: sends the body through something; `count` is told what goes in and what comes out; false: enough. */
  transformResponse(transform: Transform, count: (before: number, after: number) => boolean): void;
  /** The same of the request, in `onRequest`. Whoever changes the length takes the field that declares it out. */
  transformRequest(transform: Transform, count: (before: number, after: number) => boolean): void;
  /** The whole body has been read: it goes on with its length, if it came without. */
  declareLength(bytes: number): void;
}

export interface LocalReplyOptions {
  /** What a gRPC client is told, where that is not what the HTTP status means. */
  readonly grpcStatus?: number | undefined;
  /** Response flags that access logs see, and the mappers of local replies do not. */
  readonly flagsForLog?: number;
  /** A head that goes out as it is: no route, format or mapper changes it, and filters that see it know no status yet. */
  readonly bare?: boolean;
}

export interface CollectedBody {
  /** All that has been read, which for a part may be more than was asked for. */
  readonly data: Buffer;
  readonly complete: boolean;
}

/**
 * One compiled HTTP filter: shared by all requests of its connection manager, so it keeps nothing per request but what
 * it puts on the stream. Requests go through filters in order, responses in reverse.
 */
export interface HttpFilter {
  readonly name: string;
  /** Only routes that say so have it on. */
  readonly disabled?: boolean;
  onRequest?(stream: HttpStream, trace?: Trace): FilterResult;
  onResponse?(stream: HttpStream): FilterResult;
  /** Body bytes on the way up or down; returning nothing passes them on as they are. */
  onRequestData?(stream: HttpStream, data: Buffer, end: boolean): FilterResult;
  onResponseData?(stream: HttpStream, data: Buffer, end: boolean): FilterResult;
  /** Trailers on the way up or down, where there are some: what is to be sent in their place. */
  onRequestTrailers?(stream: HttpStream, trailers: readonly string[]): readonly string[];
  onResponseTrailers?(stream: HttpStream, trailers: readonly string[]): readonly string[];
  /** A body is over and no trailers follow it. */
  onRequestEnd?(stream: HttpStream): void;
  onResponseEnd?(stream: HttpStream): void;
  /** The route is about to be forgotten, whether or not the request has come so far. */
  onRouteCleared?(stream: HttpStream): void;
  /** The stream is over: what is under way for it is of no use any more. */
  onEnd?(stream: HttpStream): void;
  /** What the stream was can be noted, before access logs are; it may have been over for a while. */
  onLog?(stream: HttpStream): void;
}

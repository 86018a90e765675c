import type { JsonObject } from '@mizzen/xds';
import type { RouteConfigProgram } from '../program/types.ts';
import type { PerRoute, Redirects, RequestHead, RouteDecision } from '../types.ts';
import { afterReads } from './after-reads.ts';
import { Headers } from './headers.ts';
import { nameCluster, type StreamRecord } from './info.ts';
import { turnNow } from './turn.ts';
import type { HcmRuntime } from './runtime.ts';
import type { ServerConnection } from './server-connection.ts';

export const NO_ROUTE: RouteDecision = { kind: 'none' };
export const NO_REQUEST: RequestHead = { method: '', path: '', authority: '', scheme: '', headers: new Headers() };

/**
 * A request with the route it has, and what that says of its stream. A base of the stream's class, not a part of it, so
 * that a stream is one object.
 */
export abstract class RoutedStream {
  readonly connection: ServerConnection;
  readonly hcm: HcmRuntime;
  readonly info: StreamRecord;
  request: RequestHead = NO_REQUEST;
  /** It came with `x-envoy-…` fields, some of which may have been kept. */
  mayCarryEnvoyFields = false;
  /** It has followed responses that said where else to go. */
  redirects: Redirects | undefined = undefined;
  protected routes: RouteConfigProgram | undefined;
  /** Undefined: not made yet. */
  protected decision: RouteDecision | undefined;
  /** Milliseconds; 0: none. */
  protected idleTimeout = 0;

  constructor(connection: ServerConnection, info: StreamRecord) {
    this.connection = connection;
    this.hcm = connection.hcm;
    this.info = info;
  }

  route(): RouteDecision {
    let decision = this.decision;
    if (decision === undefined) {
      const { deps } = this.hcm;
      const begun = deps.routeTimes?.measured === true ? deps.clock.now() : 0;
      decision =
        this.routes === undefined ? NO_ROUTE : this.routes.find(this.request, this.info, deps.random, undefined);
      this.decision = decision;
      this.info.routeResolutions++;
      if (begun > 0) this.info.routeResolutionTime = (this.info.routeResolutionTime ?? 0) + deps.clock.now() - begun;
      if (decision.kind !== 'none') {
        const { route } = decision;
        this.info.routeName = route.name;
        this.info.virtualHostName = route.virtualHost.name;
        if (route.metadata !== undefined) this.info.routeMetadata = route.metadata;
        if (route.virtualHost.metadata !== undefined) this.info.virtualHostMetadata = route.virtualHost.metadata;
      }
      // Filters see where the request is to go before it does.
      nameCluster(this.info, decision.kind === 'cluster' ? this.hcm.cluster(decision.cluster) : undefined);
    }
    return decision;
  }

  /** Where the request goes with another head. Its route is that one from now on, though the head is not yet. */
  routeOf(request: RequestHead): RouteDecision {
    const { info } = this;
    const before = this.request;
    this.request = request;
    this.clearRoute();
    info.routeName = '';
    const decision = this.route();
    this.request = before;
    return decision;
  }

  clearRoute(): void {
    this.decision = undefined;
  }

  perRoute(filterName: string): PerRoute | undefined {
    const decision = this.route();
    // A virtual host says nothing of requests that none of its routes takes.
    if (decision.kind === 'none') return undefined;
    return ((decision.kind === 'cluster' ? decision.weighted : undefined) ?? decision.route).perFilter.get(filterName)
      ?.config;
  }

  setMetadata(filter: string, value: JsonObject): void {
    (this.info.dynamicMetadata ??= {})[filter] = value;
  }

  /** The client asked to be told the request's id. */
  get forcesTrace(): boolean {
    return this.mayCarryEnvoyFields && this.request.headers.has('x-envoy-force-trace');
  }

  /** Something of the stream has come or gone. */
  moved(): void {
    if (this.idleTimeout > 0) this.#armStreamIdle();
  }

  #armStreamIdle(): void {
    this.connection.deadlines.idle.set(turnNow(this.hcm.deps.clock) + this.idleTimeout);
  }
  /** A route's own idle timeout, milliseconds; 0 turns it off. */
  setStreamIdle(timeout: number): void {
    this.idleTimeout = timeout;
    if (timeout > 0) this.#armStreamIdle();
    else this.connection.deadlines.idle.clear();
  }
  /** A route's own limit for the whole stream, milliseconds; undefined turns it off. */
  setMaxDuration(limit: number | undefined): void {
    const { duration } = this.connection.deadlines;
    if (limit === undefined) duration.clear();
    else if (limit === 0) queueMicrotask(() => this.onMaxDuration());
    else if (this.info.startTime + limit > turnNow(this.hcm.deps.clock)) duration.set(this.info.startTime + limit);
    // It is over already: the request still leaves, as in Envoy, and nothing that it leads to comes first.
    else afterReads({ afterReads: () => this.onMaxDuration() });
  }

  abstract onMaxDuration(): void;
}

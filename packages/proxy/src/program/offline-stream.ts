import type { JsonObject } from '@mizzen/xds';
import { isOn } from '../filter/switch.ts';
import type { Random } from '../deps.ts';
import type {
  AlpnChoice,
  CollectedBody,
  ConnectionInfo,
  HttpFilter,
  HttpStream,
  PerRoute,
  RequestHead,
  ResponseHead,
  RouteDecision,
  StreamInfo,
  Trace,
} from '../types.ts';
import { route } from './route/route.ts';
import type { RouteConfigProgram } from './types.ts';

export interface OfflineReply {
  readonly status: number;
  readonly body: string;
  readonly details: string;
  readonly flags: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** A request without a connection: what the simulator and tests send through filters and routes. */
export class OfflineStream implements HttpStream {
  readonly request: RequestHead;
  readonly info: StreamInfo;
  response: ResponseHead | undefined;
  upstreamAlpn: AlpnChoice | undefined;
  /** Set by a filter that answered in place of an upstream. */
  reply: OfflineReply | undefined;
  readonly #routes: RouteConfigProgram | undefined;
  readonly #random: Random;
  readonly #trace: Trace | undefined;
  #decision: RouteDecision | undefined;

  constructor(
    request: RequestHead,
    connection: ConnectionInfo,
    routes: RouteConfigProgram | undefined,
    random: Random,
    trace?: Trace,
  ) {
    this.request = request;
    this.info = newStreamInfo(connection);
    this.#routes = routes;
    this.#random = random;
    this.#trace = trace;
  }

  route(): RouteDecision {
    this.#decision ??=
      this.#routes === undefined
        ? { kind: 'none' }
        : route(this.#routes, this.request, this.info, this.#random, this.#trace);
    return this.#decision;
  }

  /** Nobody offline sends a body. */
  readonly bodyLimit = 0;
  readonly expectsBody = false;
  readonly upgrade = '';
  readonly tunnel = false;
  readonly responseEnds = true;
  transformResponse(): void {}
  transformRequest(): void {}
  declareLength(): void {}
  collectBody(): Promise<CollectedBody> {
    return Promise.resolve({ data: Buffer.alloc(0), complete: true });
  }

  passOverBody(): Promise<void> {
    return Promise.resolve();
  }

  clearRoute(): void {
    this.#decision = undefined;
  }

  perRoute(filterName: string): PerRoute | undefined {
    const decision = this.route();
    if (decision.kind === 'none') return undefined;
    const weighted = decision.kind === 'cluster' ? decision.weighted : undefined;
    return (weighted ?? decision.route).perFilter.get(filterName)?.config;
  }

  sendLocalReply(
    status: number,
    body: string,
    details: string,
    flags: number,
    headers: readonly [string, string][] = [],
  ): void {
    this.reply = { status, body, details, flags, headers };
    this.info.responseCode = status;
    this.info.responseCodeDetails = details;
    this.info.responseFlags |= flags;
  }

  setMetadata(filter: string, value: JsonObject): void {
    this.info.dynamicMetadata ??= {};
    const old = this.info.dynamicMetadata[filter];
    this.info.dynamicMetadata[filter] = old === undefined ? value : { ...old, ...value };
  }

  #isOn(filter: HttpFilter): boolean {
    if (filter.disabled !== true && this.#routes?.switchesFilters !== true) return true;
    const decision = this.route();
    const weighted = decision.kind === 'cluster' ? decision.weighted : undefined;
    return isOn(filter, decision.kind === 'none' ? new Map() : (weighted ?? decision.route).perFilter);
  }

  /** Sends the request through filters in order; false: one of them answered. */
  async runFilters(filters: readonly HttpFilter[]): Promise<boolean> {
    for (const filter of filters) {
      if (!this.#isOn(filter)) continue;
      const result = filter.onRequest?.(this, this.#trace);
      if ((result instanceof Promise ? await result : result) === 'stop') return false;
    }
    return true;
  }
}

export function newStreamInfo(connection: ConnectionInfo): StreamInfo {
  return {
    connection,
    remoteAddress: connection.directRemoteAddress,
    startTime: -1,
    requestEndTime: -1,
    upstreamStartTime: -1,
    responseStartTime: -1,
    responseEndTime: -1,
    startWall: 0,
    bytesReceived: 0,
    bytesSent: 0,
    responseCode: 0,
    responseCodeDetails: '',
    responseFlags: 0,
    protocol: 'HTTP/1.1',
    attemptCount: 0,
    upstreamCluster: '',
    upstreamHost: '',
    upstreamLocalAddress: '',
    upstreamFailureReason: '',
    routeName: '',
    dynamicMetadata: undefined,
    terminatedBy: '',
  };
}

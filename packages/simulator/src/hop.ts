import type { Random } from '@mizzen/proxy/deps.ts';
import { fieldName, Seen } from '@mizzen/proxy/codec/names.ts';
import type { Headers } from '@mizzen/proxy/http/headers.ts';
import { normalizePath, type PathResult } from '@mizzen/proxy/http/path.ts';
import { mutateRequest } from '@mizzen/proxy/http/request-fields.ts';
import { OfflineStream } from '@mizzen/proxy/program/offline-stream.ts';
import type {
  ChainCriteria,
  FilterChainProgram,
  HcmProgram,
  ListenerProgram,
  RouteConfigProgram,
} from '@mizzen/proxy/program/types.ts';
import { flagNames } from '@mizzen/proxy/telemetry/access-log-flags.ts';
import {
  ResponseFlag,
  type ConnectionInfo,
  type RequestHead,
  type RouteDecision,
  type Trace,
} from '@mizzen/proxy/types.ts';
import type { NodePrograms, Verdict } from './types.ts';

/** A proxy that a connection has reached, with what it knows of the connection. */
export interface Arrival {
  readonly node: NodePrograms;
  readonly listener: ListenerProgram;
  readonly chain: FilterChainProgram;
  readonly connection: ConnectionInfo;
}

/** What a proxy did with a request: it answered, or sends it to a cluster. */
export type HopResult =
  | { readonly kind: 'ended'; readonly verdict: Verdict }
  | {
      readonly kind: 'forward';
      readonly cluster: string;
      readonly request: RequestHead;
      readonly decision: Extract<RouteDecision, { kind: 'cluster' }> | undefined;
    };

/** The listener bound to an address; `0.0.0.0` and `::` take every address. */
export function findListener(node: NodePrograms, address: string, port: number): ListenerProgram | undefined {
  const bound = (wanted: string) => (listener: ListenerProgram) =>
    [listener.address, ...listener.additionalAddresses].some(
      (a) => a.kind === 'socket' && a.port === port && a.address === wanted,
    );
  return (
    node.listeners.find(bound(address)) ?? node.listeners.find(bound('0.0.0.0')) ?? node.listeners.find(bound('::'))
  );
}

/** Chooses the filter chain. Undefined: the connection is closed. */
export function arrive(
  node: NodePrograms,
  listener: ListenerProgram,
  criteria: ChainCriteria,
  connection: ConnectionInfo,
  trace: Trace,
): Arrival | undefined {
  const chain = listener.selectChain(criteria, trace);
  return chain === undefined ? undefined : { node, listener, chain, connection };
}

/** Sends a request through the filters of a chain. */
export async function passThrough(
  arrival: Arrival,
  request: RequestHead,
  random: Random,
  trace: Trace,
): Promise<HopResult> {
  const { chain, connection } = arrival;
  for (const filter of chain.filters) {
    switch (filter.kind) {
      case 'rbac': {
        const decision = filter.rbac.check(connection, trace);
        if (!decision.allowed)
          return ended(undefined, '', '-', decision.details, 'the connection is closed: not authorized');
        break;
      }
      case 'gate':
        // Offline nobody is asked, and nothing has been counted.
        trace.push({ kind: 'gate', text: `${filter.gate.text}: the connection is taken to be let in` });
        break;
      case 'tcp_proxy': {
        const cluster = filter.tcp.cluster(random.float()).name;
        trace.push({ kind: 'tcp', text: `bytes are passed on to cluster "${cluster}"` });
        return { kind: 'forward', cluster, request, decision: undefined };
      }
      case 'http_connection_manager':
        return throughHttp(arrival, filter.hcm, request, random, trace);
    }
  }
  return ended(undefined, '', '-', '', 'the connection is closed: nothing takes it');
}

async function throughHttp(
  arrival: Arrival,
  hcm: HcmProgram,
  request: RequestHead,
  random: Random,
  trace: Trace,
): Promise<HopResult> {
  const { connection, listener, node } = arrival;
  const routes = routesOf(node, hcm, listener, request, trace);
  const stream = new OfflineStream(request, connection, routes, random, trace);
  const asked = request.path;
  const normal: PathResult = request.method === 'CONNECT' ? { path: asked, verdict: 'ok' } : normalizePath(asked, hcm);
  if (normal.verdict === 'reject')
    return ended(400, '', '-', 'path_normalization_failed', 'the path is not acceptable');
  if (normal.verdict === 'redirect') {
    return ended(307, '', '-', 'path_normalization_failed', `the client is sent to ${normal.path}`);
  }
  if (normal.path !== asked) trace.push({ kind: 'normalize', text: `path is normalized to ${normal.path}` });
  request.path = normal.path;
  normalizeAuthority(request, hcm, connection.localPort);
  mutateRequest(request, stream.info, seenIn(request.headers), hcm, routes, random);

  const decision = stream.route();
  if (!(await stream.runFilters(hcm.filters))) {
    const { status = 0, body = '', details = '' } = stream.reply ?? {};
    return ended(
      status,
      body,
      flagNames(stream.info.responseFlags) ?? '-',
      details,
      `${node.label} answers ${status}: ${body === '' ? details : body}`,
    );
  }
  return outcome(arrival, stream, decision, trace);
}

function outcome(arrival: Arrival, stream: OfflineStream, before: RouteDecision, trace: Trace): HopResult {
  const { label } = arrival.node;
  const decision = stream.route();
  if (decision !== before)
    trace.push({ kind: 'route', text: 'a filter changed the request, so the route was chosen again' });
  switch (decision.kind) {
    case 'none':
      return ended(
        404,
        '',
        flagNames(ResponseFlag.NR) ?? '',
        'route_not_found',
        `${label} answers 404: no route matches`,
      );
    case 'redirect':
      return ended(
        decision.status,
        '',
        '-',
        'direct_response',
        `${label} answers ${decision.status}: ${decision.location}`,
      );
    case 'direct':
      return ended(
        decision.status,
        decision.body,
        '-',
        'direct_response',
        `${label} answers ${decision.status}, as the route says`,
      );
    case 'cluster': {
      const { request } = stream;
      const { path, authority } = request;
      decision.route.rewriteRequest(request, stream, decision.weighted);
      if (request.path !== path) trace.push({ kind: 'rewrite', text: `path is rewritten to ${request.path}` });
      if (request.authority !== authority)
        trace.push({ kind: 'rewrite', text: `host is rewritten to ${request.authority}` });
      return { kind: 'forward', cluster: decision.cluster, request, decision };
    }
  }
}

function routesOf(
  node: NodePrograms,
  hcm: HcmProgram,
  listener: ListenerProgram,
  request: RequestHead,
  trace: Trace,
): RouteConfigProgram | undefined {
  const xds = { type: 'listener', resource: listener.name, path: [] } as const;
  let source = hcm.routes;
  if (source.kind === 'scoped') {
    const key = source.key(request);
    const scope = key === undefined ? undefined : source.scopes.get(key);
    if (scope === undefined) {
      trace.push({ kind: 'routes', matched: false, text: 'the request is in no scope of routes', xds });
      return undefined;
    }
    source = scope;
  }
  if (source.kind === 'inline') return source.config;
  const routes = node.routes.get(source.name);
  if (routes === undefined)
    trace.push({ kind: 'routes', matched: false, text: `route configuration "${source.name}" is not there`, xds });
  else
    trace.push({
      kind: 'routes',
      matched: true,
      text: `route configuration "${routes.name}" decides`,
      xds: { type: 'route', resource: routes.name, path: [] },
    });
  return routes;
}

export function ended(
  status: number | undefined,
  body: string,
  flags: string,
  details: string,
  text: string,
): HopResult {
  return { kind: 'ended', verdict: { reached: false, status, body, flags, details, text } };
}

/** Ports and dots that the connection manager takes off the host. */
function normalizeAuthority(request: RequestHead, hcm: HcmProgram, localPort: number): void {
  const [, host = '', port = ''] = /^(.*?)(:\d+)?$/.exec(request.authority) ?? [];
  const name = hcm.stripTrailingHostDot && host.endsWith('.') ? host.slice(0, -1) : host;
  const strip = hcm.stripPort === 'any' || (hcm.stripPort === 'matching' && port === `:${localPort}`);
  request.authority = strip && request.method !== 'CONNECT' ? name : name + port;
}

/** What the codec would have noted while it read these fields. */
function seenIn(headers: Headers): number {
  let seen: number = Seen.HOST;
  for (let i = 0; i < headers.flat.length; i += 2) {
    const name = headers.flat[i]!;
    seen |= fieldName(name, 0, name.length)?.seen ?? 0;
  }
  return seen;
}

import type { Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { hasIstioFilters, logsMetrics } from '../context.ts';
import { extensionsKey, httpExtensions } from '../extension/filters.ts';
import type { Phase } from '../extension/list.ts';
import { remember, type Build, type ListenerClass } from '../listener/build.ts';
import { CORS } from './cors.ts';
import { dynamicForwardProxies } from './dynamic-forward-proxy.ts';
import { extAuthzFilters } from './ext-authz.ts';
import { FAULT } from './fault.ts';
import { GRPC_STATS, GRPC_WEB } from './grpc-stats.ts';
import { ALPN, httpMetadataExchange, statsFilters } from './istio.ts';
import { jwtFilter } from './jwt.ts';
import { envoyPeerFilters } from './peer-metadata.ts';
import { rbacFilters } from './rbac.ts';
import { router } from './router.ts';

type HttpFilter = types.hcm.HttpFilter;

interface Place {
  readonly build: Build;
  readonly listener: ListenerClass;
  readonly protocol: Protocol | undefined;
  /** The port of the service or the container; 0 where there is no certain one. */
  readonly port: number;
  readonly suppressEnvoyHeaders: boolean;
  /** Wildcard services whose hosts are resolved per request. */
  readonly dynamicHosts: readonly string[];
}

/** Policies guard workloads and gateways, never what a sidecar's own application asks for. */
const guarded = ({ listener }: Place): boolean => listener !== 'outbound';
const onlyIstio = ({ build }: Place, filter: HttpFilter): readonly HttpFilter[] =>
  build.context.profile === 'istio' ? [filter] : [];

const extended = ({ build, listener, port }: Place, phase: Phase): readonly HttpFilter[] =>
  httpExtensions(build, listener, port, phase);

/** THE order of HTTP filters. A request passes them from the top; a response from the bottom. */
const ORDER: readonly ((place: Place) => readonly HttpFilter[])[] = [
  // Who the peer is, before anything that refuses requests, so that refusals are attributed too.
  (place) => (hasIstioFilters(place.build.context) ? [httpMetadataExchange(place.build, place.listener)] : []),
  (place) => (logsMetrics(place.build.context.proxy) ? envoyPeerFilters(place.build, place.listener) : []),
  // External authorization (CUSTOM) comes before everything that could already have let the request in.
  (place) => (guarded(place) ? extAuthzFilters(place.build) : []),
  // Extensions that find out who the client is come before those that verify it, and so on for each phase.
  (place) => extended(place, 'AUTHN'),
  // Tokens are verified before authorization, which reads their claims.
  (place) => (guarded(place) ? jwtFilter(place.build) : []),
  (place) => extended(place, 'AUTHZ'),
  // AUDIT, then DENY, then ALLOW.
  (place) => (guarded(place) ? rbacFilters(place.build) : []),
  // What the mesh let in; a phase that is not named is the last one.
  (place) => extended(place, 'STATS'),
  (place) => extended(place, 'UNSPECIFIED'),
  // gRPC-Web becomes gRPC before gRPC is counted. Mizzen's own proxy passes it on as it is.
  (place) => (place.protocol === 'grpc-web' && place.build.context.proxy.engine === 'envoy' ? [GRPC_WEB] : []),
  () => [GRPC_STATS],
  // Upstream ALPN follows from the downstream protocol; inbound traffic goes to the application, which has none.
  (place) => (place.listener === 'inbound' ? [] : onlyIstio(place, ALPN)),
  // Faults are injected only into requests that were let in.
  () => [FAULT],
  () => [CORS],
  // Metrics see what all of the above did to the response.
  (place) => statsFilters(place.build, place.listener),
  // Hosts are resolved last, when nothing changes them any more.
  (place) => (place.listener === 'outbound' ? dynamicForwardProxies(place.build.context, place.dynamicHosts) : []),
  (place) => [router(place.suppressEnvoyHeaders)],
];

/** The HTTP filters of a connection manager. */
export function httpFilters(
  build: Build,
  listener: ListenerClass,
  protocol: Protocol | undefined,
  port: number,
  suppressEnvoyHeaders: boolean,
  dynamicHosts: readonly string[],
): readonly HttpFilter[] {
  const extensions = extensionsKey(build, listener, port);
  const key = `${listener} ${protocol === 'grpc-web'} ${suppressEnvoyHeaders} ${extensions} ${dynamicHosts.join(' ')}`;
  const place: Place = { build, listener, protocol, port, suppressEnvoyHeaders, dynamicHosts };
  return remember(build.httpFilters, key, () => ORDER.flatMap((filters) => filters(place)));
}

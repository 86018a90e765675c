/**
 * Envoy's API as plain data: proto3 JSON in camelCase, exactly what Envoy's admin endpoint prints.
 * The interfaces in gen/ come from Envoy's own descriptors; this file names the ones used everywhere.
 */
export type { Any, Duration, Empty, JsonObject, JsonValue, Timestamp } from './json.ts';
export type { Listener } from './gen/envoy.config.listener.v3.ts';
export type { RouteConfiguration, Route, VirtualHost } from './gen/envoy.config.route.v3.ts';
export type { Cluster } from './gen/envoy.config.cluster.v3.ts';
export type { ClusterLoadAssignment } from './gen/envoy.config.endpoint.v3.ts';
export type { Secret } from './gen/envoy.extensions.transport_sockets.tls.v3.ts';
export type { TypedExtensionConfig } from './gen/envoy.config.core.v3.ts';
export type { Bootstrap } from './gen/envoy.config.bootstrap.v3.ts';
export type { HttpConnectionManager } from './gen/envoy.extensions.filters.network.http_connection_manager.v3.ts';
export * as types from './types.ts';
export * from './type-urls.ts';
export { LocalBodies } from './local-bodies.ts';
export type {
  LocalXdsForget,
  LocalXdsMessage,
  LocalXdsRequest,
  LocalXdsResource,
  LocalXdsResponse,
  LocalXdsUpdate,
} from './local.ts';

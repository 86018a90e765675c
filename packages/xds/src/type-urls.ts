/** What an Any's `@type` starts with. */
export const TYPE_PREFIX = 'type.googleapis.com/';

/** Type URLs of the resources that xDS carries. */
export const TypeUrl = {
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  runtime: 'type.googleapis.com/envoy.service.runtime.v3.Runtime',
  extension: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
} as const;

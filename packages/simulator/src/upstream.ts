import type {
  AddressProgram,
  ClusterProgram,
  EndpointProgram,
  EndpointsProgram,
  UpstreamTlsProgram,
  UpstreamTransportProgram,
} from '@mizzen/proxy/program/types.ts';
import type { RouteActionProgram, Trace } from '@mizzen/proxy/types.ts';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import { ended, type HopResult } from './hop.ts';
import type { NodePrograms } from './types.ts';

/** Where a cluster sends a request. */
export type Target =
  | { readonly kind: 'ended'; readonly result: Extract<HopResult, { kind: 'ended' }> }
  /** `tls` undefined: plain text. */
  | { readonly kind: 'endpoint'; readonly address: AddressProgram; readonly tls: UpstreamTlsProgram | undefined }
  /** The host that was asked for, resolved when it is needed. */
  | { readonly kind: 'named'; readonly host: string };

/** Explains a cluster and picks an endpoint: the first that would get requests. */
export function toUpstream(
  node: NodePrograms,
  name: string,
  authority: string,
  action: RouteActionProgram | undefined,
  trace: Trace,
): Target {
  const cluster = node.clusters.get(name);
  const xds = { type: 'cluster', resource: name, path: [] } as const;
  if (cluster === undefined) {
    const status = action?.clusterNotFoundStatus ?? 503;
    trace.push({ kind: 'cluster', matched: false, text: `there is no cluster "${name}"`, xds });
    return {
      kind: 'ended',
      result: asEnded(
        ended(status, '', 'NC', 'cluster_not_found', `${node.label} answers ${status}: no cluster "${name}"`),
      ),
    };
  }
  trace.push({ kind: 'cluster', matched: true, text: describeCluster(cluster), xds });
  if (action !== undefined) trace.push({ kind: 'policy-of-route', text: describeAction(action) });
  if (cluster.type === 'DYNAMIC_FORWARD_PROXY' || cluster.type === 'ORIGINAL_DST')
    return { kind: 'named', host: authority };

  const assignment = cluster.type === 'EDS' ? node.endpoints.get(cluster.edsServiceName) : cluster.endpoints;
  const at = cluster.type === 'EDS' ? ({ type: 'endpoint', resource: cluster.edsServiceName, path: [] } as const) : xds;
  const usable = usableEndpoints(assignment);
  const [first] = usable;
  trace.push({ kind: 'endpoints', matched: first !== undefined, text: describeEndpoints(assignment, usable), xds: at });
  if (first === undefined) {
    return {
      kind: 'ended',
      result: asEnded(
        ended(
          503,
          'no healthy upstream',
          'UH',
          'no_healthy_upstream',
          `${node.label} answers 503: no healthy upstream`,
        ),
      ),
    };
  }
  const transport = transportFor(cluster, first);
  trace.push({ kind: 'tls', text: describeTransport(transport.program, node), xds: { ...xds, path: transport.path } });
  const tls = tlsOf(transport.program);
  if ((cluster.type === 'STRICT_DNS' || cluster.type === 'LOGICAL_DNS') && first.address.kind === 'socket') {
    return { kind: 'named', host: `${first.address.address}:${first.address.port}` };
  }
  return { kind: 'endpoint', address: first.address, tls };
}

function asEnded(result: HopResult): Extract<HopResult, { kind: 'ended' }> {
  if (result.kind !== 'ended') throw new Error('not ended');
  return result;
}

/** Of the first priority that has any: those that are not unhealthy and not draining. */
function usableEndpoints(assignment: EndpointsProgram | undefined): readonly EndpointProgram[] {
  const localities = assignment?.localities ?? [];
  for (const priority of new Set(localities.map((locality) => locality.priority))) {
    const usable = localities
      .filter((locality) => locality.priority === priority)
      .flatMap((locality) => locality.endpoints)
      .filter((endpoint) => endpoint.health === 'HEALTHY' || endpoint.health === 'UNKNOWN');
    if (usable.length > 0) return usable;
  }
  return [];
}

function describeCluster(cluster: ClusterProgram): string {
  const { DEFAULT: limits } = cluster.thresholds;
  const parts = [`cluster "${cluster.name}": ${cluster.type}, ${cluster.lb.policy}`];
  if (limits.maxConnections < 2 ** 32 - 1) parts.push(`at most ${limits.maxConnections} connections`);
  if (limits.maxPendingRequests < 2 ** 32 - 1) parts.push(`${limits.maxPendingRequests} requests waiting`);
  if (cluster.outlierDetection !== undefined)
    parts.push(`endpoints put out after ${cluster.outlierDetection.consecutive5xx} errors in a row`);
  return parts.join(', ');
}

function describeAction(action: RouteActionProgram): string {
  const parts = [action.timeout === 0 ? 'no timeout' : `timeout ${action.timeout / 1000} s`];
  if (action.retry !== undefined && action.retry.numRetries > 0) {
    const each = action.retry.perTryTimeout === 0 ? '' : `, ${action.retry.perTryTimeout / 1000} s each`;
    parts.push(`up to ${action.retry.numRetries} retries${each}`);
  } else parts.push('no retries');
  for (const mirror of action.mirrors) parts.push(`${mirror.fraction * 100} % mirrored to "${mirror.cluster}"`);
  return parts.join('; ');
}

function addressText(address: AddressProgram): string {
  switch (address.kind) {
    case 'socket':
      return `${address.address}:${address.port}`;
    case 'pipe':
      return address.path;
    case 'internal':
      return `internal listener "${address.name}"`;
  }
}

function describeEndpoints(assignment: EndpointsProgram | undefined, usable: readonly EndpointProgram[]): string {
  const all = (assignment?.localities ?? []).flatMap((locality) => locality.endpoints);
  if (all.length === 0) return 'no endpoints';
  const rest = all.length - usable.length;
  const some = usable
    .slice(0, 5)
    .map((endpoint) => addressText(endpoint.address))
    .join(', ');
  const more = usable.length > 5 ? ` and ${usable.length - 5} more` : '';
  const others = rest === 0 ? '' : `; ${rest} not healthy or of a later priority`;
  return usable.length === 0
    ? `none of ${all.length} endpoints is healthy`
    : `${usable.length} ${usable.length === 1 ? 'endpoint' : 'endpoints'}: ${some}${more}${others}`;
}

/** The transport of the first match that the endpoint's metadata fits. */
function transportFor(
  cluster: ClusterProgram,
  endpoint: EndpointProgram,
): { readonly program: UpstreamTransportProgram; readonly path: readonly (string | number)[] } {
  const metadata = endpoint.metadata?.['envoy.transport_socket_match'] ?? {};
  const index = cluster.transportMatches.findIndex(({ match }) => contains(metadata, match));
  if (index < 0) return { program: cluster.transport, path: ['transportSocket'] };
  return { program: cluster.transportMatches[index]!.transport, path: ['transportSocketMatches', index] };
}

function contains(metadata: JsonObject, match: JsonObject): boolean {
  return Object.entries(match).every(([key, value]) => same(metadata[key], value));
}

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function tlsOf(transport: UpstreamTransportProgram): UpstreamTlsProgram | undefined {
  switch (transport.kind) {
    case 'raw':
      return undefined;
    case 'tls':
      return transport.tls;
    case 'proxy_protocol':
      return tlsOf(transport.inner);
  }
}

/** A client certificate is shown when there is one to show. */
export function presentsCertificate(tls: UpstreamTlsProgram): boolean {
  return tls.certificateSecrets.length > 0 || tls.certificates.length > 0;
}

function describeTransport(transport: UpstreamTransportProgram, node: NodePrograms): string {
  const tls = tlsOf(transport);
  if (tls === undefined) return 'plain text';
  const parts = [presentsCertificate(tls) ? `mutual TLS as ${node.identity ?? 'nobody'}` : 'TLS'];
  if (tls.sni !== '') parts.push(`server name ${tls.sni}`);
  const sans = tls.validation?.sanMatchers ?? [];
  if (sans.length > 0) parts.push(`the other side's name ${sans.map((san) => san.text).join(' or ')}`);
  return parts.join(', ');
}

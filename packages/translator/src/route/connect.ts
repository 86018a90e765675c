import type { EgressListener, Service, ServicePort } from '@mizzen/model';
import { MESH_GATEWAY, fits, isSubsetOf } from '@mizzen/model';
import type { networking } from '@mizzen/api';
import type { Route, types } from '@mizzen/xds';
import { isAlias } from '../aliases.ts';
import type { TranslationContext } from '../context.ts';
import type { Draft } from '../draft.ts';
import { BLOCK_ALL, CONNECT_TUNNEL, isHttp, outboundCluster, virtualHost } from '../names.ts';
import { type BuiltRoute, type BuiltVirtualHost, at, plainRoute } from './built.ts';
import { catchAllCluster } from './catch-all.ts';
import { serviceDomains } from './domains.ts';

/**
 * CONNECT on the HTTP proxy port of one machine. To an HTTP port it leads back into the proxy, where the payload is
 * routed like any request; to any other port it carries bytes to the service; to an undeclared host, to that host.
 */
export function withConnect(
  context: TranslationContext,
  hosts: readonly BuiltVirtualHost[],
  listener: EgressListener,
): BuiltVirtualHost[] {
  const tunnelled = hosts.map((host): BuiltVirtualHost => {
    const route = host.domains.includes('*') ? toUndeclared(context, host) : UNSEEN;
    return { ...host, routes: [plainRoute(route, host.origin), ...host.routes] };
  });
  const claimed = new Set(tunnelled.flatMap((host) => host.domains));
  return [...byteHosts(context, listener, claimed), ...tunnelled];
}

/** A route that takes CONNECT and passes the payload on as bytes. */
function tunnel(cluster: string): Route {
  return terminate({ cluster });
}

/** What comes through it is traced as what it is. */
const UNSEEN: Route = {
  ...tunnel(CONNECT_TUNNEL),
  tracing: { clientSampling: { numerator: 0 }, randomSampling: { numerator: 0 }, overallSampling: { numerator: 0 } },
};

function terminate(action: types.route.RouteAction): Route {
  const out: Draft<types.route.RouteAction> = { ...action };
  out.timeout = '0s';
  out.upgradeConfigs = [{ upgradeType: 'CONNECT', connectConfig: {} }];
  return { name: 'connect', match: { connectMatcher: {} }, route: out };
}

function toUndeclared(context: TranslationContext, host: BuiltVirtualHost): Route {
  if (host.name === BLOCK_ALL)
    return { name: BLOCK_ALL, match: { connectMatcher: {} }, directResponse: { status: 502 } };
  return tunnel(catchAllCluster(context));
}

/** Services' ports that are not HTTP. Plain requests are passed on too: they would reach the port as bytes. */
function byteHosts(context: TranslationContext, listener: EgressListener, claimed: Set<string>): BuiltVirtualHost[] {
  const out: BuiltVirtualHost[] = [];
  for (const service of listener.services) {
    if (isAlias(context, service)) continue;
    for (const port of service.ports) {
      if (isHttp(port.protocol) || port.protocol === 'auto' || port.protocol === 'udp') continue;
      const { domains } = serviceDomains(context, service, [], port.port);
      const own = domains.filter((domain) => domain.endsWith(`:${port.port}`) && !claimed.has(domain));
      if (own.length === 0) continue;
      for (const domain of own) claimed.add(domain);
      const origin = at(service.resource, 'spec');
      const { action, source } = bytesTo(context, listener, service, port);
      const routes: BuiltRoute[] = [
        plainRoute(terminate(action), source ?? origin),
        plainRoute({ name: 'default', match: { prefix: '/' }, route: { ...action, timeout: '0s' } }, source ?? origin),
      ];
      out.push({ name: virtualHost(service.hostname, port.port), domains: own, routes, origin, message: {} });
    }
  }
  return out;
}

/** A VirtualService's first tcp (or, for TLS ports, tls) route for this port; without one, the service itself. */
function bytesTo(
  context: TranslationContext,
  listener: EgressListener,
  service: Service,
  port: ServicePort,
): { readonly action: types.route.RouteAction; readonly source: BuiltVirtualHost['origin'] } {
  for (const virtualService of listener.virtualServices) {
    const { spec } = virtualService;
    if (!(spec.hosts ?? []).some((host) => isSubsetOf(service.hostname, host))) continue;
    for (const [index, route] of (spec.tls ?? []).entries()) {
      const chosen = (route.match ?? []).some(
        (match) =>
          matches(context, match, port) && (match.sniHosts ?? []).some((sni) => isSubsetOf(service.hostname, sni)),
      );
      if (chosen)
        return { action: destinations(route.route ?? [], port), source: at(virtualService, 'spec', 'tls', index) };
    }
    for (const [index, route] of (spec.tcp ?? []).entries()) {
      const all = route.match ?? [];
      if (all.length > 0 && !all.some((match) => matches(context, match, port))) continue;
      return { action: destinations(route.route ?? [], port), source: at(virtualService, 'spec', 'tcp', index) };
    }
  }
  return { action: { cluster: outboundCluster(port.port, '', service.hostname) }, source: undefined };
}

function matches(
  context: TranslationContext,
  match: networking.L4MatchAttributes | networking.TLSMatchAttributes,
  port: ServicePort,
): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== port.port) return false;
  const gateways = match.gateways ?? [];
  if (gateways.length > 0) return gateways.includes(MESH_GATEWAY);
  const namespace = match.sourceNamespace ?? '';
  if (namespace !== '' && namespace !== context.proxy.namespace) return false;
  return fits(match.sourceLabels, context.proxy.labels);
}

function destinations(routes: readonly networking.RouteDestination[], port: ServicePort): types.route.RouteAction {
  const clusterOf = (to: networking.Destination | undefined): string =>
    outboundCluster(to?.port?.number ?? port.port, to?.subset ?? '', to?.host ?? '');
  const [only] = routes;
  if (routes.length === 1 && only !== undefined) return { cluster: clusterOf(only.destination) };
  const clusters = routes
    .filter((to) => (to.weight ?? 0) > 0)
    .map((to) => ({ name: clusterOf(to.destination), weight: to.weight }));
  return { weightedClusters: { clusters } };
}

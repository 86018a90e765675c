import { intersectHosts, isVisible, isWildcard, type Service } from '@mizzen/model';
import type { RouteConfiguration } from '@mizzen/xds';
import { isAlias } from '../aliases.ts';
import type { TranslationContext } from '../context.ts';
import { type GatewayServer, mergeGateways } from '../gateways.ts';
import { virtualHost } from '../names.ts';
import type { OriginTree } from '../origins.ts';
import type { RouteScope } from './action.ts';
import { type BuiltRoute, type BuiltVirtualHost, type VirtualService, assemble, at } from './built.ts';
import { toHttpTwins } from './http-twins.ts';
import { isCatchAll } from './match.ts';
import { attemptCount, forwardsHost } from './proxy-headers.ts';
import { virtualServiceRoutes } from './virtual-service.ts';

interface Draft {
  readonly name: string;
  readonly domains: string[];
  readonly groups: (readonly BuiltRoute[])[];
  requireTls: boolean;
  readonly origin: BuiltVirtualHost['origin'];
}

/** What the servers behind one route configuration of a gateway answer, by the VirtualServices bound to them. */
export function gatewayRoute(context: TranslationContext, routeName: string, tree: OriginTree): RouteConfiguration {
  const servers = mergeGateways(context).serversByRoute.get(routeName);
  if (servers === undefined) return { name: routeName, validateClusters: false };
  const byHost = new Map<string, Draft>();
  const built = new Map<string, readonly BuiltRoute[]>();
  for (const server of servers) {
    for (const virtualService of context.model.virtualServices(context.proxy.namespace, server.gatewayName)) {
      addVirtualService(context, server, virtualService, byHost, built);
    }
    if (server.server.tls?.httpsRedirect === true) requireTls(server, byHost);
  }
  const hosts = byHost.size === 0 ? [nothing(servers[0]!)] : collapse(context, byHost);
  hosts.sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = context.proxy.local === undefined ? hosts : toHttpTwins(context, hosts);
  return assemble(routeName, all, tree, true);
}

function addVirtualService(
  context: TranslationContext,
  server: GatewayServer,
  virtualService: VirtualService,
  byHost: Map<string, Draft>,
  built: Map<string, readonly BuiltRoute[]>,
): void {
  const { namespace, name } = virtualService.metadata;
  const hosts = sharedHosts(server, virtualService);
  if (hosts.length === 0) return;
  const port = server.server.port?.number ?? 0;
  const key = `${server.gatewayName} ${namespace}/${name}`;
  let routes = built.get(key);
  if (routes === undefined) {
    routes = virtualServiceRoutes(
      context,
      virtualService,
      routeScope(context, server, virtualService),
      server.gatewayName,
    );
    if (routes.length === 0) return;
    built.set(key, routes);
  }
  for (const host of hosts) {
    const known = byHost.get(host);
    if (known !== undefined) {
      known.groups.push(routes);
      continue;
    }
    byHost.set(host, {
      name: virtualHost(host, port),
      domains: [host],
      groups: [routes],
      requireTls: false,
      origin: at(virtualService, 'spec'),
    });
  }
}

/** What a server's hosts (those meant for the VirtualService's namespace) and the VirtualService's have in common. */
function sharedHosts(server: GatewayServer, virtualService: VirtualService): string[] {
  const { namespace } = virtualService.metadata;
  const out = new Set<string>();
  for (const written of server.hosts) {
    const slash = written.indexOf('/');
    if (slash >= 0 && written.slice(0, slash) !== namespace && written.slice(0, slash) !== '*') continue;
    for (const host of virtualService.spec.hosts ?? []) {
      const shared = intersectHosts(written.slice(slash + 1), host);
      if (shared !== undefined) out.add(shared.toLowerCase());
    }
  }
  return [...out];
}

function routeScope(
  context: TranslationContext,
  { server }: GatewayServer,
  virtualService: VirtualService,
): RouteScope {
  const { model, proxy, scope } = context;
  const { namespace } = virtualService.metadata;
  const service = (hostname: string): Service | undefined => {
    const near = model.serviceIn(hostname, namespace);
    const seen = near !== undefined && isVisible(near.exportTo, proxy.namespace);
    const found = seen ? near : scope.service(hostname);
    return found === undefined || isAlias(context, found) ? found : { ...found, externalName: undefined };
  };
  return {
    port: server.port?.number ?? 0,
    tls: server.tls !== undefined,
    defaultRetries: model.mesh.defaultHttpRetryPolicy,
    forwardsHost: forwardsHost(context),
    service,
    destinationRule: (hostname) => scope.destinationRule(hostname),
  };
}

function requireTls(server: GatewayServer, byHost: Map<string, Draft>): void {
  for (const written of server.hosts) {
    const host = written.slice(written.indexOf('/') + 1).toLowerCase();
    const known = byHost.get(host);
    if (known !== undefined) {
      known.requireTls = true;
      continue;
    }
    byHost.set(host, {
      name: virtualHost(host, server.server.port?.number ?? 0),
      domains: [host],
      groups: [],
      requireTls: true,
      origin: at(server.gateway, 'spec', 'servers', server.index),
    });
  }
}

/** Hosts with the same routes become one virtual host; what takes everything goes last within each. */
function collapse(context: TranslationContext, byHost: ReadonlyMap<string, Draft>): BuiltVirtualHost[] {
  const kept: Draft[] = [];
  for (const host of [...byHost.keys()].sort(moreSpecific)) {
    const draft = byHost.get(host)!;
    const same = kept.find(
      (other) =>
        other.requireTls === draft.requireTls &&
        other.groups.length === draft.groups.length &&
        other.groups.every((group, i) => group === draft.groups[i]),
    );
    if (same === undefined) kept.push(draft);
    else same.domains.push(...draft.domains);
  }
  const counts = attemptCount(context) ? { includeRequestAttemptCount: true } : {};
  return kept.map(({ name, domains, groups, requireTls: tls, origin }) => {
    const routes = groups.flat();
    return {
      name,
      domains,
      routes: [
        ...routes.filter(({ route }) => !isCatchAll(route.match)),
        ...routes.filter(({ route }) => isCatchAll(route.match)),
      ],
      origin,
      message: tls ? { ...counts, requireTls: 'ALL' } : counts,
    };
  });
}

/** Istio's order of hosts: wildcards last, longer ones first, then by name. */
function moreSpecific(a: string, b: string): number {
  if (isWildcard(a) !== isWildcard(b)) return isWildcard(a) ? 1 : -1;
  return b.length - a.length || (a < b ? -1 : 1);
}

/** No VirtualService is bound to any of the servers: every request gets 404. */
function nothing(server: GatewayServer): BuiltVirtualHost {
  const name = virtualHost('blackhole', server.server.port?.number ?? 0);
  return { name, domains: ['*'], routes: [], origin: at(server.gateway, 'spec', 'servers', server.index), message: {} };
}

import {
  hasGatewaySemantics,
  hostsOverlap,
  isWildcard,
  MESH_GATEWAY,
  mostSpecific as mostSpecificHost,
  type EgressListener,
  type Service,
  type ServicePort,
} from '@mizzen/model';
import { isAlias } from '../aliases.ts';
import type { TranslationContext } from '../context.ts';
import { isHttp, outboundCluster, virtualHost } from '../names.ts';
import { type RouteScope, hashPolicy, serviceHash, setTimeout } from './action.ts';
import { type BuiltRoute, type BuiltVirtualHost, type VirtualService, at, plainRoute } from './built.ts';
import { aliasesByTarget, serviceDomains } from './domains.ts';
import { attemptCount, forwardsHost } from './proxy-headers.ts';
import { retryPolicy } from './retry.ts';
import { virtualServiceRoutes } from './virtual-service.ts';
import type { Draft } from '../draft.ts';
import type { types } from '@mizzen/xds';

interface Candidate {
  readonly service: Service;
  readonly port: ServicePort;
}
type Named<T> = ReadonlyMap<string, T>;

/** Routes, and the names they are for: services, or other hosts that a VirtualService gives. */
interface Wrapper {
  readonly port: number;
  readonly routes: readonly BuiltRoute[];
  readonly hosts: readonly string[];
  readonly services: readonly Candidate[];
  readonly virtualService: VirtualService | undefined;
}

/**
 * Virtual hosts for every HTTP service on `port` that an egress listener sees: by its VirtualServices, or straight to the
 * service. `withPorts`: names are written with their port too, for listeners that are not about one port.
 */
export function portVirtualHosts(
  context: TranslationContext,
  listener: EgressListener,
  port: number,
  withPorts: boolean,
): BuiltVirtualHost[] {
  const candidates = new Map<string, Candidate>();
  for (const service of listener.services) {
    const servicePort = service.ports.find((candidate) => candidate.port === port);
    if (servicePort !== undefined) candidates.set(service.hostname, { service, port: servicePort });
  }
  const scope: RouteScope = {
    port,
    tls: false,
    defaultRetries: context.model.mesh.defaultHttpRetryPolicy,
    forwardsHost: forwardsHost(context),
    service: (hostname) => {
      const candidate = candidates.get(hostname);
      if (candidate === undefined) return undefined;
      const { service, port: only } = candidate;
      return { ...service, ports: [only], externalName: isAlias(context, service) ? service.externalName : undefined };
    },
    destinationRule: (hostname) => context.scope.destinationRule(hostname),
  };
  return name(context, wrap(context, listener, candidates, scope), withPorts ? 'with-port' : 'bare');
}

/**
 * The same for a listener that is about no port (an HTTP proxy, a Unix domain socket), as istiod has it: the routes of a
 * VirtualService are made once for all ports of its services.
 */
export function everyPortVirtualHosts(context: TranslationContext, listener: EgressListener): BuiltVirtualHost[] {
  const services = new Map<string, Service>();
  for (const service of listener.services) services.set(service.hostname, service);
  const scope: RouteScope = {
    port: 0,
    tls: false,
    defaultRetries: context.model.mesh.defaultHttpRetryPolicy,
    forwardsHost: forwardsHost(context),
    service: (hostname) => services.get(hostname),
    destinationRule: (hostname) => context.scope.destinationRule(hostname),
  };
  const wrappers: Wrapper[] = [];
  const taken = new Set<Service>();
  const chosen = mostSpecific(listener.virtualServices, services);
  for (const virtualService of listener.virtualServices) {
    if (!namesSome(virtualService, services)) continue;
    const routes = virtualServiceRoutes(context, virtualService, scope, MESH_GATEWAY);
    if (routes.length === 0) continue;
    const split = splitHosts(virtualService, services, chosen);
    const byPort = new Map<number, Candidate[]>();
    const routed = split.services.filter((service) => mayRoute(context, virtualService, service));
    for (const service of routed) {
      for (const port of service.ports.filter(carriesHttp)) {
        const list = byPort.get(port.port);
        if (list === undefined) byPort.set(port.port, [{ service, port }]);
        else list.push({ service, port });
        taken.add(service);
      }
    }
    for (const [port, candidates] of byPort) {
      wrappers.push({ port, routes, hosts: split.hosts, services: candidates, virtualService });
    }
  }
  for (const service of services.values()) {
    if (taken.has(service) || isAlias(context, service)) continue;
    for (const port of service.ports.filter(carriesHttp)) {
      const candidate = { service, port };
      const routes = [defaultRoute(candidate, scope)];
      wrappers.push({ port: port.port, routes, hosts: [], services: [candidate], virtualService: undefined });
    }
  }
  return name(context, wrappers, 'merged');
}

function carriesHttp({ protocol }: ServicePort): boolean {
  return isHttp(protocol) || protocol === 'auto';
}

function wrap(
  context: TranslationContext,
  listener: EgressListener,
  candidates: ReadonlyMap<string, Candidate>,
  scope: RouteScope,
): Wrapper[] {
  const wrappers: Wrapper[] = [];
  const taken = new Set<string>();
  const concerned = listener.virtualServices.filter(
    (virtualService) => scope.port === 80 || namesSome(virtualService, candidates),
  );
  const chosen = mostSpecific(listener.virtualServices, candidates);
  for (const virtualService of concerned) {
    const routes = virtualServiceRoutes(context, virtualService, scope, MESH_GATEWAY);
    if (routes.length === 0) continue;
    const { hosts, services: named } = splitHosts(virtualService, candidates, chosen);
    const services = named.filter(({ service }) => mayRoute(context, virtualService, service));
    if (services.length === 0 && hasGatewaySemantics(virtualService)) continue;
    const http = services.filter(({ port }) => carriesHttp(port));
    if (http.length === 0 && scope.port !== 80) continue;
    wrappers.push({ port: scope.port, routes, hosts, services: http, virtualService });
    for (const { service } of http) taken.add(service.hostname);
  }
  for (const candidate of candidates.values()) {
    const { service, port } = candidate;
    if (taken.has(service.hostname) || isAlias(context, service)) continue;
    if (!carriesHttp(port)) continue;
    wrappers.push({
      port: scope.port,
      routes: [defaultRoute(candidate, scope)],
      hosts: [],
      services: [candidate],
      virtualService: undefined,
    });
  }
  return wrappers;
}

/** An HTTPRoute is about the services of its own namespace, and about what its own namespace calls. */
function mayRoute(context: TranslationContext, virtualService: VirtualService, service: Service): boolean {
  if (!hasGatewaySemantics(virtualService)) return true;
  const { namespace } = virtualService.metadata;
  return service.namespace === namespace || context.proxy.namespace === namespace;
}

/** Straight to the service, as every service has it that no VirtualService speaks of. */
function defaultRoute({ service, port }: Candidate, scope: RouteScope): BuiltRoute {
  const action: Draft<types.route.RouteAction> = { cluster: outboundCluster(port.port, '', service.hostname) };
  const hash = hashPolicy(serviceHash(service.hostname, port.port, scope));
  if (hash !== undefined) action.hashPolicy = [hash];
  const retries = retryPolicy(scope.defaultRetries, { consistentHash: false });
  if (retries !== undefined) action.retryPolicy = retries;
  setTimeout(action, undefined);
  return plainRoute(
    {
      name: 'default',
      match: { prefix: '/' },
      decorator: { operation: `${service.hostname}:${port.port}/*` },
      route: action,
    },
    at(service.resource, 'spec'),
  );
}

/** True when a host of the VirtualService is, or covers, or is covered by, the name of a service. */
function namesSome(virtualService: VirtualService, services: Named<unknown>): boolean {
  return hostsOf(virtualService).some((host) => {
    if (services.has(host)) return true;
    for (const hostname of services.keys()) {
      if ((isWildcard(host) || isWildcard(hostname)) && hostsOverlap(host, hostname)) return true;
    }
    return false;
  });
}

function hostsOf({ spec }: VirtualService): readonly string[] {
  return (spec.hosts ?? []).map((host) => host.toLowerCase());
}

/** For each service, the VirtualService with its name, or else with the wildcard that covers it most closely. */
function mostSpecific(
  virtualServices: readonly VirtualService[],
  services: Named<unknown>,
): ReadonlyMap<string, VirtualService> {
  const byHost = new Map<string, VirtualService>();
  for (const virtualService of virtualServices) {
    for (const host of hostsOf(virtualService)) if (!byHost.has(host)) byHost.set(host, virtualService);
  }
  const out = new Map<string, VirtualService>();
  for (const hostname of services.keys()) {
    const found = mostSpecificHost(hostname, byHost);
    if (found !== undefined) out.set(hostname, found);
  }
  return out;
}

/** A VirtualService's hosts as services of the registry, and the names that are none. */
function splitHosts<T>(
  virtualService: VirtualService,
  known: Named<T>,
  chosen: ReadonlyMap<string, VirtualService>,
): { readonly hosts: string[]; readonly services: T[] } {
  const hosts: string[] = [];
  const services: T[] = [];
  const written = hostsOf(virtualService);
  for (const host of written) {
    if (isWildcard(host)) continue;
    const service = known.get(host);
    if (service === undefined) hosts.push(host);
    else services.push(service);
  }
  for (const host of written) {
    if (!isWildcard(host)) continue;
    if (hasGatewaySemantics(virtualService)) {
      hosts.push(host);
      continue;
    }
    let found = false;
    for (const [hostname, service] of known) {
      if (!hostsOverlap(hostname, host)) continue;
      found = true;
      if (chosen.get(hostname) === virtualService) services.push(service);
    }
    if (!found) hosts.push(host);
  }
  return { hosts, services };
}

/** How virtual hosts are named by listeners: for one port alone, … */
type Naming =
  | 'bare'
  /** … or for every port, where the port stands with the name (on port 80 also without), … */
  | 'with-port'
  /** … or as istiod does that, for which names that came without a port first are lost to port 80. */
  | 'merged';

/** Gives every virtual host its name and its domains; a domain belongs to the first that claims it. */
function name(context: TranslationContext, wrappers: readonly Wrapper[], naming: Naming): BuiltVirtualHost[] {
  const out: BuiltVirtualHost[] = [];
  const names = new Set<string>();
  const claimed = new Set<string>();
  const full = new Set<string>();
  for (const { services, port } of wrappers) {
    for (const { service } of services) {
      full.add(service.hostname);
      full.add(virtualHost(service.hostname, port));
    }
  }
  const aliases = aliasesByTarget(context);
  const includeRequestAttemptCount = attemptCount(context);
  const message = includeRequestAttemptCount ? { includeRequestAttemptCount } : {};
  const add = (
    hostname: string,
    domains: readonly string[],
    expanded: ReadonlySet<string> | undefined,
    wrapper: Wrapper,
    origin: BuiltVirtualHost['origin'],
  ): void => {
    const hostName = virtualHost(hostname, wrapper.port);
    if (names.has(hostName)) return;
    names.add(hostName);
    let own = domains.filter((domain) => {
      const key = domain.toLowerCase();
      if (claimed.has(key) || (expanded?.has(domain) === true && full.has(domain))) return false;
      claimed.add(key);
      return true;
    });
    if (naming === 'merged' && wrapper.port !== 80) own = own.filter((domain) => domain.includes(':'));
    if (own.length > 0) out.push({ name: hostName, domains: own, routes: wrapper.routes, origin, message });
  };
  for (const wrapper of wrappers) {
    const { virtualService, port } = wrapper;
    for (const [index, hostname] of wrapper.hosts.entries()) {
      const origin = virtualService === undefined ? undefined : at(virtualService, 'spec', 'hosts', index);
      add(hostname, naming === 'with-port' ? withPort(hostname, port) : [hostname], undefined, wrapper, origin);
    }
    for (const { service } of wrapper.services) {
      const own = aliases.get(service.hostname) ?? [];
      const { domains, expanded } = serviceDomains(context, service, own, naming === 'bare' ? 0 : port);
      const narrow = naming === 'with-port' && port !== 80;
      const kept = narrow ? domains.filter((domain) => domain.endsWith(`:${port}`)) : domains;
      const origin = virtualService === undefined ? at(service.resource, 'spec') : at(virtualService, 'spec');
      add(service.hostname, kept, expanded, wrapper, origin);
    }
  }
  return out;
}

function withPort(hostname: string, port: number): string[] {
  return port === 80 ? [hostname, `${hostname}:80`] : [`${hostname}:${port}`];
}

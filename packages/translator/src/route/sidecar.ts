import {
  hasGatewaySemantics,
  hostsOverlap,
  isSubsetOf,
  isWildcard,
  MESH_GATEWAY,
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

/** Routes, and the names they are for: services, or other hosts that a VirtualService gives. */
interface Wrapper {
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
    local: context.proxy.local !== undefined,
    service: (hostname) => {
      const candidate = candidates.get(hostname);
      if (candidate === undefined) return undefined;
      const { service, port: only } = candidate;
      return { ...service, ports: [only], externalName: isAlias(context, service) ? service.externalName : undefined };
    },
    destinationRule: (hostname) => context.scope.destinationRule(hostname),
  };
  return name(context, wrap(context, listener, candidates, scope), port, withPorts);
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
  const wildcards = mostSpecificWildcards(listener.virtualServices, candidates);
  for (const virtualService of concerned) {
    const routes = virtualServiceRoutes(context, virtualService, scope, MESH_GATEWAY);
    if (routes.length === 0) continue;
    const { hosts, services: named } = splitHosts(virtualService, candidates, wildcards);
    const services = named.filter(({ service }) => mayRoute(context, virtualService, service));
    if (services.length === 0 && hasGatewaySemantics(virtualService)) continue;
    const http = services.filter(({ port }) => isHttp(port.protocol) || port.protocol === 'auto');
    if (http.length === 0 && scope.port !== 80) continue;
    wrappers.push({ routes, hosts, services: http, virtualService });
    for (const { service } of http) taken.add(service.hostname);
  }
  for (const candidate of candidates.values()) {
    const { service, port } = candidate;
    if (taken.has(service.hostname) || isAlias(context, service)) continue;
    if (!isHttp(port.protocol) && port.protocol !== 'auto') continue;
    wrappers.push({
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
  const retries = retryPolicy(scope.defaultRetries, { consistentHash: false, local: scope.local });
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
function namesSome(virtualService: VirtualService, candidates: ReadonlyMap<string, Candidate>): boolean {
  return (virtualService.spec.hosts ?? []).some((host) => {
    if (candidates.has(host)) return true;
    for (const hostname of candidates.keys()) {
      if ((isWildcard(host) || isWildcard(hostname)) && hostsOverlap(host, hostname)) return true;
    }
    return false;
  });
}

/** For each service, the VirtualService whose wildcard host covers it most closely. */
function mostSpecificWildcards(
  virtualServices: readonly VirtualService[],
  candidates: ReadonlyMap<string, Candidate>,
): ReadonlyMap<string, VirtualService> {
  const best = new Map<string, { readonly virtualService: VirtualService; readonly length: number }>();
  for (const virtualService of virtualServices) {
    for (const host of virtualService.spec.hosts ?? []) {
      if (!isWildcard(host)) continue;
      for (const hostname of candidates.keys()) {
        if (isSubsetOf(hostname, host) && host.length > (best.get(hostname)?.length ?? -1)) {
          best.set(hostname, { virtualService, length: host.length });
        }
      }
    }
  }
  return new Map([...best].map(([hostname, { virtualService }]) => [hostname, virtualService]));
}

/** A VirtualService's hosts as services of the registry, and the names that are none. */
function splitHosts(
  virtualService: VirtualService,
  candidates: ReadonlyMap<string, Candidate>,
  wildcards: ReadonlyMap<string, VirtualService>,
): { readonly hosts: string[]; readonly services: Candidate[] } {
  const hosts: string[] = [];
  const services: Candidate[] = [];
  const written = virtualService.spec.hosts ?? [];
  for (const host of written) {
    if (isWildcard(host)) continue;
    const candidate = candidates.get(host);
    if (candidate === undefined) hosts.push(host);
    else services.push(candidate);
  }
  for (const host of written) {
    if (!isWildcard(host)) continue;
    if (hasGatewaySemantics(virtualService)) {
      hosts.push(host);
      continue;
    }
    let found = false;
    for (const [hostname, candidate] of candidates) {
      if (!isSubsetOf(hostname, host)) continue;
      found = true;
      if (wildcards.get(hostname) === virtualService) services.push(candidate);
    }
    if (!found) hosts.push(host);
  }
  return { hosts, services };
}

/** Gives every virtual host its name and its domains; a domain belongs to the first that claims it. */
function name(
  context: TranslationContext,
  wrappers: readonly Wrapper[],
  port: number,
  withPorts: boolean,
): BuiltVirtualHost[] {
  const out: BuiltVirtualHost[] = [];
  const names = new Set<string>();
  const claimed = new Set<string>();
  const full = new Set<string>();
  for (const { services } of wrappers) {
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
    const hostName = virtualHost(hostname, port);
    if (names.has(hostName)) return;
    names.add(hostName);
    const own = domains.filter((domain) => {
      const key = domain.toLowerCase();
      if (claimed.has(key) || (expanded?.has(domain) === true && full.has(domain))) return false;
      claimed.add(key);
      return true;
    });
    if (own.length > 0) out.push({ name: hostName, domains: own, routes: wrapper.routes, origin, message });
  };
  for (const wrapper of wrappers) {
    const { virtualService } = wrapper;
    for (const [index, hostname] of wrapper.hosts.entries()) {
      const origin = virtualService === undefined ? undefined : at(virtualService, 'spec', 'hosts', index);
      add(hostname, withPorts ? withPort(hostname, port) : [hostname], undefined, wrapper, origin);
    }
    for (const { service } of wrapper.services) {
      const { domains, expanded } = serviceDomains(
        context,
        service,
        aliases.get(service.hostname) ?? [],
        withPorts ? port : 0,
      );
      const kept = withPorts && port !== 80 ? domains.filter((domain) => domain.endsWith(`:${port}`)) : domains;
      const origin = virtualService === undefined ? at(service.resource, 'spec') : at(virtualService, 'spec');
      add(service.hostname, kept, expanded, wrapper, origin);
    }
  }
  return out;
}

function withPort(hostname: string, port: number): string[] {
  return port === 80 ? [hostname, `${hostname}:80`] : [`${hostname}:${port}`];
}

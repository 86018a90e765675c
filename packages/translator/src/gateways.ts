import type { Resource, networking } from '@mizzen/api';
import { gatewayServices } from '@mizzen/model';
import type { TranslationContext } from './context.ts';
import { gatewayHttpRoute, gatewayHttpsRoute } from './names.ts';
import { serviceTargets } from './service-targets.ts';

/** One server of one Gateway resource, as it takes part in a port. */
export interface GatewayServer {
  readonly gateway: Resource<networking.Gateway>;
  /** `namespace/name`, as VirtualServices refer to it. */
  readonly gatewayName: string;
  readonly server: networking.Server;
  /** Index in the Gateway's `servers`, for Origins. */
  readonly index: number;
  /** As written, with `./host` made `namespace/host` and `*` before a slash dropped. */
  readonly hosts: readonly string[];
  /** Route configuration for HTTP and terminated HTTPS; empty otherwise. */
  readonly routeName: string;
}

/** Servers that share a listener (port, address) and a protocol family. */
export interface GatewayPort {
  /** The port listened on: a service's target port, or what the runtime decided. */
  readonly port: number;
  /** Address to bind, empty for all. */
  readonly bind: string;
  /** Of the first server, as written in upper case: HTTP, HTTPS, TLS, TCP, GRPC, … */
  readonly protocol: string;
  readonly servers: readonly GatewayServer[];
}

export interface MergedGateways {
  /** In the order of first appearance. */
  readonly ports: readonly GatewayPort[];
  readonly serversByRoute: ReadonlyMap<string, readonly GatewayServer[]>;
  readonly autoPassthrough: boolean;
}

interface MutablePort {
  port: number;
  bind: string;
  protocol: string;
  servers: GatewayServer[];
}

const cache = new WeakMap<TranslationContext, MergedGateways>();

/**
 * Everything the Gateways that select this proxy ask for, merged by port. On one port, plain HTTP servers share one
 * route configuration, TLS servers are told apart by SNI, and whatever conflicts with what an older Gateway asked for
 * is left out.
 */
export function mergeGateways(context: TranslationContext): MergedGateways {
  let merged = cache.get(context);
  if (merged === undefined) {
    const merger = new Merger();
    const { model, proxy } = context;
    const serviceHosts = serviceTargets(context).map(({ service }) => service.hostname);
    for (const gateway of model.gatewaysFor(proxy.namespace, proxy.labels, serviceHosts)) {
      const { namespace, name } = gateway.metadata;
      for (const [index, server] of (gateway.spec.servers ?? []).entries()) {
        const hosts = serverHosts(server.hosts ?? [], namespace);
        for (const port of listenPorts(context, server.port?.number ?? 0, gatewayServices(gateway))) {
          const routeName = gatewayRouteName(server, port, name, namespace);
          merger.add(port, { gateway, gatewayName: `${namespace}/${name}`, server, index, hosts, routeName });
        }
      }
    }
    cache.set(context, (merged = merger));
  }
  return merged;
}

class Merger implements MergedGateways {
  readonly ports: MutablePort[] = [];
  readonly serversByRoute = new Map<string, GatewayServer[]>();
  autoPassthrough = false;
  readonly #taken = new Set<number>();
  /** By port, the first server's listener when that is plain text. */
  readonly #plain = new Map<number, MutablePort>();
  /** Addresses that servers with TLS came to after the first, by port. */
  readonly #tlsBinds = new Set<string>();
  readonly #tlsHosts = new KnownHosts();

  add(port: number, entry: GatewayServer): void {
    const { server, hosts } = entry;
    const bind = server.bind ?? '';
    if (server.tls !== undefined) {
      if (!this.#tlsHosts.claim(port, bind, hosts)) return;
      if (server.tls.mode === 'AUTO_PASSTHROUGH') this.autoPassthrough = true;
    }
    const plain = this.#plain.get(port);
    if (!this.#taken.has(port)) this.#first(port, bind, entry);
    else if (plain === undefined) this.#nextToTls(port, bind, entry);
    else this.#nextToPlain(plain, port, bind, entry);
  }

  #first(port: number, bind: string, entry: GatewayServer): void {
    this.#taken.add(port);
    const joined = this.#join(port, bind, entry);
    if (!isTlsServer(entry.server)) this.#plain.set(port, joined);
    if (entry.routeName !== '') this.serversByRoute.set(entry.routeName, [entry]);
  }

  #nextToPlain(plain: MutablePort, port: number, bind: string, entry: GatewayServer): void {
    const protocol = protocolOf(entry.server);
    if (plain.bind !== bind) this.#join(port, bind, entry);
    else if (isHttpProtocol(protocol) && isHttpProtocol(plain.protocol)) plain.servers.push(entry);
    else return;
    const sharing = this.serversByRoute.get(entry.routeName);
    if (sharing !== undefined) sharing.push(entry);
    else if (entry.routeName !== '') this.serversByRoute.set(entry.routeName, [entry]);
  }

  #nextToTls(port: number, bind: string, entry: GatewayServer): void {
    const { server, routeName } = entry;
    if (routeName !== '') {
      if (this.serversByRoute.has(routeName)) return;
      this.serversByRoute.set(routeName, [entry]);
    }
    const key = `${port} ${bind}`;
    const known = this.#tlsBinds.has(key);
    this.#tlsBinds.add(key);
    if (server.tls === undefined && known) return;
    this.#join(port, bind, entry);
  }

  #join(port: number, bind: string, entry: GatewayServer): MutablePort {
    const protocol = protocolOf(entry.server);
    let found = this.ports.find((p) => p.port === port && p.bind === bind && p.protocol === protocol);
    if (found === undefined) this.ports.push((found = { port, bind, protocol, servers: [] }));
    found.servers.push(entry);
    return found;
  }
}

/** Hosts that have a filter chain of their own on a port, each at the address it was last given. */
export class KnownHosts {
  readonly #binds = new Map<string, string>();

  /** False, and nothing is noted, when one of them is known at that address. */
  claim(port: number, bind: string, hosts: readonly string[]): boolean {
    if (hosts.some((host) => this.#binds.get(`${port} ${host}`) === bind)) return false;
    for (const host of hosts) this.#binds.set(`${port} ${host}`, bind);
    return true;
  }
}

function protocolOf(server: networking.Server): string {
  return (server.port?.protocol ?? '').toUpperCase();
}

/**
 * Where a server's port is listened on: the target port of the proxy's oldest service with that port, else the port itself.
 * A Gateway for certain services (`only`) listens at all of theirs, and nowhere else.
 */
function listenPorts(
  context: TranslationContext,
  number: number,
  only: readonly string[] | undefined,
): readonly number[] {
  const { proxy } = context;
  if (proxy.local !== undefined) return [proxy.local.gateway?.ports[number] ?? number];
  const targets = new Set<number>();
  for (const { servicePort, targetPort, service } of serviceTargets(context)) {
    if (servicePort.port !== number) continue;
    if (only === undefined) {
      if (service.labels[AS_THEY_ARE] === undefined) return [targetPort];
    } else if (only.includes(service.hostname)) targets.add(targetPort);
  }
  return only === undefined ? [number] : [...targets];
}

/** A label on a gateway's service: its Gateways name the ports to listen on, not those of the service. */
const AS_THEY_ARE = 'experimental.istio.io/disable-gateway-port-translation';

function gatewayRouteName(server: networking.Server, port: number, name: string, namespace: string): string {
  const protocol = (server.port?.protocol ?? '').toUpperCase();
  const bind = server.bind ?? '';
  if (isHttpProtocol(protocol)) return gatewayHttpRoute(port, bind);
  if (protocol === 'HTTPS' && server.tls !== undefined && !isPassthrough(server)) {
    return gatewayHttpsRoute(server.port?.number ?? port, server.port?.name ?? '', name, namespace, bind);
  }
  return '';
}

/** Plain HTTP in any of its versions, as Gateway ports write it. */
export function isHttpProtocol(protocol: string): boolean {
  const p = protocol.toUpperCase();
  return p === 'HTTP' || p === 'HTTP2' || p === 'GRPC' || p === 'GRPC-WEB' || p === 'HTTP_PROXY';
}

/** PASSTHROUGH is what settings without a mode mean. */
export function isPassthrough({ tls }: networking.Server): boolean {
  return tls !== undefined && (tls.mode === undefined || tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH');
}

/** HTTPS that ends at the gateway, so that routes apply. */
export function isTerminatedHttps(server: networking.Server): boolean {
  return (server.port?.protocol ?? '').toUpperCase() === 'HTTPS' && server.tls !== undefined && !isPassthrough(server);
}

/** Not plain HTTP, with TLS settings of any kind. */
function isTlsServer(server: networking.Server): boolean {
  return server.tls !== undefined && !isHttpProtocol(server.port?.protocol ?? '');
}

function serverHosts(hosts: readonly string[], namespace: string): readonly string[] {
  const out: string[] = [];
  for (const host of hosts) {
    const slash = host.indexOf('/');
    if (slash < 0) out.push(host);
    else {
      const ns = host.slice(0, slash);
      const name = host.slice(slash + 1);
      if (ns === '.') out.push(`${namespace}/${name}`);
      else if (ns === '*') {
        if (name === '*') return ['*'];
        out.push(name);
      } else out.push(host);
    }
  }
  return out;
}

/** SNI values a TLS server answers to: its hosts without namespaces, each once. */
export function sniHosts(server: GatewayServer): readonly string[] {
  return [...new Set(server.hosts.map((host) => host.slice(host.indexOf('/') + 1)))];
}

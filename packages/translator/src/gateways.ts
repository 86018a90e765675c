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
  if (merged === undefined) cache.set(context, (merged = merge(context)));
  return merged;
}

function merge(context: TranslationContext): MergedGateways {
  const { model, proxy } = context;
  const ports: MutablePort[] = [];
  const serversByRoute = new Map<string, GatewayServer[]>();
  const firstPlain = new Map<number, MutablePort>();
  const taken = new Set<number>();
  const tlsBinds = new Set<string>();
  const tlsHosts = new Set<string>();
  let autoPassthrough = false;

  const join = (port: number, bind: string, protocol: string, server: GatewayServer): MutablePort => {
    let entry = ports.find((p) => p.port === port && p.bind === bind && p.protocol === protocol);
    if (entry === undefined) ports.push((entry = { port, bind, protocol, servers: [] }));
    entry.servers.push(server);
    return entry;
  };

  const serviceHosts = serviceTargets(context).map(({ service }) => service.hostname);
  for (const gateway of model.gatewaysFor(proxy.namespace, proxy.labels, serviceHosts)) {
    const { namespace, name } = gateway.metadata;
    for (const [index, server] of (gateway.spec.servers ?? []).entries()) {
      const hosts = serverHosts(server.hosts ?? [], namespace);
      const protocol = (server.port?.protocol ?? '').toUpperCase();
      const bind = server.bind ?? '';
      for (const port of listenPorts(context, server.port?.number ?? 0, gatewayServices(gateway))) {
        if (server.tls !== undefined) {
          const keys = hosts.map((host) => `${port} ${bind} ${host}`);
          if (keys.some((key) => tlsHosts.has(key))) continue;
          for (const key of keys) tlsHosts.add(key);
        }
        const routeName = gatewayRouteName(server, port, name, namespace);
        const entry: GatewayServer = { gateway, gatewayName: `${namespace}/${name}`, server, index, hosts, routeName };
        if (!taken.has(port)) {
          taken.add(port);
          const joined = join(port, bind, protocol, entry);
          if (isTlsServer(server)) tlsBinds.add(`${port} ${bind}`);
          else firstPlain.set(port, joined);
        } else {
          const plain = firstPlain.get(port);
          if (plain !== undefined) {
            const mergeable = isHttpProtocol(protocol) && isHttpProtocol(plain.protocol);
            if (plain.bind === bind && !mergeable) continue;
            if (plain.bind === bind) plain.servers.push(entry);
            else join(port, bind, protocol, entry);
          } else {
            const newBind = !tlsBinds.has(`${port} ${bind}`);
            if (server.tls === undefined && !newBind) continue;
            tlsBinds.add(`${port} ${bind}`);
            if (routeName !== '' && serversByRoute.has(routeName)) continue;
            const shared = ports.find((p) => p.port === port && p.bind === bind);
            if (shared === undefined) join(port, bind, protocol, entry);
            else shared.servers.push(entry);
          }
        }
        if (server.tls?.mode === 'AUTO_PASSTHROUGH') autoPassthrough = true;
        if (routeName !== '') {
          const sharing = serversByRoute.get(routeName);
          if (sharing === undefined) serversByRoute.set(routeName, [entry]);
          else sharing.push(entry);
        }
      }
    }
  }
  return { ports, serversByRoute, autoPassthrough };
}

/**
 * Where a server's port is listened on: the target ports of the proxy's own services, else the port itself. A Gateway for
 * certain services (`only`) listens nowhere else.
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
    if (only?.includes(service.hostname) === false) continue;
    const asked = service.labels[AS_THEY_ARE] === undefined ? servicePort.port : targetPort;
    if (asked === number) targets.add(targetPort);
  }
  return targets.size === 0 && only === undefined ? [number] : [...targets];
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

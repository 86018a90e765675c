import { type EgressListener, labelsKey } from '@mizzen/model';
import type { RouteConfiguration } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { withRoutePatches } from '../envoy-filter/index.ts';
import { HTTP_PROXY_ROUTE } from '../names.ts';
import { OriginTree } from '../origins.ts';
import { type BuiltVirtualHost, assemble } from './built.ts';
import { catchAllHost } from './catch-all.ts';
import { withConnect } from './connect.ts';
import { gatewayRoute } from './gateway.ts';
import { attemptCount, forwardsHost } from './proxy-headers.ts';
import { toHttpTwins } from './http-twins.ts';
import { everyPortVirtualHosts, portVirtualHosts } from './sidecar.ts';

interface Cached {
  readonly configuration: RouteConfiguration;
  readonly tree: OriginTree;
}
const cache = new WeakMap<EgressListener, Map<string, Cached>>();

/** The route configurations that listeners refer to by `names`. */
export function buildRoutes(context: TranslationContext, names: Iterable<string>): RouteConfiguration[] {
  return [...new Set(names)].map((name) => buildRoute(context, name));
}

function buildRoute(context: TranslationContext, name: string): RouteConfiguration {
  if (context.proxy.type === 'router') {
    const tree = new OriginTree();
    const configuration = gatewayRoute(context, name, tree);
    return patched(context, name, { configuration, tree });
  }
  const target = parseName(name);
  const everything = name === HTTP_PROXY_ROUTE && context.proxy.local !== undefined;
  const listener = everything
    ? wholeScope(context)
    : target === undefined
      ? undefined
      : egressListener(context, target.port, name);
  if (target === undefined || listener === undefined) return { name, validateClusters: false };
  let variants = cache.get(listener);
  if (variants === undefined) cache.set(listener, (variants = new Map()));
  const key = cacheKey(context, listener, name);
  let cached = variants.get(key);
  if (cached === undefined) {
    const tree = new OriginTree();
    const configuration = sidecarRoute(context, listener, name, target, tree);
    variants.set(key, (cached = { configuration, tree }));
  }
  return patched(context, name, cached);
}

function patched(context: TranslationContext, name: string, { configuration, tree }: Cached): RouteConfiguration {
  const result = withRoutePatches(context, configuration, tree);
  context.origins.share('route', name, result.tree);
  return result.configuration;
}

interface Target {
  /** 0: every port. */
  readonly port: number;
  /** Only the virtual host of this service. */
  readonly host: string | undefined;
}

function parseName(name: string): Target | undefined {
  if (name === HTTP_PROXY_ROUTE || name.startsWith('unix://') || name.startsWith('/'))
    return { port: 0, host: undefined };
  const colon = name.lastIndexOf(':');
  const port = Number(name.slice(colon + 1));
  if (!Number.isInteger(port)) return undefined;
  return { port, host: colon < 0 ? undefined : name.slice(0, colon) };
}

const wholeScopes = new WeakMap<TranslationContext['scope'], EgressListener>();

/** All that any egress listener sees: on one machine there is one way out for everything. */
function wholeScope({ scope }: TranslationContext): EgressListener {
  const [first, ...others] = scope.egress;
  if (first !== undefined && first.config?.port === undefined && others.length === 0) return first;
  let whole = wholeScopes.get(scope);
  if (whole === undefined) {
    const virtualServices = [...new Set(scope.egress.flatMap((listener) => listener.virtualServices))];
    wholeScopes.set(scope, (whole = { config: undefined, services: scope.services, virtualServices }));
  }
  return whole;
}

/** The first egress listener for the port; one without a port takes everything. */
function egressListener(context: TranslationContext, port: number, name: string): EgressListener | undefined {
  return context.scope.egress.find(({ config }) => {
    if (config?.port === undefined) return true;
    if ((config.port.number ?? 0) !== port) return false;
    return port !== 0 || config.bind === name;
  });
}

/** Routes differ between the proxies of a scope only where a VirtualService or DestinationRule looks at their labels. */
function cacheKey(context: TranslationContext, listener: EgressListener, name: string): string {
  const { proxy, profile } = context;
  const labels = looksAtLabels(context, listener) ? labelsKey(proxy.labels) : '';
  const parts = [
    name,
    profile,
    proxy.local !== undefined,
    proxy.engine,
    proxy.dnsDomain,
    proxy.namespace,
    attemptCount(context),
    forwardsHost(context),
    labels,
  ];
  return parts.join(' ');
}

const selective = new WeakMap<EgressListener, boolean>();

function looksAtLabels(context: TranslationContext, listener: EgressListener): boolean {
  let answer = selective.get(listener);
  if (answer === undefined) {
    answer =
      listener.virtualServices.some(({ spec }) => JSON.stringify(spec).includes('"sourceLabels"')) ||
      context.model.snapshot.list('DestinationRule').some(({ spec }) => spec.workloadSelector !== undefined);
    selective.set(listener, answer);
  }
  return answer;
}

function sidecarRoute(
  context: TranslationContext,
  listener: EgressListener,
  name: string,
  { port, host }: Target,
  tree: OriginTree,
): RouteConfiguration {
  const everyPort = port === 0 || listener.config?.port?.protocol?.toUpperCase() === 'HTTP_PROXY';
  if (everyPort && context.proxy.local === undefined) {
    const hosts = sort(everyPortVirtualHosts(context, listener));
    hosts.push(catchAllHost(context));
    return assemble(name, hosts, tree, true);
  }
  if (everyPort) {
    const ports = new Set(listener.services.flatMap((service) => service.ports.map((p) => p.port)));
    if (listener.virtualServices.length > 0) ports.add(80);
    const hosts = sort([...ports].flatMap((each) => portVirtualHosts(context, listener, each, true)));
    hosts.push(catchAllHost(context));
    return assemble(name, withConnect(context, toHttpTwins(context, hosts), listener), tree, false);
  }
  const hosts = sort(portVirtualHosts(context, listener, port, false));
  if (host !== undefined) {
    const own = hosts.filter(({ domains }) => domains.includes(host));
    const [only] = own;
    const sniffed = own.length === 1 && only !== undefined ? [{ ...only, domains: ['*'] }] : own;
    return assemble(name, sniffed, tree, true);
  }
  hosts.push(catchAllHost(context));
  return assemble(name, hosts, tree, true);
}

function sort(hosts: BuiltVirtualHost[]): BuiltVirtualHost[] {
  return hosts.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

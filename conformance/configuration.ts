import type { Case, Configuration } from './case.ts';
import { isGrpc } from './grpc-upstream.ts';

/**
 * The bootstrap of a case, from what its file says in fewer words:
 *
 * - `hcm`, `filters` (before the router), `router`, `routes` or `virtualHosts`, `routeConfig`: the connection manager of
 *   the listener `in`; `listeners` has others, where a network filter `http: {…}` is one with the same words;
 * - every upstream is a cluster of its name with one endpoint; `clusters` has others, where `endpoints: [one, two]` are upstreams;
 * - `$http.rbac.v3.RBAC: {…}` is `name: envoy.filters.http.rbac` with a typed config; `'@': http.rbac.v3.RBACPerRoute` is
 *   its `@type` alone. `http`, `network` and `listener` stand for `filters.http` and so on;
 * - `$source: routes/NAME` in a config source is the watched file with what `dynamic` serves under that name;
 * - connection managers and TCP proxies log to stdout.
 *
 * Everything else is Envoy's own.
 */
export function bootstrapOf(one: Case, adminPort: number): object {
  const { configuration } = one;
  const listeners = configuration.listeners ?? (one.dynamic?.listeners === undefined ? { in: {} } : {});
  const clusters: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const [name, { tls, kind }] of Object.entries(one.upstreams)) {
    if (tls !== undefined || one.dynamic?.clusters !== undefined) continue;
    clusters[name] = isGrpc(kind) ? { endpoints: [name], ...OVER_HTTP2 } : { endpoints: [name] };
  }
  Object.assign(clusters, configuration.clusters);
  if (one.source === 'ads') clusters['xds'] = { endpoints: ['xds'], ...OVER_HTTP2 };
  return expandTyped({
    admin: { address: socketAddress(adminPort) },
    ...dynamicResources(one),
    ...configuration.bootstrap,
    staticResources: {
      listeners: Object.entries(listeners).map(([name, raw]) => listener(name, raw, configuration)),
      clusters: Object.entries(clusters).map(([name, raw]) => cluster(name, raw)),
    },
  }) as object;
}

const HTTP2 = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const OVER_HTTP2 = {
  typedExtensionProtocolOptions: { [HTTP2]: { '@': HTTP2, explicitHttpConfig: { http2ProtocolOptions: {} } } },
};

/** Where proxies get what changes: `$source: listeners` and the like in the words of cases. */
function dynamicResources({ dynamic, source }: Case): object {
  if (dynamic === undefined) return {};
  return {
    node: { id: 'one', cluster: 'conformance' },
    dynamicResources: {
      ...(source === 'ads'
        ? {
            adsConfig: {
              apiType: 'GRPC',
              transportApiVersion: 'V3',
              grpcServices: [{ envoyGrpc: { clusterName: 'xds' } }],
            },
          }
        : {}),
      ...(dynamic.clusters === undefined ? {} : { cdsConfig: sourceOf('clusters', source) }),
      ...(dynamic.listeners === undefined ? {} : { ldsConfig: sourceOf('listeners', source) }),
    },
  };
}

function sourceOf(name: string, kind: Case['source']): object {
  return { resourceApiVersion: 'V3', ...(kind === 'ads' ? { ads: {} } : { $source: name }) };
}

function socketAddress(port: number | string): object {
  return { socketAddress: { address: '127.0.0.1', portValue: port } };
}

interface Chain {
  readonly filters?: readonly object[];
}

export function listener(name: string, raw: object, shared: Configuration): object {
  const { filterChains, defaultFilterChain, ...rest } = raw as { filterChains?: Chain[]; defaultFilterChain?: Chain };
  const chains = filterChains ?? [{ filters: [{ http: {} }] }];
  const expand = ({ filters = [], ...chain }: Chain): object => ({
    ...chain,
    filters: filters.map((filter) => networkFilter(filter as Record<string, object>, name, shared)),
  });
  return {
    name,
    address: socketAddress(`\${port:${name}}`),
    ...rest,
    filterChains: chains.map(expand),
    ...(defaultFilterChain === undefined ? {} : { defaultFilterChain: expand(defaultFilterChain) }),
  };
}

function networkFilter(filter: Readonly<Record<string, object>>, listenerName: string, shared: Configuration): object {
  const log = { accessLog: [accessLog(shared.log)], statPrefix: listenerName };
  if (filter['tcp'] !== undefined) return { '$network.tcp_proxy.v3.TcpProxy': { ...log, ...filter['tcp'] } };
  if (filter['http'] === undefined) return filter;
  const own: Configuration = { ...shared, ...filter['http'] };
  const hosts = own.virtualHosts ?? [
    { name: 'all', domains: ['*'], routes: own.routes ?? [{ match: { prefix: '/' }, route: { cluster: 'one' } }] },
  ];
  const rds = own.hcm !== undefined && ('rds' in own.hcm || 'scopedRoutes' in own.hcm);
  return {
    '$network.http_connection_manager.v3.HttpConnectionManager': {
      ...log,
      ...(rds ? {} : { routeConfig: { name: 'routes', virtualHosts: hosts, ...own.routeConfig } }),
      httpFilters: [...(own.filters ?? []), { '$http.router.v3.Router': own.router ?? {} }],
      ...own.hcm,
    },
  };
}

const LOG =
  '%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% ' +
  '%BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_CLUSTER% %ROUTE_NAME%';

function accessLog(format: string = LOG): object {
  const inlineString = `LOG %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% ${format}\n`;
  return { '$access_loggers.stream.v3.StdoutAccessLog': { logFormat: { textFormatSource: { inlineString } } } };
}

export function cluster(name: string, raw: Readonly<Record<string, unknown>>): object {
  const { endpoints, ...rest } = raw;
  const names = endpoints as readonly string[] | undefined;
  return {
    name,
    type: 'STATIC',
    ...(names === undefined
      ? {}
      : { loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: names.map(endpoint) }] } }),
    ...(expandEndpoints(rest) as object),
  };
}

export function endpoint(upstream: string): object {
  return { endpoint: { address: socketAddress(`\${port:${upstream}}`) } };
}

/** `{ upstream: one, … }` anywhere in a cluster is an endpoint. */
export function expandEndpoints(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expandEndpoints);
  if (typeof value !== 'object' || value === null) return value;
  const { upstream, ...rest } = value as Readonly<Record<string, unknown>>;
  const expanded = Object.fromEntries(Object.entries(rest).map(([key, child]) => [key, expandEndpoints(child)]));
  return typeof upstream === 'string' ? { ...endpoint(upstream), ...expanded } : expanded;
}

const SHORT: Readonly<Record<string, string>> = {
  http: 'filters.http',
  network: 'filters.network',
  listener: 'filters.listener',
};

export function expandTyped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expandTyped);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    if (key === '$source') result['pathConfigSource'] = { path: `\${file:${child as string}}` };
    else if (key === '@') result['@type'] = typeUrl(child as string);
    else if (key.startsWith('$')) {
      const [kind = '', extension = ''] = key.slice(1).split('.');
      result['name'] ??= `envoy.${SHORT[kind] ?? kind}.${extension}`;
      result['typedConfig'] = { '@type': typeUrl(key.slice(1)), ...(expandTyped(child) as object) };
    } else result[key] = expandTyped(child);
  }
  return result;
}

function typeUrl(short: string): string {
  if (short.startsWith('envoy.')) return `type.googleapis.com/${short}`;
  const [kind = '', ...rest] = short.split('.');
  return `type.googleapis.com/envoy.extensions.${SHORT[kind] ?? kind}.${rest.join('.')}`;
}

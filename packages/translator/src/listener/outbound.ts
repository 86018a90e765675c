import { isIP } from 'node:net';
import { protocolOf, type EgressListener, type Protocol, type Service } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { allNetworkExtensions } from '../extension/filters.ts';
import { listenerAccessLogs } from '../filters/access-log.ts';
import { httpConnectionManager } from '../filters/http-connection-manager.ts';
import { anyAddress, hasFamily, loopback, reachable } from '../families.ts';
import { networkFilters, plainTcpProxy, tcpProxy } from '../filters/tcp-proxy.ts';
import { defined } from '../filters/typed.ts';
import {
  ALLOW_ANY_DYNAMIC_DNS_CLUSTER,
  BLACK_HOLE,
  PASSTHROUGH,
  isHttp,
  isTcp,
  outboundCluster,
  portRoute,
  sniffedRoute,
} from '../names.ts';
import { PLAIN_HTTP } from '../tls/peer-authentication.ts';
import { address } from './address.ts';
import type { Build } from './build.ts';
import { canListen } from './can-listen.ts';
import { httpProxyListener } from './http-proxy.ts';
import { HTTP_INSPECTOR } from './listener-filters.ts';
import { bytesChains } from './outbound-chains.ts';
import { addChains, finishEntry, type OutboundChain, type OutboundEntry } from './outbound-entry.ts';

type Listener = types.listener.Listener;

/**
 * A sidecar's outbound listeners: for HTTP one per port, for anything else one per address and port of a service; and,
 * where traffic is redirected, the listener that receives it and hands it to those.
 */
export function outboundListeners(build: Build): readonly Listener[] {
  const { scope, proxy } = build.context;
  const entries = new Map<string, OutboundEntry>();
  const written = new Map<OutboundEntry, EgressListener>();
  for (const egress of scope.egress) {
    if (egress.config?.port === undefined) addEveryPort(build, entries, egress);
    else {
      const before = new Set(entries.keys());
      addOwnPort(build, entries, egress, egress.config.port);
      for (const [key, entry] of entries) if (!before.has(key)) written.set(entry, egress);
    }
  }
  const fallthrough = passOn(build);
  const listeners = [...entries.values()].map((entry) =>
    markedAs(build, written.get(entry), finishEntry(build, entry, fallthrough)),
  );
  return [
    ...listeners,
    ...httpProxyListener(build),
    ...(proxy.interceptionMode === 'NONE' ? [] : [virtualOutbound(build, fallthrough)]),
  ];
}

/** A listener that a Sidecar writes down comes from that line of it. */
function markedAs(build: Build, egress: EgressListener | undefined, listener: Listener): Listener {
  const { sidecar } = build.context.scope;
  if (sidecar === undefined || egress?.config === undefined) return listener;
  const index = (sidecar.spec.egress ?? []).indexOf(egress.config);
  return index < 0 ? listener : build.marks.mark(listener, sidecar, ['spec', 'egress', index]);
}

/** One service's port as it asks for a listener. */
interface Request {
  readonly service: Service;
  readonly port: number;
  readonly protocol: Protocol;
  /** A Sidecar's listener that is an HTTP proxy for everything. */
  readonly httpProxy: boolean;
  /** Where it must listen; empty: where the protocol suggests. */
  readonly bind: string;
  readonly bindToPort: boolean;
  readonly egress: EgressListener;
}

/** A Sidecar's egress listener on a port of its own, which its services share. */
function addOwnPort(
  build: Build,
  entries: Map<string, OutboundEntry>,
  egress: EgressListener,
  port: NonNullable<NonNullable<EgressListener['config']>['port']>,
): void {
  const written = (port.protocol ?? '').toUpperCase();
  const httpProxy = written === 'HTTP_PROXY';
  const protocol = httpProxy ? 'http' : protocolOf(port.protocol);
  const place = { ...bindOf(build, egress), port: port.number ?? 0, protocol, redirection: true };
  if (!canListen(build.context, place)) return;
  for (const service of egress.services) {
    add(build, entries, { service, port: port.number ?? 0, protocol, httpProxy, egress, ...bindOf(build, egress) });
  }
}

/** The rest: every port of every service, except where a Sidecar's listener was made before. */
function addEveryPort(build: Build, entries: Map<string, OutboundEntry>, egress: EgressListener): void {
  for (const entry of entries.values()) entry.locked = true;
  const place = bindOf(build, egress);
  for (const service of egress.services) {
    for (const { port, protocol } of service.ports) {
      if (!canListen(build.context, { ...place, port, protocol, redirection: true })) continue;
      const request: Request = { service, port, protocol, httpProxy: false, egress, ...place };
      const binds = place.bind === '' ? instanceAddresses(build, service, port, protocol) : undefined;
      if (binds === undefined) add(build, entries, request);
      else for (const bind of binds) add(build, entries, { ...request, bind });
    }
  }
}

function bindOf(build: Build, { config }: EgressListener): { readonly bind: string; readonly bindToPort: boolean } {
  const bind = config?.bind ?? '';
  const bindToPort =
    build.context.proxy.interceptionMode === 'NONE' || config?.captureMode === 'NONE' || bind.startsWith('unix://');
  return { bind: bind !== '' ? bind : bindToPort ? loopback(build.context.proxy) : '', bindToPort };
}

/**
 * A headless service's pods are listened for one by one, because bytes do not say which one is meant. Undefined where
 * that does not apply.
 */
function instanceAddresses(
  build: Build,
  service: Service,
  port: number,
  protocol: Protocol,
): readonly string[] | undefined {
  const { model, proxy } = build.context;
  if (service.resolution !== 'passthrough' || service.addresses.length > 0 || isHttp(protocol) || protocol === 'udp')
    return undefined;
  const servicePort = service.ports.find((p) => p.port === port);
  const endpoints = servicePort === undefined ? [] : model.endpoints(service, servicePort);
  if (service.registry !== 'Kubernetes' && endpoints.length === 0 && service.selector === undefined) return undefined;
  const addresses = endpoints.map((endpoint) => endpoint.address);
  return [...new Set(addresses)].filter((ip) => isIP(ip) !== 0 && ip !== proxy.addresses[0]);
}

/** A service of the outside world is listened for at each of its addresses; a Kubernetes Service at its first. */
function add(build: Build, entries: Map<string, OutboundEntry>, request: Request): void {
  const { registry } = request.service;
  const addresses = reachable(build.context.proxy, request.service.addresses);
  const places = registry === 'External' && addresses.length > 1 ? addresses.map((one) => [one]) : [addresses];
  for (const place of places) addAt(build, entries, request, place);
}

function addAt(
  build: Build,
  entries: Map<string, OutboundEntry>,
  request: Request,
  [first, ...others]: readonly string[],
): void {
  const any = anyAddress(build.context.proxy);
  const address = first ?? any;
  const { service, port, protocol } = request;
  if (service.resolution === 'alias' || protocol === 'udp') return;
  const kind = isHttp(protocol) ? 'http' : protocol === 'auto' ? 'auto' : isTcp(protocol) ? 'tcp' : undefined;
  if (kind === undefined) return;
  const isRange = address.includes('/');
  const bind = request.bind !== '' ? request.bind : kind === 'http' || isRange ? any : address;
  const cidrs = request.bind === '' && kind !== 'http' && isRange ? [address] : [];
  const key = `${bind} ${port}`;
  const current = entries.get(key);
  if (current?.locked === true) return;
  const dynamic = kind !== 'tcp' && service.resolution === 'dynamic-dns' ? [service.hostname] : [];
  if (current !== undefined) current.dynamicHosts.push(...dynamic);
  if (current !== undefined && kind !== 'tcp' && !(kind === 'http' ? isTcp(current.protocol) : !isMixed(current)))
    return;

  const target = {
    service,
    port: { port, protocol },
    cidrs,
    byServerName: isRange || (address === any && bind === any),
    virtualServices: request.egress.virtualServices,
  };
  const bytes = (): OutboundChain[] =>
    bytesChains(build, target).map((chain) => ({
      ...chain,
      applicationProtocols: [],
      transportProtocol: '',
      filters: () => chain.filters,
    }));
  const sniffs = kind === 'auto' || (bind === any && !request.httpProxy);
  const chains =
    kind === 'tcp' ? bytes() : [...(kind === 'auto' ? bytes() : []), httpChain(build, request, kind, bind, sniffs)];

  if (current === undefined || (kind === 'auto' && isHttp(current.protocol))) {
    entries.set(key, {
      bind,
      additional: request.bind === '' && kind !== 'http' && !isRange ? additionalAddresses(build, others) : [],
      bindToPort: request.bindToPort,
      port,
      protocol: kind === 'http' && sniffs ? 'auto' : protocol,
      locked: false,
      chains,
      dynamicHosts: [...(current?.dynamicHosts ?? dynamic)],
    });
    return;
  }
  // A server that speaks first would wait for ever for an inspector.
  const speaksFirst = (p: Protocol): boolean => p === 'mongo' || p === 'mysql';
  if ((speaksFirst(protocol) || speaksFirst(current.protocol)) && protocol !== current.protocol) return;
  addChains(current, chains);
  if (kind !== 'tcp' || isHttp(current.protocol)) current.protocol = 'auto';
}

/** HTTP and bytes both, already. */
function isMixed(entry: OutboundEntry): boolean {
  return entry.protocol === 'auto';
}

/** More addresses of a service, for proxies that have both families. */
function additionalAddresses(build: Build, others: readonly string[]): readonly string[] {
  const { proxy } = build.context;
  return hasFamily(proxy, 4) && hasFamily(proxy, 6) ? others : [];
}

function httpChain(
  build: Build,
  request: Request,
  kind: 'http' | 'auto',
  bind: string,
  sniffs: boolean,
): OutboundChain {
  const { service, port, protocol } = request;
  const routes =
    port === 0
      ? bind
      : kind === 'auto' && bind !== anyAddress(build.context.proxy)
        ? sniffedRoute(service.hostname, port)
        : portRoute(port);
  return {
    serverNames: [],
    cidrs: [],
    applicationProtocols: sniffs ? PLAIN_HTTP : [],
    transportProtocol: sniffs ? 'raw_buffer' : '',
    metadata: undefined,
    origin: undefined,
    filters: (name, dynamicHosts) => [
      ...allNetworkExtensions(build, 'outbound', port),
      httpConnectionManager(build, {
        listener: 'outbound',
        statPrefix: `outbound_${name}`,
        routes,
        useRemoteAddress: false,
        protocol,
        port,
        dynamicHosts,
      }),
    ],
  };
}

/** What traffic to nobody's address is done with: passed on to where it was going, or to the egress proxy, or not at all. */
function passOn(build: Build): readonly types.listener.Filter[] {
  const { scope } = build.context;
  const egress = scope.egressProxy;
  const cluster =
    scope.outboundTrafficPolicy === 'REGISTRY_ONLY'
      ? BLACK_HOLE
      : egress === undefined
        ? PASSTHROUGH
        : outboundCluster(egress.port?.number ?? 0, egress.subset ?? '', egress.host ?? '');
  return [
    ...networkFilters(build, 'outbound', { peer: false, guarded: false }),
    tcpProxy(build, 'outbound', { statPrefix: cluster, cluster }),
  ];
}

function virtualOutbound(build: Build, fallthrough: readonly types.listener.Filter[]): Listener {
  const { model, proxy } = build.context;
  const port = model.mesh.proxyListenPort ?? 15001;
  const resolves = build.context.scope.outboundTrafficPolicy === 'ALLOW_ANY_DYNAMIC_DNS';
  return defined({
    name: 'virtualOutbound',
    address: address(anyAddress(proxy), port),
    trafficDirection: 'OUTBOUND',
    useOriginalDst: true,
    maxConnectionsToAcceptPerSocketEvent: 1,
    transparent: proxy.interceptionMode === 'TPROXY' ? true : undefined,
    accessLog: listenerAccessLogs(build, 'outbound'),
    listenerFilters: resolves ? [HTTP_INSPECTOR] : undefined,
    filterChains: [
      // Connections to this very port would come back for ever.
      {
        name: 'virtualOutbound-blackhole',
        filterChainMatch: { destinationPort: port },
        filters: [...networkFilters(build, 'outbound', { peer: false, guarded: false }), plainTcpProxy(BLACK_HOLE)],
      },
      ...(resolves ? [resolvedHttp(build)] : []),
      { name: 'virtualOutbound-catchall-tcp', filters: fallthrough },
    ],
  });
}

/** HTTP to addresses that nobody declared, where the mesh wants their hosts resolved. */
function resolvedHttp(build: Build): types.listener.FilterChain {
  const name = 'allow_any_dynamic_dns';
  return {
    name: 'virtualOutbound-catchall-tcp-http',
    filterChainMatch: { applicationProtocols: PLAIN_HTTP },
    filters: [
      httpConnectionManager(build, {
        listener: 'outbound',
        statPrefix: `outbound_virtualOutbound_${name}`,
        useRemoteAddress: false,
        routes: {
          name,
          validateClusters: false,
          ignorePortInHostMatching: true,
          maxDirectResponseBodySizeBytes: 1_048_576,
          virtualHosts: [
            {
              name,
              domains: ['*'],
              includeRequestAttemptCount: true,
              routes: [
                {
                  name,
                  match: { prefix: '/' },
                  route: { cluster: ALLOW_ANY_DYNAMIC_DNS_CLUSTER, timeout: '0s', maxGrpcTimeout: '0s' },
                },
              ],
            },
          ],
        },
      }),
    ],
  };
}

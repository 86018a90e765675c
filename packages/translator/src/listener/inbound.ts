import type { MtlsMode, Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { allNetworkExtensions } from '../extension/filters.ts';
import { listenerAccessLogs } from '../filters/access-log.ts';
import { httpConnectionManager } from '../filters/http-connection-manager.ts';
import { mongoFilters } from '../filters/mongo.ts';
import { networkFilters, peerFilters, plainTcpProxy, tcpProxy } from '../filters/tcp-proxy.ts';
import { defined } from '../filters/typed.ts';
import { duration } from '../duration.ts';
import { inboundPorts, type InboundPort } from '../inbound.ts';
import { BLACK_HOLE, INBOUND_PASSTHROUGH, inboundCluster, isHttp2, listenerName } from '../names.ts';
import { mutualTls } from '../tls/mutual.ts';
import { filterChainMatch, inboundMatches, type InboundMatch } from '../tls/peer-authentication.ts';
import { inboundStatName } from '../stat-names.ts';
import { serverTls } from '../tls/server.ts';
import type { Build } from './build.ts';
import { canListen, type Place } from './can-listen.ts';
import { anyAddress } from '../families.ts';
import { inboundRoute } from './inbound-route.ts';
import { ORIGINAL_DESTINATION, ORIGINAL_SOURCE, inspectors } from './listener-filters.ts';
import { address, bound } from './address.ts';
import { sidecarMetadata } from './metadata.ts';

type Listener = types.listener.Listener;
type FilterChain = types.listener.FilterChain;

/** Everything about the filter chains of one inbound port. */
interface InboundChains {
  /** Names the chains of HTTP and the others; the same but for the pass-through chains. */
  readonly httpName: string;
  readonly tcpName: string;
  readonly statPrefix: string;
  readonly cluster: string;
  readonly protocol: Protocol;
  /** What `destinationPort` matches; undefined where the listener is for one port only. */
  readonly destinationPort: number | undefined;
  readonly servicePort: number;
  /** What requests are called in traces: `host:port/*`. */
  readonly operationHost: string;
  readonly port: InboundPort | undefined;
}

/**
 * A sidecar's inbound listeners: Istio's `virtualInbound`, which gets all that is redirected; and one for each port
 * that is bound for real.
 */
export function inboundListeners(build: Build): readonly Listener[] {
  const { proxy } = build.context;
  const bound: Listener[] = [];
  const redirected: FilterChain[] = [];
  for (const port of inboundPorts(build.context).toSorted((a, b) => a.port - b.port)) {
    const real = isBound(build, port);
    if (!canListen(build.context, placeOf(port, real, anyAddress(build.context.proxy)))) continue;
    const chains = portChains(build, port, real);
    if (real) bound.push(boundListener(build, port, chains));
    else redirected.push(...chains);
  }
  return proxy.interceptionMode === 'NONE' ? bound : [virtualInbound(build, redirected), ...bound];
}

function isBound(build: Build, port: InboundPort): boolean {
  const mode = port.ingress?.captureMode ?? 'DEFAULT';
  if (mode === 'DEFAULT' || port.local !== undefined) return build.context.proxy.interceptionMode === 'NONE';
  return mode === 'NONE';
}

/** The port as a place to listen at. What a Sidecar asks for may be where outbound traffic is received. */
function placeOf({ port, servicePort, ingress }: InboundPort, bindToPort: boolean, any: string): Place {
  return {
    bind: ingress === undefined ? any : (ingress.bind ?? ''),
    bindToPort,
    port,
    protocol: servicePort.protocol,
    redirection: ingress === undefined,
  };
}

function virtualInbound(build: Build, chains: readonly FilterChain[]): Listener {
  const { model, proxy } = build.context;
  const tproxy = proxy.interceptionMode === 'TPROXY';
  const inboundPort = model.mesh.proxyInboundListenPort ?? 15006;
  const all = [blackHole(build, inboundPort), ...passthroughChains(build), ...chains];
  return defined({
    name: 'virtualInbound',
    address: address(anyAddress(proxy), inboundPort),
    ...common(build),
    transparent: tproxy ? true : undefined,
    filterChains: all,
    listenerFilters: [ORIGINAL_DESTINATION, ...(tproxy ? [ORIGINAL_SOURCE] : []), ...inspectors(all)],
  });
}

function boundListener(build: Build, port: InboundPort, filterChains: readonly FilterChain[]): Listener {
  const bind = bindAddress(build, port);
  const listenerFilters = inspectors(filterChains);
  return defined({
    name: listenerName(bind, port.port),
    ...bound(build, bind, port.local?.port ?? port.port),
    ...common(build),
    filterChains,
    listenerFilters: listenerFilters.length > 0 ? listenerFilters : undefined,
  });
}

function common(build: Build): Listener {
  return {
    trafficDirection: 'INBOUND',
    continueOnListenerFiltersTimeout: true,
    listenerFiltersTimeout: duration(build.context.model.mesh.protocolDetectionTimeout) ?? '0s',
    maxConnectionsToAcceptPerSocketEvent: 1,
    accessLog: listenerAccessLogs(build, 'inbound'),
    ...(String(build.context.node.metadata['INBOUND_LISTENER_EXACT_BALANCE']) === 'true'
      ? { connectionBalanceConfig: { exactBalance: {} } }
      : {}),
  };
}

/** Without an address of its own: the proxy's for a Sidecar's ingress listener, else any. */
function bindAddress(build: Build, port: InboundPort): string {
  if (port.bind !== '') return port.bind;
  const { proxy } = build.context;
  return (port.ingress === undefined ? undefined : proxy.addresses[0]) ?? anyAddress(proxy);
}

function portChains(build: Build, port: InboundPort, real: boolean): readonly FilterChain[] {
  const { model, proxy, scope } = build.context;
  const name = listenerName(bindAddress(build, port), port.port);
  const chains: InboundChains = {
    httpName: name,
    tcpName: name,
    statPrefix: `inbound_${name}`,
    cluster: inboundCluster(port.port),
    protocol: port.servicePort.protocol,
    destinationPort: real && port.local !== undefined ? undefined : port.port,
    servicePort: port.servicePort.port,
    operationHost:
      port.ingress === undefined
        ? (port.service?.hostname ?? '')
        : `${scope.sidecar?.metadata.name ?? ''}.${scope.sidecar?.metadata.namespace ?? ''}`,
    port,
  };
  const mode = model.mtlsMode(proxy.namespace, proxy.labels, port.port);
  const tls = port.ingress?.tls;
  // istiod has this switched off unless told otherwise (ENABLE_TLS_ON_SIDECAR_INGRESS).
  if (tls !== undefined && mode === 'DISABLE' && build.context.profile !== 'istio') {
    return ownTlsChains(build, { ...chains, protocol: terminated(chains.protocol) }, tls);
  }
  return filterChains(build, chains, mode);
}

/** A Sidecar's ingress listener with TLS settings of its own, possible where mutual TLS is off. */
function ownTlsChains(
  build: Build,
  chains: InboundChains,
  tls: NonNullable<NonNullable<InboundPort['ingress']>['tls']>,
): readonly FilterChain[] {
  const carries = chains.protocol === 'http' || isHttp2(chains.protocol) ? 'http' : 'tcp';
  const match: InboundMatch = { transportProtocol: 'tls', carries, mutualTls: false };
  return [{ ...chain(build, chains, match), transportSocket: serverTls(build.context, tls, carries) }];
}

/** What TLS carries. */
function terminated(protocol: Protocol): Protocol {
  return protocol === 'https' ? 'http' : protocol === 'tls' ? 'tcp' : protocol;
}

function filterChains(build: Build, chains: InboundChains, mode: MtlsMode): readonly FilterChain[] {
  return inboundMatches(mode, chains.protocol).map((match) => chain(build, chains, match));
}

function chain(build: Build, chains: InboundChains, match: InboundMatch): FilterChain {
  const { context, marks } = build;
  const { port } = chains;
  const made: FilterChain = defined({
    name: match.carries === 'http' ? chains.httpName : chains.tcpName,
    filterChainMatch: filterChainMatch(match, chains.destinationPort),
    filters: match.carries === 'http' ? httpFilters(build, chains) : bytesFilters(build, chains),
    transportSocket: match.mutualTls ? mutualTls(context, match.carries) : undefined,
    metadata: port?.ingress === undefined ? undefined : sidecarMetadata(context),
  });
  if (made.transportSocket !== undefined) markPeerAuthentication(build, chains, made.transportSocket);
  if (port?.ingress !== undefined && context.scope.sidecar !== undefined) {
    return marks.mark(made, context.scope.sidecar, ['spec', 'ingress', port.ingressIndex]);
  }
  const service = port?.service;
  if (service === undefined) return made;
  const index = service.ports.indexOf(port!.servicePort);
  return marks.mark(made, service.resource, index < 0 ? ['spec'] : ['spec', 'ports', index]);
}

/** The policy that decides how a port is to be reached: the most specific one comes last. */
function markPeerAuthentication(build: Build, chains: InboundChains, socket: types.core.TransportSocket): void {
  const policy = build.policies.peerAuthentication.at(-1);
  if (policy === undefined) return;
  const port = chains.port?.port ?? chains.destinationPort;
  const atPort = port !== undefined && policy.spec.portLevelMtls?.[port] !== undefined;
  build.marks.mark(socket, policy, atPort ? ['spec', 'portLevelMtls', String(port)] : ['spec', 'mtls']);
}

function httpFilters(build: Build, chains: InboundChains): readonly types.listener.Filter[] {
  return [
    ...peerFilters(build),
    ...allNetworkExtensions(build, 'inbound', portOf(chains)),
    httpConnectionManager(build, {
      listener: 'inbound',
      statPrefix: chains.statPrefix,
      routes: inboundRoute({ ...chains, retries: build.context.model.mesh.defaultInboundHttpRetryPolicy }),
      useRemoteAddress: false,
      protocol: chains.protocol,
      port: portOf(chains),
      settings: isHttp2(chains.protocol) ? { http2ProtocolOptions: {} } : {},
    }),
  ];
}

function bytesFilters(build: Build, chains: InboundChains): readonly types.listener.Filter[] {
  return [
    ...networkFilters(build, 'inbound', { peer: true, guarded: true, port: portOf(chains) }),
    ...(chains.protocol === 'mongo' ? mongoFilters(build, chains.cluster) : []),
    tcpProxy(build, 'inbound', {
      statPrefix: inboundStatName(build.context, chains.port, chains.cluster),
      cluster: chains.cluster,
    }),
  ];
}

/** The container's port; 0 where any may be meant. */
function portOf({ port, destinationPort }: InboundChains): number {
  return port?.port ?? destinationPort ?? 0;
}

/** Connections to the port that redirection itself uses would come back for ever. */
function blackHole(build: Build, inboundPort: number): FilterChain {
  return {
    name: 'virtualInbound-blackhole',
    filterChainMatch: { destinationPort: inboundPort },
    filters: [...networkFilters(build, 'inbound', { peer: true, guarded: false }), plainTcpProxy(BLACK_HOLE)],
  };
}

/** For ports that no service declares; those with a PeerAuthentication setting of their own get chains of their own. */
function passthroughChains(build: Build): readonly FilterChain[] {
  const { context } = build;
  const { model, proxy } = context;
  const known = new Set(inboundPorts(context).map(({ port }) => port));
  const own = model.mtlsPorts(proxy.namespace, proxy.labels).filter((port) => !known.has(port));
  return [0, ...own.toSorted((a, b) => a - b)].flatMap((port) =>
    filterChains(
      build,
      {
        httpName: 'virtualInbound-catchall-http',
        tcpName: 'virtualInbound',
        statPrefix: INBOUND_PASSTHROUGH,
        cluster: INBOUND_PASSTHROUGH,
        protocol: 'auto',
        destinationPort: port === 0 ? undefined : port,
        servicePort: 0,
        operationHost: '',
        port: undefined,
      },
      model.mtlsMode(proxy.namespace, proxy.labels, port),
    ),
  );
}

import { isIP, type Socket } from 'node:net';
import type { Timer } from '../deps.ts';
import type { SourceAddresses } from '../program/types.ts';
import type { ExpectedName, SessionSlot } from '../tls/client.ts';
import type { AlpnOffer, ConnectFailure, UpstreamSocket } from '../types.ts';
import { keepAlive } from '../keepalive.ts';
import { socketPath } from '../unix-socket.ts';
import { addressOrder } from './address-order.ts';
import { noteConnectTimes } from './connect-times.ts';
import type { ClusterHost } from './host.ts';
import { proxyHeader, type Ends } from './proxy-protocol.ts';
import type { Transport } from './transport.ts';

/** What of a connection depends on the request it is for. */
export interface NamedAs {
  /** The server name, when it is the request's. */
  readonly name: ExpectedName | undefined;
  readonly sessions: SessionSlot;
  /** Whom the PROXY protocol header names. */
  readonly client: Ends | undefined;
  /** What is offered by ALPN, when it is not what the cluster says. */
  readonly alpn: AlpnOffer | undefined;
}

/**
 * Opens a connection to a host within the cluster's connect timeout, handshake included, and keeps the counts of
 * connections. The socket that `onReady` gets has noDelay and allowHalfOpen, and a listener for `error` of its own.
 */
export function connectHost(
  host: ClusterHost,
  as: NamedAs | undefined,
  fallbackAlpn: readonly string[] | undefined,
  onReady: (socket: UpstreamSocket) => void,
  onFail: (error: ConnectFailure) => void,
): void {
  const { stats } = host.cluster;
  if (host.internalListener !== undefined) {
    return onFail({ kind: 'refused', reason: `internal listener \`${host.internalListener}\` takes tunnels only` });
  }
  const { additionalAddresses } = host.endpoint;
  const failed = (error: ConnectFailure): void => {
    stats.upstream_cx_connect_fail++;
    host.stats.cx_connect_fail++;
    if (error.kind === 'timeout') stats.upstream_cx_connect_timeout++;
    else if (error.kind === 'local') stats.bind_errors++;
    else stats.upstream_cx_destroy_remote++;
    onFail(error);
  };
  const way: Way = { address: host.address, port: host.port, transport: host.transport, alpn: undefined, fallbackAlpn };
  const ways =
    additionalAddresses.length === 0
      ? [way]
      : addressOrder([way, ...additionalAddresses.map((at) => ({ ...way, ...at }))], host.cluster.program.addressOrder);
  connectCounted(host, ways, as, onReady, failed);
}

/** How long an address has before the next one is tried beside it, milliseconds (RFC 8305). */
const NEXT_ADDRESS_AFTER = 300;

/** Tries one address after the other, the next when one fails or is slow; the first that answers is taken. `onFail` says which failed last. */
function race(
  host: ClusterHost,
  ways: readonly Way[],
  as: NamedAs | undefined,
  onReady: (socket: UpstreamSocket, underneath: Socket) => void,
  onFail: (error: ConnectFailure, underneath: Socket) => void,
): Pick<Attempt, 'giveUp'> {
  const { deps, stats } = host.cluster;
  const { clock } = deps;
  const attempts: Attempt[] = [];
  /** One may fail before it is among the attempts. */
  let begun = 0;
  let open = 0;
  let over = false;
  let timer: Timer | undefined;
  const next = (): void => {
    timer?.cancel();
    const way = ways[begun];
    if (over || way === undefined) return;
    begun++;
    open++;
    stats.upstream_cx_total++;
    host.stats.cx_total++;
    if (begun < ways.length) timer = clock.after(NEXT_ADDRESS_AFTER, next);
    attempts.push(
      dial(
        host,
        way,
        as,
        (socket, underneath) => {
          if (over) return void socket.destroy();
          over = true;
          timer?.cancel();
          for (const other of attempts) other.giveUp('reset', '');
          onReady(socket, underneath);
        },
        (error, underneath) => {
          open--;
          if (over) return;
          if (begun < ways.length) return next();
          if (open > 0) return;
          over = true;
          onFail(error, underneath);
        },
      ),
    );
  };
  next();
  return {
    giveUp: (kind, reason) => {
      timer?.cancel();
      begun = ways.length;
      for (const attempt of attempts) attempt.giveUp(kind, reason);
    },
  };
}

/** An attempt to connect; giving it up is of no effect once it is over. */
interface Attempt {
  readonly socket: Socket;
  giveUp(kind: ConnectFailure['kind'], reason: string): void;
}

/** However many addresses are tried, that is one connection, but for how many there were in all. */
function connectCounted(
  host: ClusterHost,
  ways: readonly Way[],
  as: NamedAs | undefined,
  onReady: (socket: UpstreamSocket) => void,
  onFail: (error: ConnectFailure) => void,
): void {
  const { program, stats, deps } = host.cluster;
  const begun = deps.clock.now();
  let timer: Timer | undefined = undefined;
  stats.upstream_cx_active++;
  host.stats.cx_active++;
  const untilItCloses = (socket: Socket): void => {
    timer?.cancel();
    socket.once('close', () => {
      stats.upstream_cx_active--;
      stats.upstream_cx_destroy++;
      stats.upstream_cx_length_ms.record(Math.trunc(deps.clock.now() - begun));
      host.stats.cx_active--;
      host.giveRoom();
    });
  };
  const attempts = race(
    host,
    ways,
    as,
    (connected, underneath) => {
      untilItCloses(underneath);
      stats.upstream_cx_connect_ms.record(Math.trunc(deps.clock.now() - begun));
      onReady(connected);
    },
    (error, underneath) => {
      untilItCloses(underneath);
      onFail(error);
    },
  );
  timer = deps.clock.after(program.connectTimeout, () => attempts.giveUp('timeout', ''));
}

/** Where to and how, when it is not as requests go. */
export interface Way {
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
  readonly alpn: readonly string[] | undefined;
  /** Offered where neither that nor the cluster says what. */
  readonly fallbackAlpn: readonly string[] | undefined;
}

/**
 * Opens a connection, handshake included, and counts nothing: health checks are no traffic. One of the callbacks is
 * called once; `giveUp` ends the attempt as failed.
 */
export function dial(
  host: ClusterHost,
  way: Way,
  as: NamedAs | undefined,
  onReady: (socket: UpstreamSocket, underneath: Socket) => void,
  onFail: (error: ConnectFailure, underneath: Socket) => void,
): Attempt {
  const { clock } = host.cluster.deps;
  const start = clock.now();
  const socket = open(host, way);
  let settled = false;
  let connectedAt = -1;
  let refusedAtOnce = true;
  // Node begins to connect in the next turn of its queue, and says in the one after that what could not even begin.
  process.nextTick(() => process.nextTick(() => (refusedAtOnce = false)));
  socket.once('connect', () => (connectedAt = clock.now()));
  const fail = (kind: ConnectFailure['kind'], reason: string): void => {
    if (settled) return;
    settled = true;
    socket.destroy();
    onFail({ kind, reason }, socket);
  };
  const ready = (connected: UpstreamSocket): void => {
    if (settled) return;
    settled = true;
    const secured = way.transport.tls === undefined ? undefined : clock.now();
    noteConnectTimes(connected, { start, connected: connectedAt, secured });
    onReady(connected, socket);
  };
  socket.on('error', (error: NodeJS.ErrnoException) =>
    error.syscall === 'bind'
      ? fail('local', `failed to bind to ${sourceText(host, way)}: ${systemText(error)}`)
      : fail(kindOf(error), connectErrorText(host, way, error, refusedAtOnce)),
  );

  const { tls, proxyProtocol } = way.transport;
  const secure = (): void =>
    tls?.connect(
      socket,
      as?.sessions ?? host.sessions,
      as?.name ?? configuredName(host, way.transport),
      ready,
      (reason) => fail('tls', reason),
      as?.alpn?.protocols ?? way.alpn,
      way.fallbackAlpn,
    );
  if (tls === undefined || proxyProtocol !== undefined) {
    socket.once('connect', () => {
      if (proxyProtocol !== undefined) {
        const { stats } = host.cluster;
        const header = proxyHeader(
          proxyProtocol,
          as?.client,
          ownEnds(socket),
          () => stats.proxyprotocol.v2_tlvs_exceed_max_length++,
        );
        stats.upstream_cx_tx_bytes_total += header.length;
        socket.write(header);
      }
      if (tls === undefined) ready(socket);
      else secure();
    });
  } else secure();
  keepHostAlive(host, socket);
  return { socket, giveUp: fail };
}

export function ownEnds(socket: Socket): Ends {
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket;
  return {
    sourceAddress: localAddress,
    sourcePort: localPort,
    destinationAddress: remoteAddress,
    destinationPort: remotePort,
    tlvs: [],
  };
}

export function configuredName({ hostname }: ClusterHost, transport: Transport): ExpectedName {
  const serverName = transport.autoHostSni && hostname !== '' ? hostname : transport.serverName;
  return { serverName, verified: transport.verifyServerName && serverName !== '' };
}

function open(host: ClusterHost, { address, port }: Way): Socket {
  const { program, deps, defaultSources } = host.cluster;
  return deps.net.connect({
    host: address,
    port,
    ...sourceOf(program.sources ?? defaultSources, address),
    ...(host.endpoint.address.kind === 'pipe' ? { path: socketPath(address) } : {}),
  });
}

function sourceText(host: ClusterHost, { address }: Way): string {
  const { localAddress = '', localPort = 0 } = sourceOf(
    host.cluster.program.sources ?? host.cluster.defaultSources,
    address,
  );
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}

/** Of the family of what is connected to, or else the first. */
function sourceOf(
  sources: SourceAddresses | undefined,
  destination: string,
): { localAddress?: string; localPort?: number } {
  if (sources === undefined) return {};
  const source = sources.find(({ address }) => isIP(address) === isIP(destination)) ?? sources[0]!;
  const anyAddress = source.address === '0.0.0.0' || source.address === '::';
  return {
    ...(anyAddress ? {} : { localAddress: source.address }),
    ...(source.port === 0 ? {} : { localPort: source.port }),
  };
}

/** Connections to unix sockets are made at once or not at all. */
function connectErrorText(host: ClusterHost, way: Way, error: NodeJS.ErrnoException, atOnce: boolean): string {
  const isPipe = host.endpoint.address.kind === 'pipe';
  if (!atOnce && !isPipe) return `delayed connect error: ${systemText(error)}`;
  const address = isPipe ? way.address : `${isIP(way.address) === 6 ? `[${way.address}]` : way.address}:${way.port}`;
  return `immediate connect error: ${systemText(error)}|remote address:${address}`;
}

function keepHostAlive(host: ClusterHost, socket: Socket): void {
  const { tcpKeepalive } = host.cluster.program;
  if (tcpKeepalive !== undefined) keepAlive(socket, tcpKeepalive);
}

function kindOf(error: NodeJS.ErrnoException): ConnectFailure['kind'] {
  return error.code === 'ETIMEDOUT' ? 'timeout' : error.code === 'ECONNRESET' ? 'reset' : 'refused';
}

/** As strerror words it. */
function systemText(error: NodeJS.ErrnoException): string {
  return (error.code === undefined ? undefined : TEXTS[error.code]) ?? error.message;
}

const TEXTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Address already in use',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EMFILE: 'Too many open files',
};

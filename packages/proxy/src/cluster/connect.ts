import type { Socket } from 'node:net';
import type { ExpectedName, SessionSlot } from '../tls/client.ts';
import type { ConnectFailure, UpstreamSocket } from '../types.ts';
import type { ClusterHost } from './host.ts';

/** Under which server name to connect, when it is the request's. */
export interface NamedAs {
  readonly name: ExpectedName;
  readonly sessions: SessionSlot;
}

/**
 * Opens a connection to a host within the cluster's connect timeout, handshake included, and keeps the counts of
 * connections. The socket that `onReady` gets has noDelay and allowHalfOpen, and a listener for `error` of its own.
 */
export function connectHost(
  host: ClusterHost,
  port: number,
  as: NamedAs | undefined,
  onReady: (socket: UpstreamSocket) => void,
  onFail: (error: ConnectFailure) => void,
): void {
  const { program, stats, deps } = host.cluster;
  if (host.internalListener !== undefined) {
    return onFail({ kind: 'refused', reason: `internal listener \`${host.internalListener}\` takes tunnels only` });
  }
  if (host.stats.cx_active >= (program.perHostMaxConnections ?? Infinity)) {
    return onFail({ kind: 'overflow', reason: '' });
  }
  const socket = open(host, port);
  stats.upstream_cx_total++;
  stats.upstream_cx_active++;
  host.stats.cx_total++;
  host.stats.cx_active++;
  socket.once('close', () => {
    stats.upstream_cx_active--;
    host.stats.cx_active--;
  });

  let settled = false;
  const fail = (kind: ConnectFailure['kind'], reason: string): void => {
    if (settled) return;
    settled = true;
    timer.cancel();
    socket.destroy();
    stats.upstream_cx_connect_fail++;
    host.stats.cx_connect_fail++;
    if (kind === 'timeout') stats.upstream_cx_connect_timeout++;
    onFail({ kind, reason });
  };
  const ready = (connected: UpstreamSocket): void => {
    if (settled) return;
    settled = true;
    timer.cancel();
    onReady(connected);
  };
  const timer = deps.clock.after(program.connectTimeout, () => fail('timeout', ''));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    fail(kindOf(error), `delayed connect error: ${systemText(error)}`),
  );

  const { tls } = host.transport;
  if (tls === undefined) socket.once('connect', () => ready(socket));
  else
    tls.connect(socket, as?.sessions ?? host.sessions, as?.name ?? configuredName(host), ready, (reason) =>
      fail('tls', reason),
    );
  keepAlive(host, socket);
}

function configuredName({ transport, hostname }: ClusterHost): ExpectedName {
  const serverName = transport.autoHostSni ? hostname : transport.serverName;
  return { serverName, verified: transport.verifyServerName && serverName !== '' };
}

function open(host: ClusterHost, port: number): Socket {
  const { program, deps } = host.cluster;
  return deps.net.connect({
    host: host.address,
    port,
    ...(program.sourceAddress === undefined ? {} : { localAddress: program.sourceAddress }),
    ...(host.endpoint.address.kind === 'pipe' ? { path: host.address } : {}),
  });
}

function keepAlive(host: ClusterHost, socket: Socket): void {
  const { tcpKeepalive } = host.cluster.program;
  if (tcpKeepalive === undefined) return;
  const { time = 7200, interval = 75, probes = 9 } = tcpKeepalive;
  socket.setKeepAlive(true, time * 1000, interval * 1000, probes);
}

function kindOf(error: NodeJS.ErrnoException): ConnectFailure['kind'] {
  return error.code === 'ETIMEDOUT' ? 'timeout' : error.code === 'ECONNRESET' ? 'reset' : 'refused';
}

/** As strerror words it. */
function systemText(error: NodeJS.ErrnoException): string {
  return (error.code === undefined ? undefined : TEXTS[error.code]) ?? error.message;
}

const TEXTS: Readonly<Record<string, string>> = {
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

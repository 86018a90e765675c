import { isIP } from 'node:net';
import { maskAddress } from '../../program/match/mask.ts';
import type { ConnectionEnds, ConnectionInfo, StreamInfo } from '../../types.ts';
import { attempted, hostName, nameOf, nameWithoutPort, withoutPort } from '../access-log-upstream.ts';
import { info, ofSource, text, unlessEmpty, type OperatorFactory } from './operator.ts';

function joinPort(address: string, port: number): string {
  return address === '' ? '' : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
function portOf(authority: string): number | undefined {
  const colon = authority.lastIndexOf(':');
  return colon < 0 ? undefined : Number(authority.slice(colon + 1));
}

/** Of a pipe, its path stands for both ends. */
const withoutAddress = ({ pipe = '' }: Pick<ConnectionInfo, 'pipe'>): string => pipe;
const remote = (i: StreamInfo): string =>
  joinPort(i.remoteAddress, i.remoteAddress === i.connection.directRemoteAddress ? i.connection.remotePort : 0) ||
  withoutAddress(i.connection);
/** As the socket has them, whatever a PROXY protocol header says. */
const socketEnds = (connection: ConnectionInfo): ConnectionEnds =>
  connection.socketEnds ?? { ...connection, remoteAddress: connection.directRemoteAddress };
const local = (i: StreamInfo): string =>
  joinPort(i.connection.localAddress, i.connection.localPort) || withoutAddress(i.connection);
/** A pipe has none. */
const port = (of: ConnectionInfo, value: number | undefined): number | string | undefined =>
  of.pipe === undefined ? value : '';

/** The host, once there was a connection to it. */
const connectedTo = (i: StreamInfo): string =>
  i.upstreamLocalAddress === '' ? '' : (i.upstreamConnection?.remoteAddress ?? i.upstreamHost);

/** Without an argument the address, with a number the range of that many bits around it; other words say nothing. */
const address =
  (value: (info: StreamInfo) => string): OperatorFactory =>
  (argument = '') => {
    const bits = argument.trim();
    if (!/^[-+]?\d+$/.test(bits) || Math.abs(Number(bits)) > MAX_INT)
      return (source) => unlessEmpty(value(source.info));
    return ({ info: i }) => {
      const of = value(i);
      return isIP(of) === 0 ? unlessEmpty(of) : rangeOf(of, Number(bits));
    };
  };

const MAX_INT = 2 ** 31 - 1;

/** Nobody is in a range of less than no bits. */
function rangeOf(of: string, bits: number): string {
  if (bits < 0) return '';
  const v4 = Math.min(bits, 32);
  const v6 = Math.min(bits, 128);
  return maskAddress(of, v4, v6);
}

/** Between which addresses the bytes went. */
export const ADDRESS_OPERATORS: Readonly<Record<string, OperatorFactory>> = {
  UPSTREAM_HOST: ofSource(({ info: i }) => unlessEmpty(i.upstreamHost)),
  UPSTREAM_HOST_NAME: text(hostName),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: text((i) => nameWithoutPort(hostName(i))),
  UPSTREAM_HOSTS_ATTEMPTED: text((i) => attempted(i, (host) => host.authority)),
  UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT: text((i) => attempted(i, (host) => withoutPort(host.authority))),
  UPSTREAM_HOST_NAMES_ATTEMPTED: text((i) => attempted(i, nameOf)),
  UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT: text((i) => attempted(i, (host) => nameWithoutPort(nameOf(host)))),
  UPSTREAM_CONNECTION_IDS_ATTEMPTED: text((i) =>
    i.upstreamConnection === undefined ? '' : String(i.upstreamConnection.id),
  ),
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID: info((i) => (connectedTo(i) === '' ? undefined : '')),
  DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID: info(() => ''),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID: info(() => ''),
  UPSTREAM_LOCAL_ADDRESS: text((i) => i.upstreamLocalAddress),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: address((i) => withoutPort(i.upstreamLocalAddress)),
  UPSTREAM_LOCAL_PORT: info((i) => portOf(i.upstreamLocalAddress)),
  UPSTREAM_REMOTE_ADDRESS: text(connectedTo),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: address((i) => withoutPort(connectedTo(i))),
  UPSTREAM_REMOTE_PORT: info((i) => portOf(connectedTo(i))),
  DOWNSTREAM_REMOTE_ADDRESS: text(remote),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: address((i) => i.remoteAddress || withoutAddress(i.connection)),
  DOWNSTREAM_REMOTE_PORT: info((i) => (i.remoteAddress === '' ? port(i.connection, undefined) : portOf(remote(i)))),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: text(({ connection }) => {
    const { remoteAddress, remotePort } = socketEnds(connection);
    return joinPort(remoteAddress, remotePort) || withoutAddress(connection);
  }),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: address(
    (i) => socketEnds(i.connection).remoteAddress || withoutAddress(i.connection),
  ),
  DOWNSTREAM_DIRECT_REMOTE_PORT: info((i) => port(i.connection, socketEnds(i.connection).remotePort)),
  DOWNSTREAM_LOCAL_ADDRESS: text(local),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: address((i) => i.connection.localAddress || withoutAddress(i.connection)),
  DOWNSTREAM_LOCAL_PORT: info((i) => port(i.connection, i.connection.localPort)),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS: text(({ connection }) => {
    const { localAddress, localPort } = socketEnds(connection);
    return joinPort(localAddress, localPort) || withoutAddress(connection);
  }),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT: address(
    (i) => socketEnds(i.connection).localAddress || withoutAddress(i.connection),
  ),
  DOWNSTREAM_DIRECT_LOCAL_PORT: info((i) => port(i.connection, socketEnds(i.connection).localPort)),
};

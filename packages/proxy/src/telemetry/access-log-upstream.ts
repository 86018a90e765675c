import type { JsonObject } from '@mizzen/xds';
import { isIP } from 'node:net';
import type { PeerTls, StreamInfo, UpstreamHost } from '../types.ts';

type Metadata = Readonly<Record<string, JsonObject>> | undefined;

/** What METADATA may be of, besides what filters set. */
export const CONFIGURED_METADATA: Readonly<Record<string, (info: StreamInfo) => Metadata>> = {
  ROUTE: (i) => i.routeMetadata,
  VIRTUAL_HOST: (i) => i.virtualHostMetadata,
  CLUSTER: (i) => i.upstreamTarget?.cluster.metadata ?? i.clusterMetadata,
  UPSTREAM_HOST: (i) => i.upstreamTarget?.metadata,
  LISTENER: (i) => i.connection.configured?.listener,
  LISTENER_FILTER_CHAIN: (i) => i.connection.configured?.chain,
};

/** The name of an upstream, or its address where it has none. */
export function nameOf({ hostname, authority }: UpstreamHost): string {
  return hostname === '' ? authority : hostname;
}

export function hostName({ upstreamTarget, upstreamHost }: StreamInfo): string {
  return upstreamTarget === undefined ? upstreamHost : nameOf(upstreamTarget);
}

/** Hosts of all attempts, one after the other. */
export function attempted(info: StreamInfo, name: (host: UpstreamHost) => string): string {
  const hosts = info.upstreamHostsAttempted;
  if (hosts !== undefined) return hosts.map(name).join(',');
  const { upstreamTarget, upstreamLocalAddress } = info;
  return upstreamTarget === undefined || upstreamLocalAddress === '' ? '' : name(upstreamTarget);
}

/** An address with its port taken off. */
export function withoutPort(authority: string): string {
  const host = nameWithoutPort(authority);
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** The same of a name, which keeps its brackets. */
export function nameWithoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon < 0 || isIP(authority) !== 0 ? authority : authority.slice(0, colon);
}

/** Bytes as they were on the wire; a connection that is not HTTP has nothing but what it carries. */
export const BYTES: Readonly<Record<string, (info: StreamInfo) => number>> = {
  DOWNSTREAM_HEADER_BYTES_RECEIVED: (i) => i.headerBytesReceived ?? 0,
  DOWNSTREAM_HEADER_BYTES_SENT: (i) => i.headerBytesSent ?? 0,
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: (i) => i.headerBytesReceived ?? 0,
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: (i) => i.headerBytesSent ?? 0,
  DOWNSTREAM_WIRE_BYTES_RECEIVED: (i) => i.wireBytesReceived ?? i.bytesReceived,
  DOWNSTREAM_WIRE_BYTES_SENT: (i) => i.wireBytesSent ?? i.bytesSent,
  UPSTREAM_HEADER_BYTES_SENT: (i) => i.upstreamHeaderBytesSent ?? 0,
  UPSTREAM_HEADER_BYTES_RECEIVED: (i) => i.upstreamHeaderBytesReceived ?? 0,
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: (i) => i.upstreamHeaderBytesSent ?? 0,
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: (i) => i.upstreamHeaderBytesSummed ?? 0,
  UPSTREAM_WIRE_BYTES_SENT: (i) => i.upstreamWireBytesSent ?? (i.upstreamLocalAddress === '' ? 0 : i.bytesReceived),
  UPSTREAM_WIRE_BYTES_RECEIVED: (i) => i.upstreamWireBytesReceived ?? (i.upstreamLocalAddress === '' ? 0 : i.bytesSent),
  // Only QUIC counts what it has to send again.
  BYTES_RETRANSMITTED: () => 0,
  PACKETS_RETRANSMITTED: () => 0,
  DOWNSTREAM_CX_RTT: () => 0,
  ROUTE_RESOLUTION_COUNT: (i) => i.routeResolutions ?? 0,
  UPSTREAM_CONNECTION_ID: (i) => i.upstreamConnection?.id ?? 0,
};

/** The certificate and the agreement of the upstream's side; undefined: no TLS. */
export function upstreamPeer({ upstreamConnection }: StreamInfo): PeerTls | undefined {
  return upstreamConnection?.peer;
}

/** The name that the upstream was asked for by TLS. */
export function serverName({ upstreamConnection }: StreamInfo): string | undefined {
  const socket = upstreamConnection?.socket as { readonly servername?: unknown } | undefined;
  return typeof socket?.servername === 'string' ? socket.servername : undefined;
}

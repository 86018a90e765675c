import type { JsonObject } from '@mizzen/xds';

/** An address of `envoy.config.core.v3.Address`, as far as connections have any. */
export interface LoggedAddress {
  readonly socketAddress?: { readonly address?: string; readonly portValue?: number };
}

interface Certificate {
  readonly subjectAltName?: readonly { readonly uri?: string }[];
}

/** What is read of `envoy.data.accesslog.v3.AccessLogCommon`. Durations end in `s`. */
export interface CommonProperties {
  readonly downstreamRemoteAddress?: LoggedAddress;
  readonly downstreamDirectRemoteAddress?: LoggedAddress;
  readonly downstreamLocalAddress?: LoggedAddress;
  readonly upstreamRemoteAddress?: LoggedAddress;
  readonly upstreamLocalAddress?: LoggedAddress;
  readonly tlsProperties?: {
    readonly tlsVersion?: string;
    readonly tlsSniHostname?: string;
    readonly peerCertificateProperties?: Certificate;
    readonly localCertificateProperties?: Certificate;
  };
  readonly startTime?: string;
  readonly timeToLastDownstreamTxByte?: string;
  readonly timeToFirstUpstreamRxByte?: string;
  readonly duration?: string;
  readonly upstreamCluster?: string;
  readonly upstreamTransportFailureReason?: string;
  readonly routeName?: string;
  readonly metadata?: { readonly filterMetadata?: Readonly<Record<string, JsonObject>> };
  readonly customTags?: Readonly<Record<string, string>>;
  readonly upstreamRequestAttemptCount?: number;
  readonly connectionTerminationDetails?: string;
  readonly streamId?: string;
  readonly downstreamWireBytesSent?: string;
  readonly downstreamWireBytesReceived?: string;
  readonly accessLogType?: string;
}

/** `envoy.data.accesslog.v3.HTTPAccessLogEntry` */
export interface HttpEntry {
  readonly commonProperties?: CommonProperties;
  readonly protocolVersion?: string;
  readonly request?: {
    readonly requestMethod?: string;
    readonly scheme?: string;
    readonly authority?: string;
    readonly path?: string;
    readonly userAgent?: string;
    readonly referer?: string;
    readonly forwardedFor?: string;
    readonly requestId?: string;
    readonly requestBodyBytes?: string;
    readonly requestHeaders?: Readonly<Record<string, string>>;
  };
  readonly response?: {
    readonly responseCode?: number;
    readonly responseCodeDetails?: string;
    readonly responseBodyBytes?: string;
    readonly responseHeaders?: Readonly<Record<string, string>>;
    readonly responseTrailers?: Readonly<Record<string, string>>;
  };
}

/** `envoy.data.accesslog.v3.TCPAccessLogEntry`; bytes since the connection began. */
export interface TcpEntry {
  readonly commonProperties?: CommonProperties;
  readonly connectionProperties?: { readonly receivedBytes?: string; readonly sentBytes?: string };
}

/** A log's message to the service. */
export interface LogMessage {
  readonly identifier?: { readonly node?: { readonly id?: string }; readonly logName?: string };
  readonly httpLogs?: { readonly logEntry?: readonly HttpEntry[] };
  readonly tcpLogs?: { readonly logEntry?: readonly TcpEntry[] };
}

/** `ADDRESS:PORT`; empty: there is none. */
export function placeOf(address: LoggedAddress | undefined): string {
  const { address: host = '', portValue = 0 } = address?.socketAddress ?? {};
  return host === '' ? '' : `${host}:${portValue}`;
}

/** Milliseconds; -1: not known. */
export function millisecondsOf(duration: string | undefined): number {
  return duration === undefined ? -1 : Number.parseFloat(duration) * 1000;
}

/** A custom tag; empty: the request has nothing of the kind. */
export function tagOf({ customTags }: CommonProperties, name: string): string {
  const value = customTags?.[name] ?? '';
  return value === '-' ? '' : value;
}

/** The identity of the other end, and this one's own, of a connection that was taken. */
export function downstreamNames({ tlsProperties }: CommonProperties): { readonly peer: string; readonly own: string } {
  const first = (certificate: Certificate | undefined): string => certificate?.subjectAltName?.[0]?.uri ?? '';
  return {
    peer: first(tlsProperties?.peerCertificateProperties),
    own: first(tlsProperties?.localCertificateProperties),
  };
}

/** The same of a connection that was made. */
export function upstreamNames(common: CommonProperties): { readonly peer: string; readonly own: string } {
  const first = (text: string): string => text.split(',')[0]!;
  return { peer: first(tagOf(common, 'peer')), own: first(tagOf(common, 'local')) };
}

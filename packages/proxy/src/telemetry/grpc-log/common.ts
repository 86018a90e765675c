import type { JsonObject } from '@mizzen/xds';
import type { Clock } from '../../deps.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import type { LogSource } from '../../program/types.ts';
import { cipherNumber } from '../../tls/ciphers.ts';
import type { ConnectionInfo, StreamInfo } from '../../types.ts';
import { grpcFlags } from '../access-log-flags.ts';
import { BYTES } from '../access-log-upstream.ts';
import type { Tag } from './custom-tags.ts';
import { utf8 } from './text.ts';

export interface CommonOptions {
  readonly clock: Clock;
  readonly streamId: (source: LogSource) => string | undefined;
  /** Keys. */
  readonly filterState: readonly string[];
  readonly tags: readonly Tag[];
}

/** What entries about requests and connections have in common: `envoy.data.accesslog.v3.AccessLogCommon`. */
export function commonProperties(source: LogSource, options: CommonOptions): JsonObject {
  const { info } = source;
  const { connection } = info;
  const direct = connection.socketEnds ?? { ...connection, remoteAddress: connection.directRemoteAddress };
  const http = source.request !== undefined;
  const end = info.responseEndTime < 0 ? options.clock.now() : info.responseEndTime;
  return {
    downstreamRemoteAddress: address(
      info.remoteAddress,
      info.remoteAddress === connection.directRemoteAddress ? connection.remotePort : 0,
    ),
    downstreamDirectRemoteAddress: address(direct.remoteAddress, direct.remotePort),
    downstreamLocalAddress: address(connection.localAddress, connection.localPort),
    tlsProperties: tlsProperties(connection),
    startTime: new Date(info.startWall).toISOString(),
    ...(http ? times(info) : {}),
    upstreamRemoteAddress: authority(info.upstreamHost),
    upstreamLocalAddress: authority(info.upstreamLocalAddress),
    upstreamCluster: info.upstreamCluster || undefined,
    upstreamTransportFailureReason: utf8(info.upstreamFailureReason) || undefined,
    downstreamTransportFailureReason: info.downstreamTransportFailureReason || undefined,
    responseFlags: info.responseFlags === 0 ? undefined : grpcFlags(info.responseFlags),
    routeName: info.routeName || undefined,
    metadata: hasAny(info.dynamicMetadata) ? { filterMetadata: info.dynamicMetadata } : undefined,
    filterStateObjects: filterState(info, options.filterState),
    customTags: tags(source, options.tags),
    duration: source.logType === 'DownstreamStart' ? undefined : duration(end - info.startTime),
    upstreamRequestAttemptCount: info.attemptCount,
    connectionTerminationDetails: info.connectionTerminationDetails || undefined,
    streamId: options.streamId(source),
    ...wireBytes(info),
    accessLogType: source.logType ?? 'NotSet',
  };
}

function times(info: StreamInfo): JsonObject {
  const since = (time: number | undefined): string | undefined =>
    time === undefined || time < 0 ? undefined : duration(time - info.startTime);
  const answered = info.upstreamResponseTime !== undefined && info.upstreamResponseTime >= 0;
  return {
    timeToLastRxByte: since(info.requestEndTime),
    timeToFirstUpstreamTxByte: since(info.upstreamStartTime),
    timeToLastUpstreamTxByte: since(info.upstreamRequestEndTime),
    timeToFirstUpstreamRxByte: since(info.upstreamResponseTime),
    // The last byte goes on as it comes.
    timeToLastUpstreamRxByte: answered ? since(info.responseEndTime) : undefined,
    timeToFirstDownstreamTxByte: since(info.responseStartTime),
    timeToLastDownstreamTxByte: since(info.responseEndTime),
  };
}

function wireBytes(info: StreamInfo): JsonObject {
  return {
    downstreamWireBytesReceived: count(BYTES['DOWNSTREAM_WIRE_BYTES_RECEIVED']!(info)),
    downstreamWireBytesSent: count(BYTES['DOWNSTREAM_WIRE_BYTES_SENT']!(info)),
    upstreamWireBytesSent: count(BYTES['UPSTREAM_WIRE_BYTES_SENT']!(info)),
    upstreamWireBytesReceived: count(BYTES['UPSTREAM_WIRE_BYTES_RECEIVED']!(info)),
  };
}

/** A number of 64 bits, as JSON has it; nothing is none. */
export function count(value: number | undefined): string | undefined {
  return value === undefined || value === 0 ? undefined : String(value);
}

function tlsProperties({ tls, ja3, requestedServerName }: ConnectionInfo): JsonObject | undefined {
  if (tls === undefined) return undefined;
  const { uriSans, subject, certificates } = tls;
  return {
    tlsVersion: tls.version.replace('.', '_'),
    tlsCipherSuite: cipherNumber(tls.cipher),
    tlsSniHostname: requestedServerName || undefined,
    localCertificateProperties: {
      subjectAltName: (tls.local?.names.uri ?? [tls.localUriSan].filter(Boolean)).map((uri) => ({ uri })),
      subject: tls.local?.subject || undefined,
    },
    peerCertificateProperties: {
      subjectAltName: uriSans.map((uri) => ({ uri })),
      subject: subject || undefined,
      issuer: certificates?.issuer || undefined,
    },
    ja3Fingerprint: ja3 || undefined,
  };
}

function filterState(info: StreamInfo, keys: readonly string[]): JsonObject | undefined {
  const found: Record<string, JsonObject> = {};
  for (const key of keys) {
    const object = filterStateOf(info, key);
    if (object?.text !== undefined)
      found[key] = { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: utf8(object.text) };
  }
  return hasAny(found) ? found : undefined;
}

function tags(source: LogSource, all: readonly Tag[]): JsonObject | undefined {
  if (all.length === 0) return undefined;
  const found: Record<string, string> = {};
  for (const { name, value } of all) {
    const text = value(source);
    if (text !== undefined && text !== '') found[name] = utf8(text);
  }
  return hasAny(found) ? found : undefined;
}

function hasAny(object: object | undefined): boolean {
  return object !== undefined && Object.keys(object).length > 0;
}

function duration(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(9)}s`;
}

function authority(text: string): JsonObject | undefined {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return undefined;
  return address(text.slice(0, colon).replaceAll(/[[\]]/g, ''), Number(text.slice(colon + 1)));
}

function address(text: string, portValue: number): JsonObject | undefined {
  if (text === '') return undefined;
  return text.startsWith('/') ? { pipe: { path: text } } : { socketAddress: { address: text, portValue } };
}

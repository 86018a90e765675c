import { Headers } from '@mizzen/proxy/http/headers.ts';
import type { LogSource } from '@mizzen/proxy/program/types.ts';
import type { PeerTls, StreamInfo } from '@mizzen/proxy/types.ts';
import { FilterState } from '@mizzen/proxy/filter-state/state.ts';
import type { WorkloadPeer } from '@mizzen/proxy/istio/peer.ts';
import { flagsOf } from '@mizzen/proxy/telemetry/access-log-flags.ts';
import {
  type CommonProperties,
  downstreamNames,
  type HttpEntry,
  millisecondsOf,
  placeOf,
  tagOf,
  type TcpEntry,
} from './entries.ts';

/** What filters of the proxy itself would have left about the other end. */
export interface KnownPeer {
  readonly key: string;
  readonly peer: WorkloadPeer | undefined;
}

/** An entry as a proxy's own log would have read it, for expressions: as far as entries tell. */
export function sourceOf(entry: HttpEntry & TcpEntry, known: KnownPeer): LogSource {
  const { commonProperties: common = {}, request, response } = entry;
  const info = infoOf(entry, known);
  if (request === undefined) return { info };
  const given: readonly (readonly [string, string | undefined])[] = [
    ['user-agent', request.userAgent],
    ['referer', request.referer],
    ['x-forwarded-for', request.forwardedFor],
    ['x-request-id', request.requestId],
    ...Object.entries(request.requestHeaders ?? {}),
  ];
  const trailers = Object.entries(response?.responseTrailers ?? {}).flat();
  return {
    info,
    request: {
      method: request.requestMethod ?? '',
      path: request.path ?? '',
      authority: request.authority ?? '',
      scheme: request.scheme ?? '',
      headers: new Headers(given.flatMap(([name, value]) => (value === undefined ? [] : [name, value]))),
    },
    response: {
      status: response?.responseCode ?? 0,
      headers: new Headers(Object.entries(response?.responseHeaders ?? {}).flat()),
    },
    ...(trailers.length > 0 || common.upstreamCluster === undefined ? { trailers } : {}),
  };
}

function infoOf(entry: HttpEntry & TcpEntry, { key, peer }: KnownPeer): StreamInfo {
  const { commonProperties: common = {}, request, response, connectionProperties: bytes } = entry;
  const { address: remote = '', portValue: remotePort = 0 } = common.downstreamDirectRemoteAddress?.socketAddress ?? {};
  const { address: local = '', portValue: localPort = 0 } = common.downstreamLocalAddress?.socketAddress ?? {};
  const flags = flagsOf(tagOf(common, 'flags'));
  const end = Math.max(0, millisecondsOf(common.timeToLastDownstreamTxByte ?? common.duration));
  const filterState = new FilterState();
  if (peer !== undefined) filterState.set(key, peer, 'NONE');
  return {
    connection: {
      id: 0,
      directRemoteAddress: remote,
      remotePort,
      localAddress: local,
      localPort,
      tls: peerTls(common),
      requestedServerName: common.tlsProperties?.tlsSniHostname ?? '',
      applicationProtocol: '',
    },
    remoteAddress: common.downstreamRemoteAddress?.socketAddress?.address ?? '',
    startTime: 0,
    requestEndTime: -1,
    upstreamStartTime: -1,
    responseStartTime: -1,
    responseEndTime: end,
    startWall: new Date(common.startTime ?? 0).getTime(),
    bytesReceived: Number(request?.requestBodyBytes ?? bytes?.receivedBytes ?? 0),
    bytesSent: Number(response?.responseBodyBytes ?? bytes?.sentBytes ?? 0),
    responseCode: response?.responseCode ?? 0,
    responseCodeDetails: response?.responseCodeDetails ?? '',
    responseFlags: flags.reduce((all, flag) => all | flag, 0),
    flagOrder: flags,
    protocol: entry.protocolVersion === 'HTTP11' ? 'HTTP/1.1' : entry.protocolVersion === 'HTTP10' ? 'HTTP/1.0' : '',
    attemptCount: common.upstreamRequestAttemptCount ?? 0,
    upstreamCluster: common.upstreamCluster ?? '',
    upstreamHost: placeOf(common.upstreamRemoteAddress),
    upstreamLocalAddress: placeOf(common.upstreamLocalAddress),
    upstreamFailureReason: common.upstreamTransportFailureReason ?? '',
    routeName: common.routeName ?? '',
    dynamicMetadata: { ...common.metadata?.filterMetadata },
    filterState,
    terminatedBy: '',
    connectionTerminationDetails: common.connectionTerminationDetails ?? '',
    wireBytesReceived: Number(common.downstreamWireBytesReceived ?? 0),
    wireBytesSent: Number(common.downstreamWireBytesSent ?? 0),
  };
}

/** As Envoy's attributes have them. */
const TLS_VERSIONS: Readonly<Record<string, string>> = {
  TLSv1: 'TLSv1',
  TLSv1_1: 'TLSv1.1',
  TLSv1_2: 'TLSv1.2',
  TLSv1_3: 'TLSv1.3',
};

function peerTls(common: CommonProperties): PeerTls | undefined {
  if (common.tlsProperties === undefined) return undefined;
  const { peer, own } = downstreamNames(common);
  return {
    authenticated: peer !== '',
    uriSans: peer === '' ? [] : [peer],
    dnsSans: [],
    subject: '',
    localUriSan: own,
    peerFingerprint: '',
    peerCertificatePem: () => '',
    version: TLS_VERSIONS[common.tlsProperties.tlsVersion ?? ''] ?? '',
    cipher: '',
  };
}

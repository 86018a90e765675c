import type { JsonValue } from '@mizzen/xds';
import type { ProxyTlv } from '../../filter/proxy-protocol/header.ts';
import type { ConnectionInfo } from '../../types/connection.ts';
import type { StreamInfo } from '../../types/request.ts';
import type { HashResult } from '../../types/route.ts';
import type { HeaderMutations } from '../headers.ts';
import type { AccessLogProgram, LogSource } from './access-log.ts';

export interface TcpProxyProgram {
  readonly statPrefix: string;
  /** The only cluster, or one by weight: give a number in [0, 1). */
  readonly cluster: (random: number) => TcpClusterProgram;
  readonly clusterNames: readonly string[];
  /** Of connections that came without a PROXY protocol header. */
  readonly tlvs: ((info: StreamInfo) => readonly ProxyTlv[]) | undefined;
  /** Its clusters are chosen by weight, and nothing else. */
  readonly weighted: boolean;
  /** For a cluster that the filter state of a connection names. */
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  /** 0: none. Envoy's default is an hour. */
  readonly idleTimeout: number;
  readonly maxDownstreamConnectionDuration: number;
  /** Up to this fraction is added to it, by chance. */
  readonly maxDurationJitter: number;
  readonly maxConnectAttempts: number;
  /** How long to wait before another attempt; undefined: not at all. */
  readonly backOff: { readonly base: number; readonly max: number } | undefined;
  /** `at once` does not wait for the client's handshake. */
  readonly connects: 'at once' | 'when secure' | 'on data';
  /** The client is heard before there is an upstream, up to so many bytes; undefined: it is not. */
  readonly maxEarlyBytes: number | undefined;
  readonly hashKey: ((connection: ConnectionInfo) => HashResult) | undefined;
  readonly tunnel: TunnelProgram | undefined;
  readonly accessLogs: readonly AccessLogProgram[];
  readonly accessLogFlushInterval: number;
  readonly flushAccessLogOnStart?: boolean;
  readonly flushAccessLogOnConnected: boolean;
}

export interface TcpClusterProgram {
  readonly name: string;
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
}

/** Connections go on as the payload of an HTTP request. */
export interface TunnelProgram {
  readonly hostname: (source: LogSource) => string;
  /** Undefined: CONNECT. */
  readonly postPath: string | undefined;
  readonly headers: HeaderMutations;
  /** Requests get an id in this field, which is kept as dynamic metadata under this key. */
  readonly requestId: { readonly header: string; readonly metadataKey: string } | undefined;
}

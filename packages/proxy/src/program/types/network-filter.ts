import type { JsonObject } from '@mizzen/xds';
import type { StateSetter } from '../../filter-state/set.ts';
import type { ExchangeProgram } from '../../istio/exchange.ts';
import type { TcpStatsProgram } from '../../istio/stats/tcp.ts';
import type { ConnectionInfo } from '../../types/connection.ts';
import type { StreamInfo } from '../../types/request.ts';
import type { Trace } from '../../types/trace.ts';
import type { HcmProgram } from './hcm.ts';
import type { TcpProxyProgram } from './tcp-proxy.ts';

export type NetworkFilterProgram =
  | { readonly kind: 'rbac'; readonly rbac: NetworkRbacProgram }
  | { readonly kind: 'gate'; readonly gate: NetworkGate }
  | { readonly kind: 'connection_limit'; readonly limit: ConnectionLimitProgram }
  | { readonly kind: 'set_filter_state'; readonly state: NetworkStateProgram }
  | { readonly kind: 'peer_exchange'; readonly exchange: ExchangeProgram }
  | { readonly kind: 'istio_stats'; readonly stats: TcpStatsProgram }
  /** The same `config` is the same connection manager, whatever has become of its filters. */
  | { readonly kind: 'http_connection_manager'; readonly hcm: HcmProgram; readonly config: object }
  | { readonly kind: 'tcp_proxy'; readonly tcp: TcpProxyProgram }
  | { readonly kind: 'echo' }
  /** Its configuration has not come: connections end. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'direct_response'; readonly response: Buffer };

export interface ConnectionLimitProgram {
  /** What is refused stays open this long, milliseconds. */
  readonly delay: number;
  readonly gate: NetworkGate;
}

/** What is put into the filter state of connections, and when; a connection without TLS has its handshake at once. */
export interface NetworkStateProgram {
  readonly onNewConnection: StateSetter | undefined;
  readonly onHandshake: StateSetter | undefined;
  /** When the client's first bytes come. */
  readonly onData: StateSetter | undefined;
}

/** A filter that decides, perhaps after asking somebody, whether a connection may begin. Its bytes stay unread meanwhile. */
export interface NetworkGate {
  /** In words, for explanations. */
  readonly text: string;
  check(connection: ConnectionInfo, metadata: StreamInfo['dynamicMetadata']): GateDecision | PendingGate;
  /** A connection that was asked about has ended. */
  ended?(allowed: boolean): void;
}

export interface GateDecision {
  readonly allowed: boolean;
  /** Why the connection is closed, for logs: as its termination's details. */
  readonly details: string;
  /** As those of a response. */
  readonly responseDetails?: string;
  readonly closeReason?: string;
  /** Envoy has connected to the upstream by then. */
  readonly closesUpstream?: boolean;
  /** Bits of ResponseFlag. */
  readonly flags: number;
  /** By filter name. */
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
}

export interface PendingGate {
  readonly decision: Promise<GateDecision>;
  /** The connection has gone. */
  cancel(): void;
}

export interface NetworkRbacProgram {
  readonly statPrefix: string;
  /** `ONE_TIME_ON_FIRST_BYTE` waits for data before it decides; `CONTINUOUS` decides on each read. */
  readonly enforcement: 'ONE_TIME_ON_FIRST_BYTE' | 'CONTINUOUS';
  /** Wait this long before a denied connection is closed. */
  readonly delayDeny: number;
  /**
   * Decides for a connection. A denial closes it with termination details `rbac_access_denied_matched_policy[NAME]`
   * (already formatted in `details`); what shadow rules found is in `metadata`, for access logs, or undefined.
   */
  check(connection: ConnectionInfo, trace?: Trace, metadata?: StreamInfo['dynamicMetadata']): NetworkRbacDecision;
}

export interface NetworkRbacDecision {
  readonly allowed: boolean;
  readonly details: string;
  /** Name of the policy that decided; empty when none matched. */
  readonly policy: string;
  readonly metadata: JsonObject | undefined;
}

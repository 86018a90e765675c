import type { JsonObject } from '@mizzen/xds';
import type { ProxyProtocolReader } from '../../filter/proxy-protocol/filter.ts';
import type { Step } from '../../listener/inspect.ts';
import type { Live } from '../../runtime/live.ts';
import type { Trace } from '../../types/trace.ts';
import type { AccessLogProgram } from './access-log.ts';
import type { DiscoveredExtension, ResourcePlace } from './compile.ts';
import type { NetworkFilterProgram } from './network-filter.ts';
import type { DownstreamTlsProgram } from './tls.ts';

export type AddressProgram =
  | { readonly kind: 'socket'; readonly address: string; readonly port: number; readonly ipv4Compat: boolean }
  | { readonly kind: 'pipe'; readonly path: string; readonly mode: number }
  /** Reached only by clusters whose endpoint is the internal address of that name. */
  | { readonly kind: 'internal'; readonly name: string };

/** Seconds of silence before the first probe and between them, and how many may go unanswered. */
export interface KeepaliveProgram {
  readonly time: number;
  readonly interval: number;
  readonly probes: number;
}

/** A route configuration, and the stat prefix of the first connection manager of the listener that follows it. */
export interface FollowedRoutes {
  readonly name: string;
  readonly statPrefix: string;
}

export interface ListenerProgram {
  readonly name: string;
  readonly statPrefix: string;
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  readonly address: AddressProgram;
  readonly additionalAddresses: readonly AddressProgram[];
  /** For the address, and then for each of the additional ones. */
  readonly keepalives: readonly (KeepaliveProgram | undefined)[];
  /** False: no socket; takes connections handed over by a listener with `useOriginalDst`. */
  readonly bindToPort: boolean;
  readonly useOriginalDst: boolean;
  readonly direction: 'INBOUND' | 'OUTBOUND' | 'UNSPECIFIED';
  /** `MODIFY_ONLY`: not also when health checks are made to fail. */
  readonly drainType: 'DEFAULT' | 'MODIFY_ONLY';
  readonly listenerFilters: readonly ListenerFilterProgram[];
  /** 0: no limit. */
  readonly listenerFiltersTimeout: number;
  readonly continueOnListenerFiltersTimeout: boolean;
  readonly chains: readonly FilterChainProgram[];
  readonly defaultChain: FilterChainProgram | undefined;
  /** Envoy's order of criteria; undefined: close the connection. `chain.ts` gives the same with a trace. */
  readonly selectChain: (criteria: ChainCriteria, trace?: Trace) => FilterChainProgram | undefined;
  readonly perConnectionBufferLimit: number;
  readonly backlog: number | undefined;
  readonly connectionLimit: Live<number>;
  /** The limit over all listeners is not for this one. */
  readonly unlimited: boolean;
  /** Written when a connection ends, whatever its filters did. */
  readonly accessLogs: readonly AccessLogProgram[];
  /** Names of secrets and route configurations that the chains refer to. */
  readonly secretNames: readonly string[];
  readonly routeConfigs: readonly FollowedRoutes[];
  readonly extensions: readonly DiscoveredExtension[];
  /** What begins once the listener is in force. */
  readonly beginnings: readonly (() => void)[];
  readonly places: readonly ResourcePlace[];
}

export type ListenerFilterProgram = {
  /** Decides per connection by the destination's port; undefined: never disabled. */
  readonly disabled: ((destinationPort: number) => boolean) | undefined;
} &
  /** Of TLS or of HTTP, or of the fact that there is one more. */
  (
    | { readonly kind: 'inspector'; readonly step: Step }
    | { readonly kind: 'original_dst' }
    /** Its configuration has not come: connections end. */
    | { readonly kind: 'missing' }
    | { readonly kind: 'proxy_protocol'; readonly reader: ProxyProtocolReader }
  );

/** What chains are chosen by. Addresses are text as Node gives them; IPv4-mapped IPv6 counts as IPv4. */
export interface ChainCriteria {
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly directSourceAddress: string;
  /** SNI, lowercase, empty when none. */
  readonly serverName: string;
  /** What the inspectors found: `tls`, `raw_buffer`, or empty (counts as raw_buffer). */
  readonly transportProtocol: string;
  /** ALPN names in the client's order, or what the HTTP inspector found. */
  readonly applicationProtocols: readonly string[];
}

export interface FilterChainProgram {
  readonly name: string;
  /** Place in `filterChains`; -1 for the default chain. */
  readonly index: number;
  readonly match: FilterChainMatchProgram;
  /** Undefined: plain text. */
  readonly tls: DownstreamTlsProgram | undefined;
  readonly filters: readonly NetworkFilterProgram[];
  /** For the TLS handshake; 0: no limit. */
  readonly transportSocketConnectTimeout: number;
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
}

export interface FilterChainMatchProgram {
  readonly destinationPort: number | undefined;
  readonly prefixRanges: readonly Cidr[];
  readonly serverNames: readonly string[];
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
  readonly directSourcePrefixRanges: readonly Cidr[];
  readonly sourceType: 'ANY' | 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL';
  readonly sourcePrefixRanges: readonly Cidr[];
  readonly sourcePorts: readonly number[];
}

export interface Cidr {
  readonly text: string;
  readonly prefixLength: number;
  readonly contains: (address: string) => boolean;
}

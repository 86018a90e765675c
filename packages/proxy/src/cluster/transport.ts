import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { Clock } from '../deps.ts';
import type {
  ClusterProgram,
  EndpointProgram,
  LocalityProgram,
  ProxyProtocolProgram,
  UpstreamTransportProgram,
} from '../program/types.ts';
import type { TlsContexts } from '../tls/context.ts';
import { UpstreamTls, type UpstreamTlsStats } from '../tls/client.ts';

const SOCKET_MATCH = 'envoy.transport_socket_match';

/** How connections to a host are secured: plain, or by a TLS context. */
export interface Transport {
  /** Of the match that chose it. */
  readonly name: string;
  readonly tls: UpstreamTls | undefined;
  readonly serverName: string;
  /** SNI is the endpoint's host name. */
  readonly autoHostSni: boolean;
  /** The certificate must have the SNI among its names. */
  readonly verifyServerName: boolean;
  /** What goes before everything else, handshakes included. */
  readonly proxyProtocol: ProxyProtocolProgram | undefined;
}

/** All transports of a cluster, and which of them an endpoint gets. */
export class ClusterTransports {
  readonly #matches: readonly { readonly match: JsonObject; readonly transport: Transport }[];
  readonly #otherwise: Transport;

  constructor(program: ClusterProgram, contexts: TlsContexts, clock: Clock, stats: UpstreamTlsStats) {
    const make = (transport: UpstreamTransportProgram, name: string): Transport => ({
      ...makeTransport(transport, contexts, clock, stats),
      name,
    });
    this.#matches = program.transportMatches.map(({ name, match, transport }) => ({
      match,
      transport: make(transport, name),
    }));
    this.#otherwise = make(program.transport, 'default');
  }

  /** Some hosts are told by a PROXY protocol header whom a connection is for. */
  get namesClients(): boolean {
    return [this.#otherwise, ...this.#matches.map(({ transport }) => transport)].some(
      ({ proxyProtocol }) => proxyProtocol !== undefined,
    );
  }

  /** The first match that the endpoint's `envoy.transport_socket_match` metadata contains, or else its locality's. */
  of({ metadata }: EndpointProgram, locality: LocalityProgram): Transport {
    return this.#match(metadata?.[SOCKET_MATCH]) ?? this.#match(locality.metadata?.[SOCKET_MATCH]) ?? this.#otherwise;
  }

  matching(metadata: JsonObject | undefined): Transport {
    return this.#match(metadata) ?? this.#otherwise;
  }

  #match(metadata: JsonObject | undefined): Transport | undefined {
    return this.#matches.find(({ match }) => contains(metadata, match))?.transport;
  }
}

/** The name of the transport that an endpoint gets. */
export function transportName(
  { transportMatches }: ClusterProgram,
  { metadata }: EndpointProgram,
  locality: LocalityProgram,
): string {
  const find = (wanted: JsonObject | undefined): string | undefined =>
    transportMatches.find(({ match }) => contains(wanted, match))?.name;
  return find(metadata?.[SOCKET_MATCH]) ?? find(locality.metadata?.[SOCKET_MATCH]) ?? 'default';
}

function makeTransport(
  program: UpstreamTransportProgram,
  contexts: TlsContexts,
  clock: Clock,
  stats: UpstreamTlsStats,
): Omit<Transport, 'name'> {
  if (program.kind === 'proxy_protocol')
    return { ...makeTransport(program.inner, contexts, clock, stats), proxyProtocol: program.header };
  if (program.kind === 'raw') {
    return {
      tls: undefined,
      serverName: '',
      autoHostSni: false,
      verifyServerName: false,
      proxyProtocol: undefined,
    };
  }
  const { tls } = program;
  return {
    tls: new UpstreamTls(tls, contexts, clock, stats),
    serverName: tls.sni,
    autoHostSni: tls.autoHostSni,
    verifyServerName: tls.autoSniSanValidation,
    proxyProtocol: undefined,
  };
}

function contains(metadata: JsonObject | undefined, match: JsonObject): boolean {
  return Object.entries(match).every(([key, value]) => metadata !== undefined && sameValue(metadata[key], value));
}

export function sameValue(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(a, b));
}

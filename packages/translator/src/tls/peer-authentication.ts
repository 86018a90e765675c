import type { MtlsMode, Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { isHttp } from '../names.ts';

/** One filter chain of an inbound port: what it matches, what it carries, whether it terminates mutual TLS. */
export interface InboundMatch {
  readonly transportProtocol: 'tls' | 'raw_buffer';
  readonly applicationProtocols?: readonly string[];
  readonly carries: 'http' | 'tcp';
  readonly mutualTls: boolean;
}

/** What the HTTP inspector finds in bytes that are HTTP. HTTP/1.0 is carried as bytes. */
export const PLAIN_HTTP = ['http/1.1', 'h2c'];
/** What a sidecar offers in the handshake when it knows that it carries HTTP, … */
const MUTUAL_HTTP = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
/** … when it does not, … */
const MUTUAL_TCP = ['istio-peer-exchange', 'istio'];
/** … and in either case. */
export const MUTUAL_ANY = ['istio', 'istio-peer-exchange', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];

const mutual = (carries: 'http' | 'tcp', applicationProtocols?: readonly string[]): InboundMatch =>
  withProtocols({ transportProtocol: 'tls', carries, mutualTls: true }, applicationProtocols);
const plain = (carries: 'http' | 'tcp', applicationProtocols?: readonly string[]): InboundMatch =>
  withProtocols({ transportProtocol: 'raw_buffer', carries, mutualTls: false }, applicationProtocols);
/** TLS that is the application's own affair. */
const FOREIGN_TLS: InboundMatch = { transportProtocol: 'tls', carries: 'tcp', mutualTls: false };

type Kind = 'http' | 'tcp' | 'auto';

/** The filter chains of a port, by what it carries and what PeerAuthentication demands. */
const CHAINS: Readonly<Record<Kind, Readonly<Record<MtlsMode, readonly InboundMatch[]>>>> = {
  http: {
    STRICT: [mutual('http')],
    PERMISSIVE: [mutual('http', MUTUAL_ANY), plain('http')],
    DISABLE: [plain('http')],
  },
  tcp: {
    STRICT: [mutual('tcp')],
    PERMISSIVE: [mutual('tcp', MUTUAL_ANY), FOREIGN_TLS, plain('tcp')],
    DISABLE: [plain('tcp')],
  },
  auto: {
    STRICT: [mutual('http', MUTUAL_HTTP), mutual('tcp')],
    PERMISSIVE: [
      mutual('http', MUTUAL_HTTP),
      plain('http', PLAIN_HTTP),
      mutual('tcp', MUTUAL_TCP),
      plain('tcp'),
      FOREIGN_TLS,
    ],
    DISABLE: [plain('http', PLAIN_HTTP), plain('tcp')],
  },
};

export function inboundMatches(mode: MtlsMode, protocol: Protocol): readonly InboundMatch[] {
  return CHAINS[isHttp(protocol) ? 'http' : protocol === 'auto' ? 'auto' : 'tcp'][mode];
}

export function filterChainMatch(
  match: InboundMatch,
  destinationPort: number | undefined,
): types.listener.FilterChainMatch {
  return {
    ...(destinationPort === undefined ? {} : { destinationPort }),
    transportProtocol: match.transportProtocol,
    ...(match.applicationProtocols === undefined ? {} : { applicationProtocols: match.applicationProtocols }),
  };
}

function withProtocols(match: InboundMatch, applicationProtocols: readonly string[] | undefined): InboundMatch {
  return applicationProtocols === undefined ? match : { ...match, applicationProtocols };
}

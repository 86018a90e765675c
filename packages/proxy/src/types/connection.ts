import type { JsonObject } from '@mizzen/xds';
import type { FilterState } from '../filter-state/state.ts';
import type { ProxyTlv } from '../filter/proxy-protocol/header.ts';
import type { TlsSession } from '../tls/session.ts';
import type { SubjectAltNames } from '../tls/subject-alt-names.ts';

/** The two ends of a connection. */
export interface ConnectionEnds {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** What is known of the connection a request came on. Set once per connection. */
export interface ConnectionInfo {
  readonly id: number;
  /** Bytes that came when the connection had been given up: nobody read them. */
  unread?: number;
  /** What came on it was no HTTP; `at first`: right at the beginning. */
  protocolError?: 'at first' | 'later';
  /** How it ended, and the connection to the upstream, where one of them was reset. */
  closeType?: 'LocalReset' | 'RemoteReset';
  upstreamCloseType?: 'RemoteReset' | 'Normal';
  /** Why this side has closed it, in Envoy's words for logs. */
  closeReason?: string | undefined;
  /** The connection to the upstream was closed for the same reason. */
  upstreamCloseReason?: string | undefined;
  /**
   * Address of the peer, as a PROXY protocol header has it where there was one; `remoteAddress` may later be taken from
   * x-forwarded-for.
   */
  readonly directRemoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Path it came by, which neither end has an address beside. */
  readonly pipe?: string | undefined;
  readonly tls: PeerTls | undefined;
  /** Server name the client asked for (SNI), also when the listener only looked and did not terminate. */
  readonly requestedServerName: string;
  /** ALPN or what an inspector found: `http/1.1`, `h2`, `h2c`, or empty. */
  readonly applicationProtocol: string;
  readonly listenerName?: string;
  /** Of the chain that took it; undefined where there is none. */
  readonly filterChainName?: string;
  /** Metadata of the listener and the chain, where their configuration has any. */
  readonly configured?: {
    readonly listener: Readonly<Record<string, JsonObject>> | undefined;
    readonly chain: Readonly<Record<string, JsonObject>> | undefined;
  };
  /** What network filters noted for others; undefined: nothing. */
  readonly filterState?: FilterState | undefined;
  /** What the socket itself says, where a PROXY protocol header told of other ends. */
  readonly socketEnds?: ConnectionEnds;
  /** Noted by listener filters, by name. */
  readonly listenerMetadata?: Readonly<Record<string, JsonObject>> | undefined;
  /** Fingerprints of the ClientHello, where the TLS inspector is to take them. */
  readonly ja3?: string | undefined;
  readonly ja4?: string | undefined;
  /** Why the TLS inspector found no ClientHello. */
  readonly notTls?: string | undefined;
  /** What a PROXY protocol header brought along for those upstream; undefined: there was none. */
  readonly proxyTlvs?: readonly ProxyTlv[];
}

export interface PeerTls {
  /** A certificate was presented and verified. */
  readonly authenticated: boolean;
  /** In this very handshake, and by something that certificates must have. */
  readonly verified?: boolean;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly subject: string;
  readonly localUriSan: string;
  /** SHA-256 of the peer's certificate, lowercase hexadecimal. */
  readonly peerFingerprint: string;
  readonly peerCertificatePem: () => string;
  /** The same of all that the peer has shown, its own first. */
  readonly peerChainPem?: () => string;
  readonly version: string;
  readonly cipher: string;
  /** What only access logs ask for; undefined when the peer has shown no certificate. */
  readonly certificates?: CertificateDetails | undefined;
  readonly local?: LocalDetails | undefined;
  /** Name that the client asked for in its handshake; absent or empty: none. */
  readonly serverName?: string;
  /** All that the peer has shown, its own first. */
  readonly shownCertificates?: readonly CertificateMarks[];
  /** Of the authority that has signed the peer's certificate; undefined: it is not known. */
  readonly issuerCertificate?: CertificateMarks | undefined;
  /** Values of `otherName`s, as text. */
  readonly peerOtherNames?: readonly string[];
  readonly localOtherNames?: readonly string[];
  readonly session?: TlsSession;
  /** Clock time at which the handshake was over. */
  readonly handshakeEnd?: number;
}

/** What tells one certificate from others, in lowercase hexadecimal. */
export interface CertificateMarks {
  readonly serial: string;
  readonly fingerprint1: string;
  readonly fingerprint256: string;
}

export interface CertificateDetails {
  readonly peerNames: SubjectAltNames;
  readonly issuer: string;
  /** Lowercase hexadecimal. */
  readonly serial: string;
  /** SHA-1, lowercase hexadecimal. */
  readonly fingerprint1: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** What logs tell of this side's own certificate. */
export interface LocalDetails {
  readonly names: SubjectAltNames;
  readonly subject: string;
}

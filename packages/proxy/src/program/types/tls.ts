import type { CipherGroups } from '../../tls/ciphers.ts';
import type { RevocationList } from '../../tls/crl.ts';
import type { TrustBundles } from '../../tls/spiffe.ts';
import type { Cidr } from './listener.ts';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface CommonTlsProgram {
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
  /** Of TLS 1.2, by OpenSSL's names; undefined: the default. TLS 1.3 suites are not chosen. */
  readonly ciphers: CipherGroups | undefined;
  readonly ecdhCurves: string | undefined;
  readonly signatureAlgorithms: string | undefined;
  /** Only what FIPS 140-3 approves, whatever else is said. */
  readonly fips?: boolean;
  readonly keyLog?: KeyLogProgram | undefined;
  readonly alpnProtocols: readonly string[];
  readonly certificates: readonly TlsCertificateProgram[];
  readonly certificateSecrets: readonly string[];
  /** Inline, or what the secret lacks: SAN matchers of a combined context apply beside the secret's roots. */
  readonly validation: ValidationProgram | undefined;
  readonly validationSecret: string | undefined;
}

export interface DownstreamTlsProgram extends CommonTlsProgram {
  readonly requireClientCertificate: boolean;
  /** Of the cipher suites of both sides the client's first is taken, not the server's. */
  readonly preferClientCiphers?: boolean;
  /** With a server name that none has, the certificates are searched for one with a key that suits the client. */
  readonly fullScanCertificates?: boolean;
  readonly sessionTickets: boolean;
  /** Sessions of clients that take no tickets are kept here. */
  readonly storedSessions?: boolean;
  /** The first encrypts; all decrypt. Undefined: made up. */
  readonly ticketKeys?: readonly Buffer[] | undefined;
  readonly ticketKeysSecret?: string | undefined;
  readonly ocspPolicy?: 'LENIENT_STAPLING' | 'STRICT_STAPLING' | 'MUST_STAPLE';
  readonly sessionTimeout: number | undefined;
}

export interface UpstreamTlsProgram extends CommonTlsProgram {
  readonly sni: string;
  /** SNI from the request's Host; SAN of the certificate checked against the SNI that was sent. */
  readonly autoHostSni: boolean;
  readonly autoSniSanValidation: boolean;
  readonly maxSessionKeys: number;
}

export interface TlsCertificateProgram {
  readonly certificateChainPem: string;
  /** The file that the certificate is from. */
  readonly path?: string | undefined;
  readonly privateKeyPem: string;
  readonly passphrase: string | undefined;
  /** Has certificate and key in place of the others; `certificateChainPem` is a copy of its certificate. */
  readonly pkcs12?: Buffer | undefined;
  readonly mustStaple?: boolean;
  /** The stapled response; `nextUpdate` in milliseconds since the epoch. */
  readonly ocsp?: { readonly response: Buffer; readonly nextUpdate: number } | undefined;
}

/** A file of secrets of handshakes (NSS key log), for connections between such addresses; an empty list is all. */
export interface KeyLogProgram {
  readonly path: string;
  readonly local: readonly Cidr[];
  readonly remote: readonly Cidr[];
}

export interface ValidationProgram {
  /** Undefined: certificates are not checked against roots (Envoy accepts any then). */
  readonly trustedCaPem: string | undefined;
  /** The file that the roots are from. */
  readonly trustedCaPath?: string | undefined;
  readonly systemRoots: boolean;
  /** Authorities by trust domain of SPIFFE; `trustedCaPem` has all of them. */
  readonly trustBundles?: TrustBundles | undefined;
  /** For every certificate of the chain. */
  readonly crlPem: string | undefined;
  /** For the peer's own certificate alone. */
  readonly leafRevocations?: readonly RevocationList[] | undefined;
  readonly acceptUntrusted: boolean;
  readonly allowExpired: boolean;
  /** SHA-256 of the certificate, lowercase hexadecimal without colons. */
  readonly certificateHashes: readonly string[];
  /** Base64 SHA-256 of the public key. */
  readonly spkiHashes: readonly string[];
  /** Empty: any. One must match one of the certificate's names. */
  readonly sanMatchers: readonly SanMatcher[];
  readonly maxVerifyDepth: number | undefined;
}

export interface SanMatcher {
  readonly type: 'ANY' | 'EMAIL' | 'DNS' | 'URI' | 'IP_ADDRESS' | 'OTHER_NAME';
  /** Of an `OTHER_NAME`. */
  readonly oid?: string;
  /** DNS names of certificates, with their wildcards, are held against this, not the other way round. */
  readonly exact?: string | undefined;
  /** In words, e.g. `exact spiffe://cluster.local/ns/a/sa/b`. */
  readonly text: string;
  readonly matches: (san: string) => boolean;
}

export type SecretProgram =
  | { readonly kind: 'certificate'; readonly name: string; readonly certificate: TlsCertificateProgram }
  | { readonly kind: 'validation'; readonly name: string; readonly validation: ValidationProgram }
  | { readonly kind: 'ticket-keys'; readonly name: string; readonly keys: readonly Buffer[] }
  | { readonly kind: 'generic'; readonly name: string; readonly value: Buffer };

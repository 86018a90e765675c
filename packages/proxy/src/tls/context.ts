import type { SecureContext, SecureContextOptions } from 'node:tls';
import { crypto, tls } from '../node-tls.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type {
  CommonTlsProgram,
  DownstreamTlsProgram,
  SecretProgram,
  TlsCertificateProgram,
  UpstreamTlsProgram,
  ValidationProgram,
} from '../program/types.ts';
import { cipherList, suitesOf } from './ciphers.ts';
import { keyLogger, type KeyLogger } from './key-log.ts';
import { giveNoTickets, useTicketKeys } from './ticket-keys.ts';

/** Secrets in force, by name. A rotated one is another object. */
export interface SecretLookup {
  get(name: string): SecretProgram | undefined;
}

/** What settings name, in force at one time. */
export interface TlsSecrets {
  readonly certificates: readonly TlsCertificateProgram[];
  readonly validation: ValidationProgram | undefined;
  readonly ticketKeys: readonly Buffer[] | undefined;
}

/** A context and what is checked beside it, for one state of the secrets. */
export interface TlsMaterial {
  readonly context: SecureContext;
  readonly certificate: TlsCertificateProgram | undefined;
  readonly validation: ValidationProgram | undefined;
}

const FIPS_CURVES = 'P-256:P-384';
const FIPS_SIGNATURES =
  'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512';
const CURVES = 'X25519:P-256';

/** With one certificate, or none: each authority that is rotated makes for another one. Who has one keeps it. */
const MAX_CONTEXTS = 64;

/**
 * Makes SecureContexts from compiled TLS settings and the secrets they name. The same settings with the same secrets
 * share one context, whichever cluster or chain they belong to; a rotated secret gives a new one, and what was connected
 * with the old one keeps it.
 */
export class TlsContexts {
  readonly #secrets: SecretLookup;
  readonly #openLog: ((path: string) => AccessLogSink) | undefined;
  readonly #anonymous = new Map<string, SecureContext>();
  readonly #byCertificate = new WeakMap<TlsCertificateProgram, Map<string, SecureContext>>();

  /** Key logs are opened by `openLog`; without it there are none. */
  constructor(secrets: SecretLookup, openLog?: (path: string) => AccessLogSink) {
    this.#openLog = openLog;
    this.#secrets = secrets;
  }

  /**
   * For a client, which has one certificate at most. Undefined while a secret it names is missing. Throws what OpenSSL
   * throws for unusable material.
   */
  client(program: UpstreamTlsProgram, last: TlsMaterial | undefined): TlsMaterial | undefined {
    const secrets = this.secrets(program);
    if (secrets === undefined) return undefined;
    const { certificates, validation } = secrets;
    const certificate = certificates[0];
    if (last !== undefined && last.certificate === certificate && last.validation === validation) return last;
    return this.material(program, 'client', certificate, validation, cipherList(suitesOf(program)));
  }

  keyLogger({ keyLog }: CommonTlsProgram): KeyLogger | undefined {
    return keyLog === undefined || this.#openLog === undefined
      ? undefined
      : keyLogger(keyLog, this.#openLog(keyLog.path));
  }

  /** What the settings name, in force now. Undefined while any of it is missing. */
  secrets(program: CommonTlsProgram): TlsSecrets | undefined {
    const certificates = this.#certificates(program);
    const validation = this.#validation(program);
    const ticketKeys = this.#ticketKeys(program);
    if (certificates === undefined || validation === 'missing' || ticketKeys === 'missing') return undefined;
    return { certificates, validation, ticketKeys };
  }

  material(
    program: CommonTlsProgram,
    side: 'client' | 'server',
    certificate: TlsCertificateProgram | undefined,
    validation: ValidationProgram | undefined,
    ciphers: string,
    ticketKeys?: readonly Buffer[],
    tls13 = false,
  ): TlsMaterial {
    const context = this.#context(program, side, certificate, validation, ciphers, ticketKeys, tls13);
    return { context, certificate, validation };
  }

  #certificates(program: CommonTlsProgram): readonly TlsCertificateProgram[] | undefined {
    if (program.certificateSecrets.length === 0) return program.certificates;
    const certificates = [...program.certificates];
    for (const name of program.certificateSecrets) {
      const secret = this.#secrets.get(name);
      if (secret?.kind !== 'certificate') return undefined;
      certificates.push(secret.certificate);
    }
    return certificates;
  }

  #ticketKeys(program: Partial<DownstreamTlsProgram>): readonly Buffer[] | undefined | 'missing' {
    if (program.ticketKeysSecret === undefined) return program.ticketKeys;
    const secret = this.#secrets.get(program.ticketKeysSecret);
    return secret?.kind === 'ticket-keys' ? secret.keys : 'missing';
  }

  readonly #combined = new WeakMap<ValidationProgram, WeakMap<ValidationProgram, ValidationProgram>>();

  #validation(program: CommonTlsProgram): ValidationProgram | undefined | 'missing' {
    if (program.validationSecret === undefined) return program.validation;
    const secret = this.#secrets.get(program.validationSecret);
    if (secret?.kind !== 'validation') return 'missing';
    const validation = this.#combine(program, secret);
    const { sanMatchers, trustedCaPem, systemRoots } = validation;
    // Names are worth nothing where nobody has to vouch for them.
    return sanMatchers.length > 0 && trustedCaPem === undefined && !systemRoots ? 'missing' : validation;
  }

  #combine(program: CommonTlsProgram, secret: Extract<SecretProgram, { kind: 'validation' }>): ValidationProgram {
    if (program.validation === undefined) return secret.validation;
    let combined = this.#combined.get(program.validation);
    if (combined === undefined) this.#combined.set(program.validation, (combined = new WeakMap()));
    let validation = combined.get(secret.validation);
    if (validation === undefined)
      combined.set(secret.validation, (validation = merge(program.validation, secret.validation)));
    return validation;
  }

  #context(
    program: CommonTlsProgram,
    side: 'client' | 'server',
    certificate: TlsCertificateProgram | undefined,
    validation: ValidationProgram | undefined,
    ciphers: string,
    ticketKeys: readonly Buffer[] | undefined,
    tls13: boolean,
  ): SecureContext {
    let cache = certificate === undefined ? this.#anonymous : this.#byCertificate.get(certificate);
    if (cache === undefined) this.#byCertificate.set(certificate!, (cache = new Map()));
    const options = {
      ...contextOptions(program, validation, ciphers),
      ...(side === 'client' ? clientOptions(program) : serverOptions(program, validation, tls13)),
    };
    const ticketless = tls13 && withoutTickets(program);
    // The roots of the system are many, and told by the identifier of sessions.
    const name = JSON.stringify([side, options, ticketless, ticketKeys?.map((key) => key.toString('latin1'))]);
    let context = cache.get(name);
    if (context !== undefined) {
      // What is asked for least goes first.
      cache.delete(name);
      cache.set(name, context);
    } else {
      const trustsSystem = validation?.systemRoots === true && validation.trustedCaPem === undefined;
      context = tls().createSecureContext({
        ...options,
        ...(trustsSystem ? { ca: rootsOfSystem() } : {}),
        ...(certificate === undefined ? {} : identity(certificate)),
      });
      if (ticketless) giveNoTickets(context);
      else if (ticketKeys !== undefined) useTicketKeys(context, ticketKeys);
      cache.set(name, context);
      if (cache.size > MAX_CONTEXTS) cache.delete(cache.keys().next().value!);
    }
    return context;
  }
}

let systemRoots: string[] | undefined;

/** What whoever runs the system trusts, not what comes with Node. */
function rootsOfSystem(): string[] {
  return (systemRoots ??= [...new Set(tls().getCACertificates('system'))]);
}

function identity(certificate: TlsCertificateProgram): SecureContextOptions {
  const { certificateChainPem, privateKeyPem, passphrase, pkcs12 } = certificate;
  if (pkcs12 !== undefined) return { pfx: pkcs12, passphrase: passphrase ?? '' };
  return { cert: certificateChainPem, key: privateKeyPem, ...(passphrase === undefined ? {} : { passphrase }) };
}

const OLD: ReadonlySet<string | undefined> = new Set(['TLSv1', 'TLSv1.1']);

const REVOCATIONS = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g;

function contextOptions(
  program: CommonTlsProgram,
  validation: ValidationProgram | undefined,
  ciphers: string,
): SecureContextOptions {
  return {
    // An empty list: without any, OpenSSL would be given the roots that come with Node.
    ca: validation?.trustedCaPem === undefined ? [] : [validation.trustedCaPem],
    // A context knows one list for each text it is given.
    ...(validation?.crlPem === undefined ? {} : { crl: validation.crlPem.match(REVOCATIONS) ?? [] }),
    // Whoever is trusted is, be it by the grace of somebody else.
    allowPartialTrustChain: true,
    minVersion: program.fips === true ? 'TLSv1.2' : (program.minVersion ?? 'TLSv1.2'),
    // BoringSSL has no levels of security, and those of OpenSSL leave none of the older versions.
    ciphers: OLD.has(program.minVersion) ? `${ciphers}:@SECLEVEL=0` : ciphers,
    honorCipherOrder: true,
    ...(program.fips === true
      ? { sigalgs: FIPS_SIGNATURES }
      : program.signatureAlgorithms === undefined
        ? {}
        : { sigalgs: program.signatureAlgorithms }),
    sessionIdContext: sessionsOf(validation),
  };
}

/**
 * Which sessions may be resumed: those whose certificates were held against the same authorities and the same lists. They
 * are not held against them again, and keys of tickets may be shared with listeners that trust others. OpenSSL takes 32
 * bytes, and resumes nothing without any on a server that asks for certificates.
 */
function sessionsOf(validation: ValidationProgram | undefined): string {
  if (validation === undefined) return 'mizzen';
  const { trustedCaPem, systemRoots, crlPem } = validation;
  return crypto()
    .hash('sha256', JSON.stringify([trustedCaPem, systemRoots, crlPem]))
    .slice(0, 32);
}

/** A second handshake would put another peer in the place of one that has been verified; BoringSSL has none either. */
function once(): number {
  return crypto().constants.SSL_OP_NO_RENEGOTIATION;
}

/** Envoy's clients stay below TLS 1.3 unless told, so that a refused certificate is known before a request is sent. */
function clientOptions(program: CommonTlsProgram): SecureContextOptions {
  return { ecdhCurve: curvesOf(program, CLIENT_CURVES), ...clientVersions(program), secureOptions: once() };
}

function clientVersions(program: CommonTlsProgram): SecureContextOptions {
  if (program.fips === true) return { maxVersion: 'TLSv1.3' };
  return { maxVersion: program.maxVersion ?? 'TLSv1.2' };
}

function curvesOf({ fips, ecdhCurves }: CommonTlsProgram, otherwise: string): string {
  return fips === true ? FIPS_CURVES : (ecdhCurves ?? otherwise);
}

/** From 3.5 on, only what stands between slashes is preferred to what the client has sent a key for. */
const [MAJOR = 0, MINOR = 0] = process.versions.openssl.split('.').map(Number);
const NEW = MAJOR > 3 || (MAJOR === 3 && MINOR >= 5);
const SEPARATOR = NEW ? '/' : ':';
/** Older ones do not have the first. Clients send keys for those with a star. */
const SERVER_CURVES = NEW ? `X25519MLKEM768:${CURVES}` : CURVES;
const CLIENT_CURVES = NEW ? `*X25519MLKEM768:*${CURVES}` : CURVES;

function serverOptions(
  program: CommonTlsProgram & Partial<DownstreamTlsProgram>,
  validation: ValidationProgram | undefined,
  tls13: boolean,
): SecureContextOptions {
  const tickets = withoutTickets(program) ? tls13 : mayResume(validation);
  const curves = curvesOf(program, SERVER_CURVES);
  return {
    ecdhCurve: program.preferClientCiphers === true ? curves : curves.replaceAll(':', SEPARATOR),
    maxVersion: program.fips === true ? 'TLSv1.3' : (program.maxVersion ?? 'TLSv1.3'),
    ...(program.preferClientCiphers === true ? { honorCipherOrder: false } : {}),
    secureOptions: once() | (tickets ? 0 : crypto().constants.SSL_OP_NO_TICKET),
    ...(program.sessionTimeout === undefined ? {} : { sessionTimeout: Math.ceil(program.sessionTimeout / 1000) }),
  };
}

function withoutTickets({ sessionTickets }: Partial<DownstreamTlsProgram>): boolean {
  return sessionTickets === false;
}

/**
 * Clients get what they resume sessions with before they have been judged, so they are judged again when they do; but of
 * what they have shown a session keeps their own certificate only.
 */
export function mayResume(validation: ValidationProgram | undefined): boolean {
  return (
    validation?.maxVerifyDepth === undefined &&
    validation?.trustBundles === undefined &&
    validation?.leafRevocations === undefined
  );
}

/** A combined context: what the secret has comes from it, SAN matchers and pins add up. */
function merge(inline: ValidationProgram, secret: ValidationProgram): ValidationProgram {
  return {
    trustedCaPem: secret.trustedCaPem ?? inline.trustedCaPem,
    trustedCaPath: secret.trustedCaPem === undefined ? inline.trustedCaPath : secret.trustedCaPath,
    trustBundles: secret.trustBundles ?? inline.trustBundles,
    leafRevocations: secret.leafRevocations ?? inline.leafRevocations,
    systemRoots: secret.systemRoots || inline.systemRoots,
    crlPem: secret.crlPem ?? inline.crlPem,
    acceptUntrusted: secret.acceptUntrusted || inline.acceptUntrusted,
    allowExpired: secret.allowExpired || inline.allowExpired,
    certificateHashes: [...inline.certificateHashes, ...secret.certificateHashes],
    spkiHashes: [...inline.spkiHashes, ...secret.spkiHashes],
    sanMatchers: [...inline.sanMatchers, ...secret.sanMatchers],
    maxVerifyDepth: secret.maxVerifyDepth ?? inline.maxVerifyDepth,
  };
}

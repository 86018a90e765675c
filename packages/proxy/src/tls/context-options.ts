/** What of TLS settings OpenSSL is told. */
import type { SecureContextOptions } from 'node:tls';
import { crypto } from '../node-tls.ts';
import type { CommonTlsProgram, DownstreamTlsProgram, ValidationProgram } from '../program/types.ts';

const FIPS_CURVES = 'P-256:P-384';
const FIPS_SIGNATURES =
  'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512';
const CURVES = 'X25519:P-256';

const OLD: ReadonlySet<string | undefined> = new Set(['TLSv1', 'TLSv1.1']);

const REVOCATIONS = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g;

export function contextOptions(
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
export function clientOptions(program: CommonTlsProgram): SecureContextOptions {
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

export function serverOptions(
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

export function withoutTickets({ sessionTickets }: Partial<DownstreamTlsProgram>): boolean {
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

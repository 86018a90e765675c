import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { crypto, tls } from '../node-tls.ts';
import type { SanMatcher, ValidationProgram } from '../program/types.ts';
import { BAD_CERTIFICATE_HASH_VALUE, CERTIFICATE_UNKNOWN, chainAlert } from './alert.ts';
import { keyUsage, mayBe, maySign, otherNames, saysMore } from './certificate-fields.ts';
import { checkRevoked, parseRevocationLists } from './crl.ts';
import { chainFailure, verifyFailure } from './failure.ts';
import { pathTo } from './path.ts';
import { bundleOf, checkTrustDomain } from './spiffe.ts';
import { dnsNameMatches, parseSubjectAltNames, type SubjectAltNames } from './subject-alt-names.ts';

/** Why a peer was refused; `counter` is Envoy's statistic for it, `alert` what the peer is told. */
export interface Refusal {
  readonly reason: string;
  readonly alert: number;
  readonly counter: 'fail_verify_error' | 'fail_verify_san' | 'fail_verify_cert_hash' | 'fail_verify_no_cert';
}

/** Verdicts of OpenSSL that `allowExpiredCertificate` overrules. */
const TIME_VERDICTS: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
]);

/**
 * The peer's certificate against what is demanded of it. `chainError` is OpenSSL's verdict on the chain (a Node error
 * code), undefined when it was fine; `now` is in milliseconds since the epoch. Returns why it is refused, or undefined; with
 * `acceptUntrusted` that is counted, and the peer is taken all the same.
 */
export function verifyPeer(
  certificate: X509Certificate,
  chainError: string | undefined,
  validation: ValidationProgram,
  now: number,
  purpose: Purpose,
): Refusal | undefined {
  try {
    return judge(certificate, chainError, validation, now, purpose);
  } catch (error) {
    // OpenSSL goes on with extensions that it cannot read.
    if (error instanceof RangeError) return foreigner('malformed certificate');
    throw error;
  }
}

/** Whoever is refused is taken all the same; validators of SPIFFE know nothing of that. */
export function takesAll(validation: ValidationProgram | undefined): boolean {
  return validation?.acceptUntrusted === true && validation.trustBundles === undefined;
}

function judge(
  certificate: X509Certificate,
  chainError: string | undefined,
  validation: ValidationProgram,
  now: number,
  purpose: Purpose,
): Refusal | undefined {
  const { trustBundles } = validation;
  const bundle =
    trustBundles && bundleOf(certificate, parseSubjectAltNames(certificate.subjectAltName).uri, trustBundles);
  if (typeof bundle === 'string') return foreigner(bundle);
  const chainMatters = validation.trustedCaPem !== undefined || validation.systemRoots;
  if (chainMatters && chainError !== undefined && !(validation.allowExpired && TIME_VERDICTS.has(chainError))) {
    // OpenSSL looks for a list of revocations even where it does not know whose; BoringSSL says that first.
    const stranger =
      (chainError === 'UNABLE_TO_GET_CRL' && issuerOf(certificate, validation) === undefined) ||
      // Nor is a certificate its own authority for BoringSSL that must not sign any.
      (chainError === 'DEPTH_ZERO_SELF_SIGNED_CERT' && !maySign(certificate));
    const why = stranger ? 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' : chainError;
    const refused = chainRefusal(why);
    return bundle === undefined ? refused : { ...refused, alert: CERTIFICATE_UNKNOWN };
  }
  if (chainMatters && chainError !== undefined) {
    const besides = besidesTime(certificate, validation, purpose);
    if (besides !== undefined) return chainRefusal(besides);
  }
  const when = validation.allowExpired ? undefined : now;
  const { maxVerifyDepth: deepest } = validation;
  // None at all is taken for one. BoringSSL then does not find who has signed the last one that it looks at.
  if (deepest !== undefined && depth(certificate, validation, when) > Math.max(1, deepest))
    return chainRefusal('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', Math.max(1, deepest));
  if (bundle !== undefined) {
    const foreign = checkTrustDomain(chainOf(certificate), bundle, when);
    if (foreign !== undefined) return foreigner(foreign);
  }
  if (validation.leafRevocations !== undefined) {
    const revoked = checkRevoked(certificate, issuerOf(certificate, validation), validation.leafRevocations, now);
    if (revoked !== undefined) return chainRefusal(revoked);
  }
  if (validation.sanMatchers.length > 0) {
    const names = parseSubjectAltNames(certificate.subjectAltName);
    if (!validation.sanMatchers.some((matcher) => fits(matcher, names, certificate))) {
      const reason = verifyFailure(`SAN matcher, certificate SANs are [${listed(certificate)}]`);
      return { reason, counter: 'fail_verify_san', alert: CERTIFICATE_UNKNOWN };
    }
  }
  if (hashMatches(certificate, validation)) return undefined;
  const reason = verifyFailure('cert hash and spki');
  return { reason, counter: 'fail_verify_cert_hash', alert: BAD_CERTIFICATE_HASH_VALUE };
}

function foreigner(why: string): Refusal {
  return { reason: verifyFailure(why), counter: 'fail_verify_error', alert: CERTIFICATE_UNKNOWN };
}

function chainRefusal(code: string, depth?: number): Refusal {
  return { reason: chainFailure(code, depth), counter: 'fail_verify_error', alert: chainAlert(code) };
}

/** The certificate has a name that fits. */
export function hasName(certificate: X509Certificate, matcher: SanMatcher): boolean {
  return fits(matcher, parseSubjectAltNames(certificate.subjectAltName), certificate);
}

/** All names of a certificate, as failures list them. */
export function listed(certificate: X509Certificate): string {
  const { all } = parseSubjectAltNames(certificate.subjectAltName);
  const others = otherNames(certificate).values();
  return all.map((name) => name ?? others.next().value?.value ?? '').join(', ');
}

/** What certificates are for (RFC 5280, 4.2.1.12 and 4.2.1.3). */
interface Purpose {
  readonly extended: string;
  readonly usages: readonly Parameters<typeof mayBe>[1][];
}
export const CLIENT_AUTH: Purpose = { extended: '1.3.6.1.5.5.7.3.2', usages: ['digitalSignature', 'keyAgreement'] };
export const SERVER_AUTH: Purpose = {
  extended: '1.3.6.1.5.5.7.3.1',
  usages: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
};

/** Neither before nor after anything. */
const AT_ANY_TIME = NaN;

/** OpenSSL tells of the last mistake alone, which is that a certificate has expired: whether there is another. */
function besidesTime(
  certificate: X509Certificate,
  validation: ValidationProgram,
  purpose: Purpose,
): string | undefined {
  const path = pathTo(certificate, chainOf(certificate), authoritiesOf(validation), undefined);
  if (path === undefined) return 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  if (path.some(saysMore)) return 'UNSPECIFIED';
  if (!path.every((one) => isMeantFor(one, purpose))) return 'INVALID_PURPOSE';
  const usage = keyUsage(certificate);
  if (usage === 'unreadable' || (usage !== undefined && !mayBe(usage, ...purpose.usages))) return 'INVALID_PURPOSE';
  if (validation.crlPem === undefined) return undefined;
  const lists = parseRevocationLists(validation.crlPem);
  for (const [i, one] of path.slice(0, -1).entries()) {
    const revoked = checkRevoked(one, path[i + 1], lists, AT_ANY_TIME);
    if (revoked !== undefined) return revoked;
  }
  return undefined;
}

/** Authorities may be for one purpose alone, too. Node has the extended usage under the other's name. */
function isMeantFor(certificate: X509Certificate, { extended }: Purpose): boolean {
  const { keyUsage: said } = certificate as { readonly keyUsage?: readonly string[] };
  return said === undefined || said.includes(extended);
}

/** OpenSSL's verdict, which Node keeps on the handle until its own code asks for it. */
export function chainError(secure: TLSSocket): string | undefined {
  const { ssl } = secure as TLSSocket & {
    readonly ssl?: { verifyError(): (Error & { code?: string }) | null | undefined } | null;
  };
  if (ssl === undefined || ssl === null) return 'CLOSED';
  return ssl.verifyError()?.code;
}

/** What the peer has shown, its own first, in its order: none need have anything to do with the others. */
export function chainOf(certificate: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (
    let at: X509Certificate | undefined = certificate;
    at !== undefined && !chain.some((each) => each.fingerprint256 === at?.fingerprint256);
    at = at.issuerCertificate
  )
    chain.push(at);
  return chain;
}

/** The authority that has signed a certificate: one that is trusted, or else one that the peer has shown. */
export function issuerOf(
  certificate: X509Certificate,
  validation: ValidationProgram | undefined,
): X509Certificate | undefined {
  const trusted = validation === undefined ? [] : authoritiesOf(validation);
  return [...trusted, ...chainOf(certificate)].find(
    (each) =>
      each.fingerprint256 !== certificate.fingerprint256 &&
      certificate.checkIssued(each) &&
      certificate.verify(each.publicKey),
  );
}

const authorities = new WeakMap<ValidationProgram, readonly X509Certificate[]>();
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function authoritiesOf(validation: ValidationProgram): readonly X509Certificate[] {
  let found = authorities.get(validation);
  if (found === undefined) {
    const { trustedCaPem, systemRoots } = validation;
    const ofSystem = systemRoots && trustedCaPem === undefined;
    const pems = ofSystem ? tls().getCACertificates('system') : (trustedCaPem?.match(CERTIFICATE) ?? []);
    found = pems.map((pem) => new (crypto().X509Certificate)(pem));
    authorities.set(validation, found);
  }
  return found;
}

/** Authorities above the peer's own certificate: those in between, and the one that is trusted. */
function depth(certificate: X509Certificate, validation: ValidationProgram, now: number | undefined): number {
  const shown = chainOf(certificate);
  const path = pathTo(certificate, shown, authoritiesOf(validation), now);
  if (path !== undefined) return path.length - 1;
  // Of roots of the system, or none, all that is known is how far what was shown goes.
  const highest = shown.filter((one) => one.issuer === one.subject);
  const shownPath = pathTo(certificate, shown, highest, now);
  return shownPath === undefined ? shown.length : shownPath.length - 1;
}

function fits(matcher: SanMatcher, names: SubjectAltNames, certificate: X509Certificate): boolean {
  const { type, exact, matches, oid: wanted } = matcher;
  switch (type) {
    case 'URI':
      return names.uri.some(matches);
    case 'DNS':
      return names.dns.some(exact === undefined ? matches : (name) => dnsNameMatches(exact, name));
    case 'EMAIL':
      return names.email.some(matches);
    case 'IP_ADDRESS':
      return names.ip.some(matches);
    case 'OTHER_NAME':
      return otherNames(certificate).some(({ oid, value }) => oid === wanted && matches(value));
    case 'ANY':
      return (['URI', 'DNS', 'EMAIL', 'IP_ADDRESS'] as const).some((kind) =>
        fits({ ...matcher, type: kind }, names, certificate),
      );
  }
}

/** Either kind of pin is enough when both are given. */
function hashMatches(certificate: X509Certificate, validation: ValidationProgram): boolean {
  if (validation.certificateHashes.length === 0 && validation.spkiHashes.length === 0) return true;
  if (validation.certificateHashes.includes(fingerprint(certificate))) return true;
  if (validation.spkiHashes.length === 0) return false;
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return validation.spkiHashes.includes(crypto().createHash('sha256').update(key).digest('base64'));
}

/** SHA-256 of the certificate, lowercase hexadecimal. */
export function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

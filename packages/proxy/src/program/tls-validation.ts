import type { X509Certificate } from 'node:crypto';
import { crypto, tls } from '../node-tls.ts';
import type { types } from '@mizzen/xds';
import { parseRevocationLists } from '../tls/crl.ts';
import type { TrustBundles } from '../tls/spiffe.ts';
import type { CompileContext } from './context.ts';
import { certificatesOf } from './key-pair.ts';
import { compileString } from './match/string.ts';
import type { Path } from './path.ts';
import { messageOf } from './read-resource.ts';
import type { SanMatcher, ValidationProgram } from './types.ts';
import { dataSource, wire } from './values.ts';

const REVOCATIONS = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----\n?/g;
const SPIFFE = 'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig';

/** `whole`: what it lacks comes from nowhere else. */
export function compileValidation(
  context: CompileContext,
  validation: types.tls.CertificateValidationContext,
  path: Path,
  whole: boolean,
): ValidationProgram {
  const pem = (source: types.core.DataSource | undefined, field: string): string | undefined =>
    source === undefined ? undefined : dataSource(context, source, [...path, field])?.toString('latin1');
  const trustedCaPem = pem(validation.trustedCa, 'trustedCa');
  if (trustedCaPem !== undefined) certificatesOf(context, trustedCaPem, [...path, 'trustedCa']);
  const ownLists = pem(validation.crl, 'crl');
  if (ownLists !== undefined) checkRevocations(context, ownLists, [...path, 'crl']);
  // Lists among the authorities count, too.
  const lists = `${ownLists ?? ''}\n${trustedCaPem ?? ''}`.match(REVOCATIONS);
  const crlPem = lists === null ? undefined : lists.join('');
  if (whole) checkAuthorities(context, validation, trustedCaPem, path);
  const bundles =
    validation.customValidatorConfig === undefined
      ? undefined
      : compileValidator(context, validation.customValidatorConfig, [...path, 'customValidatorConfig']);
  const leafCrl = crlPem !== undefined && validation.onlyVerifyLeafCertCrl === true;
  return {
    trustedCaPem: bundles === undefined ? trustedCaPem : pemOf(bundles),
    trustedCaPath: validation.trustedCa?.filename,
    trustBundles: bundles,
    systemRoots: validation.systemRootCerts !== undefined,
    crlPem: leafCrl ? undefined : crlPem,
    leafRevocations: leafCrl ? revocations(context, crlPem, [...path, 'crl']) : undefined,
    acceptUntrusted: validation.trustChainVerification === 'ACCEPT_UNTRUSTED',
    allowExpired: validation.allowExpiredCertificate === true,
    certificateHashes: (validation.verifyCertificateHash ?? []).map((hash, i) => {
      const plain = hash.replaceAll(':', '').toLowerCase();
      if (!/^[0-9a-f]{64}$/.test(plain))
        context.refuse([...path, 'verifyCertificateHash', i], `\`${hash}\` is not a SHA-256 hash in hexadecimal`);
      return plain;
    }),
    spkiHashes: (validation.verifyCertificateSpki ?? []).map((hash, i) => {
      if (Buffer.from(hash, 'base64').length !== 32)
        context.refuse([...path, 'verifyCertificateSpki', i], `\`${hash}\` is not a SHA-256 hash in Base64`);
      return hash;
    }),
    sanMatchers: compileNames(context, validation, path),
    maxVerifyDepth: validation.maxVerifyDepth,
  };
}

/** Whoever is not vouched for by anybody may call itself what it likes. */
function checkAuthorities(
  context: CompileContext,
  validation: types.tls.CertificateValidationContext,
  trustedCaPem: string | undefined,
  path: Path,
): void {
  if (trustedCaPem !== undefined || validation.systemRootCerts !== undefined) return;
  if (validation.customValidatorConfig !== undefined) return;
  const needing = [
    ['matchTypedSubjectAltNames', (validation.matchTypedSubjectAltNames ?? []).length > 0],
    ['matchSubjectAltNames', (validation.matchSubjectAltNames ?? []).length > 0],
    ['crl', validation.crl !== undefined],
    ['allowExpiredCertificate', validation.allowExpiredCertificate === true],
  ] as const;
  for (const [field, there] of needing)
    if (there)
      context.refuse([...path, field], 'says nothing without `trustedCa`: anybody could sign such a certificate');
}

/** Lists that OpenSSL would not take would fail every handshake. */
function checkRevocations(context: CompileContext, pem: string, path: Path): void {
  const lists = pem.match(REVOCATIONS) ?? [];
  if (lists.length === 0) context.refuse(path, 'has no revocation list in PEM');
  for (const crl of lists) {
    try {
      tls().createSecureContext({ crl });
    } catch (error) {
      context.refuse(path, `holds no revocation list: ${(error as Error).message}`);
    }
  }
}

function compileNames(
  context: CompileContext,
  validation: types.tls.CertificateValidationContext,
  path: Path,
): SanMatcher[] {
  const untyped = (validation.matchSubjectAltNames ?? []).map((matcher, i): SanMatcher => {
    const { text, matches } = compileString(context, matcher, [...path, 'matchSubjectAltNames', i]);
    return { type: 'ANY', text, matches, exact: bytesOf(matcher.exact) };
  });
  const typed = (validation.matchTypedSubjectAltNames ?? []).map((matcher, i) =>
    compileSanMatcher(context, matcher, [...path, 'matchTypedSubjectAltNames', i]),
  );
  return [...untyped, ...typed];
}

const bytesOf = (text: string | undefined): string | undefined => (text === undefined ? undefined : wire(text));

export function compileSanMatcher(
  context: CompileContext,
  matcher: types.tls.SubjectAltNameMatcher,
  at: Path,
): SanMatcher {
  const { text, matches } = compileString(context, matcher.matcher ?? {}, [...at, 'matcher']);
  const { sanType = 'SAN_TYPE_UNSPECIFIED', oid = '' } = matcher;
  if (sanType === 'SAN_TYPE_UNSPECIFIED') context.refuse([...at, 'sanType'], 'must say which kind of name');
  if (sanType === 'OTHER_NAME' && !/^[0-2](\.\d+)+$/.test(oid))
    context.refuse([...at, 'oid'], `\`${oid}\` is not an object identifier`);
  return {
    type: sanType === 'SAN_TYPE_UNSPECIFIED' ? 'ANY' : sanType,
    text,
    matches,
    exact: bytesOf(matcher.matcher?.exact),
    ...(sanType === 'OTHER_NAME' ? { oid } : {}),
  };
}

function revocations(context: CompileContext, pem: string, path: Path): ValidationProgram['leafRevocations'] {
  try {
    return parseRevocationLists(pem);
  } catch (error) {
    context.refuse(path, `holds no revocation list: ${(error as Error).message}`);
    return [];
  }
}

function pemOf(bundles: TrustBundles): string {
  return [...bundles.values()].flatMap((bundle) => bundle.map(String)).join('');
}

const VALIDATOR = 'envoy.tls.cert_validator.spiffe';

function compileValidator(
  context: CompileContext,
  { name: validator, typedConfig }: types.core.TypedExtensionConfig,
  path: Path,
): TrustBundles {
  // Envoy goes by the name.
  if (validator !== VALIDATOR) context.refuse([...path, 'name'], `must be \`${VALIDATOR}\``);
  const at = [...path, 'typedConfig'];
  const bundles = new Map<string, readonly X509Certificate[]>();
  if (messageOf(typedConfig?.['@type'] ?? '') !== SPIFFE) {
    context.refuse(at, `\`${typedConfig?.['@type'] ?? ''}\` is not a certificate validator that is supported`);
    return bundles;
  }
  const config = typedConfig as types.tls.SPIFFECertValidatorConfig;
  if (config.trustBundles !== undefined) return compileBundles(context, config.trustBundles, [...at, 'trustBundles']);
  for (const [i, { name = '', trustBundle }] of (config.trustDomains ?? []).entries()) {
    const here = [...at, 'trustDomains', i];
    if (bundles.has(name)) context.refuse([...here, 'name'], `\`${name}\` is there twice`);
    if (trustBundle === undefined) context.refuse([...here, 'trustBundle'], 'must be there');
    const pem = trustBundle === undefined ? undefined : dataSource(context, trustBundle, [...here, 'trustBundle']);
    if (pem !== undefined)
      bundles.set(name, certificatesOf(context, pem.toString('latin1'), [...here, 'trustBundle']) ?? []);
  }
  return bundles;
}

/** SPIFFE bundles as JSON, by trust domain: `{"trust_domains": {"a": {"keys": [{"use": "x509-svid", "x5c": […]}]}}}`. */
function compileBundles(context: CompileContext, source: types.core.DataSource, path: Path): TrustBundles {
  const bundles = new Map<string, readonly X509Certificate[]>();
  const text = dataSource(context, source, path)?.toString('utf8');
  if (text === undefined) return bundles;
  try {
    const { trust_domains: domains } = JSON.parse(text) as {
      readonly trust_domains?: Readonly<Record<string, SpiffeBundle>>;
    };
    if (domains === undefined || Object.keys(domains).length === 0) context.refuse(path, 'has no `trust_domains`');
    for (const [name, { keys = [] }] of Object.entries(domains ?? {})) {
      const chains = keys.filter(({ use }) => use === 'x509-svid').flatMap(({ x5c = [] }) => x5c.slice(0, 1));
      bundles.set(
        name,
        chains.map((der) => new (crypto().X509Certificate)(Buffer.from(der, 'base64'))),
      );
    }
  } catch (error) {
    context.refuse(path, `cannot be read: ${(error as Error).message}`);
  }
  return bundles;
}

interface SpiffeBundle {
  readonly keys?: readonly { readonly use?: string; readonly x5c?: readonly string[] }[];
}

import type { types } from '@mizzen/xds';
import { parseCiphers } from '../tls/ciphers.ts';
import type { CompileContext } from './context.ts';
import { certificatesOf, checkKeyPair } from './key-pair.ts';
import { compileString } from './match/string.ts';
import type { Path } from './path.ts';
import type {
  CommonTlsProgram,
  DownstreamTlsProgram,
  SanMatcher,
  TlsCertificateProgram,
  TlsVersion,
  UpstreamTlsProgram,
  ValidationProgram,
} from './types.ts';
import { dataSource, milliseconds } from './values.ts';

const VERSIONS: Readonly<Record<string, TlsVersion | undefined>> = {
  TLS_AUTO: undefined,
  TLSv1_0: 'TLSv1',
  TLSv1_1: 'TLSv1.1',
  TLSv1_2: 'TLSv1.2',
  TLSv1_3: 'TLSv1.3',
};

export function compileDownstreamTls(
  context: CompileContext,
  tls: types.tls.DownstreamTlsContext,
  path: Path,
): DownstreamTlsProgram {
  const common = compileCommon(context, tls.commonTlsContext ?? {}, [...path, 'commonTlsContext']);
  if (common.certificates.length === 0 && common.certificateSecrets.length === 0) {
    context.refuse([...path, 'commonTlsContext'], 'must have a certificate');
  }
  const requireClientCertificate = tls.requireClientCertificate === true;
  return {
    ...common,
    requireClientCertificate,
    requireSni: tls.requireSni === true,
    preferClientCiphers: tls.preferClientCiphers === true,
    fullScanCertificates: tls.fullScanCertsOnSniMismatch === true,
    sessionTickets: tls.disableStatelessSessionResumption !== true,
    sessionTimeout: tls.sessionTimeout === undefined ? undefined : milliseconds(tls.sessionTimeout, 0),
  };
}

export function compileUpstreamTls(
  context: CompileContext,
  tls: types.tls.UpstreamTlsContext,
  path: Path,
): UpstreamTlsProgram {
  return {
    ...compileCommon(context, tls.commonTlsContext ?? {}, [...path, 'commonTlsContext']),
    sni: tls.sni ?? '',
    autoHostSni: tls.autoHostSni === true,
    autoSniSanValidation: tls.autoSniSanValidation === true,
    maxSessionKeys: tls.maxSessionKeys ?? 1,
  };
}

function compileCommon(context: CompileContext, common: types.tls.CommonTlsContext, path: Path): CommonTlsProgram {
  const params = common.tlsParams;
  const combined = common.combinedValidationContext;
  const certificateSecrets = (common.tlsCertificateSdsSecretConfigs ?? []).map((secret, i) =>
    secretName(context, secret, [...path, 'tlsCertificateSdsSecretConfigs', i]),
  );
  const inline =
    combined?.defaultValidationContext === undefined
      ? common.validationContext === undefined
        ? undefined
        : compileValidation(context, common.validationContext, [...path, 'validationContext'])
      : compileValidation(context, combined.defaultValidationContext, [
          ...path,
          'combinedValidationContext',
          'defaultValidationContext',
        ]);
  const secret = combined?.validationContextSdsSecretConfig ?? common.validationContextSdsSecretConfig;
  return {
    minVersion: VERSIONS[params?.tlsMinimumProtocolVersion ?? 'TLS_AUTO'],
    maxVersion: VERSIONS[params?.tlsMaximumProtocolVersion ?? 'TLS_AUTO'],
    ciphers:
      params?.cipherSuites === undefined || params.cipherSuites.length === 0
        ? undefined
        : parseCiphers(params.cipherSuites),
    ecdhCurves: listOf(params?.ecdhCurves),
    signatureAlgorithms: listOf(params?.signatureAlgorithms),
    alpnProtocols: common.alpnProtocols ?? [],
    certificates: (common.tlsCertificates ?? []).flatMap(
      (certificate, i) => compileCertificate(context, certificate, [...path, 'tlsCertificates', i]) ?? [],
    ),
    certificateSecrets,
    validation: inline,
    validationSecret:
      secret === undefined ? undefined : secretName(context, secret, [...path, 'validationContextSdsSecretConfig']),
  };
}

/** BoringSSL's `[A|B]` groups are of equal preference; OpenSSL has no such thing, so they become a plain order. */
function listOf(names: readonly string[] | undefined): string | undefined {
  if (names === undefined || names.length === 0) return undefined;
  return names.map((name) => name.replace(/[[\]]/g, '').replaceAll('|', ':')).join(':');
}

function secretName(context: CompileContext, secret: types.tls.SdsSecretConfig, path: Path): string {
  if (secret.name === undefined || secret.name === '') context.refuse([...path, 'name'], 'must not be empty');
  context.refer('secret', secret.name ?? '', secret.sdsConfig, [...path, 'sdsConfig']);
  return secret.name ?? '';
}

/** Undefined after a refusal. */
export function compileCertificate(
  context: CompileContext,
  certificate: types.tls.TlsCertificate,
  path: Path,
): TlsCertificateProgram | undefined {
  const { certificateChain: chain, privateKey: key, password } = certificate;
  if (chain === undefined) context.refuse([...path, 'certificateChain'], 'must be there');
  if (key === undefined) context.refuse([...path, 'privateKey'], 'must be there');
  if (chain === undefined || key === undefined) return undefined;
  const chainPem = dataSource(context, chain, [...path, 'certificateChain']);
  const keyPem = dataSource(context, key, [...path, 'privateKey']);
  const passphrase = password === undefined ? undefined : dataSource(context, password, [...path, 'password']);
  if (chainPem === undefined || keyPem === undefined) return undefined;
  const pair = {
    certificateChainPem: chainPem.toString('latin1'),
    privateKeyPem: keyPem.toString('latin1'),
    passphrase: passphrase?.toString('utf8'),
  };
  return checkKeyPair(context, pair, path) ? pair : undefined;
}

export function compileValidation(
  context: CompileContext,
  validation: types.tls.CertificateValidationContext,
  path: Path,
): ValidationProgram {
  const pem = (source: types.core.DataSource | undefined, field: string): string | undefined =>
    source === undefined ? undefined : dataSource(context, source, [...path, field])?.toString('latin1');
  const untyped = (validation.matchSubjectAltNames ?? []).map((matcher, i): SanMatcher => {
    const { text, matches } = compileString(context, matcher, [...path, 'matchSubjectAltNames', i]);
    return { type: 'ANY', text, matches };
  });
  const typed = (validation.matchTypedSubjectAltNames ?? []).map((matcher, i): SanMatcher => {
    const at = [...path, 'matchTypedSubjectAltNames', i];
    const { text, matches } = compileString(context, matcher.matcher ?? {}, [...at, 'matcher']);
    const type = matcher.sanType ?? 'SAN_TYPE_UNSPECIFIED';
    if (type === 'SAN_TYPE_UNSPECIFIED') context.refuse([...at, 'sanType'], 'must say which kind of name');
    return { type: type === 'SAN_TYPE_UNSPECIFIED' || type === 'OTHER_NAME' ? 'ANY' : type, text, matches };
  });
  const trustedCaPem = pem(validation.trustedCa, 'trustedCa');
  if (trustedCaPem !== undefined) certificatesOf(context, trustedCaPem, [...path, 'trustedCa']);
  return {
    trustedCaPem,
    systemRoots: validation.systemRootCerts !== undefined,
    crlPem: pem(validation.crl, 'crl'),
    acceptUntrusted: validation.trustChainVerification === 'ACCEPT_UNTRUSTED',
    allowExpired: validation.allowExpiredCertificate === true,
    certificateHashes: (validation.verifyCertificateHash ?? []).map((hash) => hash.replaceAll(':', '').toLowerCase()),
    spkiHashes: validation.verifyCertificateSpki ?? [],
    sanMatchers: [...untyped, ...typed],
    maxVerifyDepth: validation.maxVerifyDepth,
  };
}

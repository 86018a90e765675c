import type { types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import { compileCidrs } from './match/cidr.ts';
import type { Path } from './path.ts';
import type {
  CommonTlsProgram,
  DownstreamTlsProgram,
  KeyLogProgram,
  SecretKind,
  TlsVersion,
  UpstreamTlsProgram,
} from './types.ts';
import { compileCertificate } from './tls-certificate.ts';
import { compileValidation } from './tls-validation.ts';
import { checkProtocols, compileParameters } from './tls-parameters.ts';
import { checkLogFile, dataSource, milliseconds } from './values.ts';

const VERSIONS: Readonly<Record<string, TlsVersion | undefined>> = {
  TLS_AUTO: undefined,
  TLSv1_0: 'TLSv1',
  TLSv1_1: 'TLSv1.1',
  TLSv1_2: 'TLSv1.2',
  TLSv1_3: 'TLSv1.3',
};

/** Bytes that the length of a server name has room for. */
const MAX_NAME = 255;

export function compileDownstreamTls(
  context: CompileContext,
  tls: types.tls.DownstreamTlsContext,
  path: Path,
): DownstreamTlsProgram {
  const common = compileCommon(context, tls.commonTlsContext ?? {}, [...path, 'commonTlsContext']);
  const given = tls.commonTlsContext?.tlsCertificates ?? [];
  if (given.length === 0 && common.certificateSecrets.length === 0) {
    context.refuse([...path, 'commonTlsContext'], 'must have a certificate');
  }
  common.certificates.forEach(({ ocsp, mustStaple }, i) => {
    if (ocsp === undefined && (mustStaple === true || tls.ocspStaplePolicy === 'MUST_STAPLE'))
      context.refuse([...path, 'commonTlsContext', 'tlsCertificates', i], 'must have an `ocspStaple`');
  });
  const { sessionTicketKeys, sessionTicketKeysSdsSecretConfig: ticketKeys } = tls;
  return {
    ...common,
    requireClientCertificate: tls.requireClientCertificate === true,
    preferClientCiphers: tls.preferClientCiphers === true,
    fullScanCertificates: tls.fullScanCertsOnSniMismatch === true,
    sessionTickets: tls.disableStatelessSessionResumption !== true,
    storedSessions: tls.disableStatefulSessionResumption !== true,
    sessionTimeout: tls.sessionTimeout === undefined ? undefined : milliseconds(tls.sessionTimeout, 0),
    ticketKeys:
      sessionTicketKeys === undefined
        ? undefined
        : compileTicketKeys(context, sessionTicketKeys, [...path, 'sessionTicketKeys']),
    ticketKeysSecret:
      ticketKeys === undefined
        ? undefined
        : secretName(context, ticketKeys, 'sessionTicketKeys', [...path, 'sessionTicketKeysSdsSecretConfig']),
    ocspPolicy: tls.ocspStaplePolicy ?? 'LENIENT_STAPLING',
  };
}

export function compileUpstreamTls(
  context: CompileContext,
  tls: types.tls.UpstreamTlsContext,
  path: Path,
): UpstreamTlsProgram {
  if (Buffer.byteLength(tls.sni ?? '') > MAX_NAME)
    context.refuse([...path, 'sni'], `must have at most ${MAX_NAME} bytes`);
  if (tls.sni?.includes('\0') === true) context.refuse([...path, 'sni'], 'must not have a NUL in it');
  const { tlsCertificates = [], tlsCertificateSdsSecretConfigs = [] } = tls.commonTlsContext ?? {};
  if (tlsCertificates.length + tlsCertificateSdsSecretConfigs.length > 1)
    context.refuse([...path, 'commonTlsContext'], 'must not have more than one certificate: clients show one');
  const common = compileCommon(context, tls.commonTlsContext ?? {}, [...path, 'commonTlsContext']);
  if (
    tls.autoSniSanValidation === true &&
    common.validationSecret === undefined &&
    common.validation?.trustedCaPem === undefined
  )
    context.refuse([...path, 'autoSniSanValidation'], 'needs a `validationContext` with a `trustedCa`');
  return {
    ...common,
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
    secretName(context, secret, 'tlsCertificate', [...path, 'tlsCertificateSdsSecretConfigs', i]),
  );
  const inline =
    combined?.defaultValidationContext === undefined
      ? common.validationContext === undefined
        ? undefined
        : compileValidation(context, common.validationContext, [...path, 'validationContext'], true)
      : compileValidation(
          context,
          combined.defaultValidationContext,
          [...path, 'combinedValidationContext', 'defaultValidationContext'],
          combined.validationContextSdsSecretConfig === undefined,
        );
  const secret = combined?.validationContextSdsSecretConfig ?? common.validationContextSdsSecretConfig;
  checkProtocols(context, common.alpnProtocols, [...path, 'alpnProtocols']);
  return {
    minVersion: VERSIONS[params?.tlsMinimumProtocolVersion ?? 'TLS_AUTO'],
    maxVersion: VERSIONS[params?.tlsMaximumProtocolVersion ?? 'TLS_AUTO'],
    ...compileParameters(context, params ?? {}, [...path, 'tlsParams']),
    fips: params?.compliancePolicies?.includes('FIPS_202205') === true,
    keyLog: common.keyLog === undefined ? undefined : compileKeyLog(context, common.keyLog, [...path, 'keyLog']),
    // Envoy joins the names by commas before it reads them, so that one entry may be several.
    alpnProtocols: (common.alpnProtocols ?? []).flatMap((names) => (names === '' ? [] : names.split(','))),
    certificates: (common.tlsCertificates ?? []).flatMap(
      (certificate, i) => compileCertificate(context, certificate, [...path, 'tlsCertificates', i]) ?? [],
    ),
    certificateSecrets,
    validation: inline,
    validationSecret:
      secret === undefined
        ? undefined
        : secretName(context, secret, 'validationContext', [...path, 'validationContextSdsSecretConfig']),
  };
}

function secretName(context: CompileContext, secret: types.tls.SdsSecretConfig, kind: SecretKind, path: Path): string {
  if (secret.name === undefined || secret.name === '') context.refuse([...path, 'name'], 'must not be empty');
  else if (secret.sdsConfig === undefined && context.deps.hasSecret?.(secret.name, kind) === false)
    context.refuse(
      [...path, 'name'],
      `there is no static secret \`${secret.name}\` with a \`${kind}\`, and no \`sdsConfig\` to fetch it`,
    );
  context.refer('secret', secret.name ?? '', secret.sdsConfig, [...path, 'sdsConfig']);
  return secret.name ?? '';
}

function compileKeyLog(
  context: CompileContext,
  { path = '', localAddressRange, remoteAddressRange }: types.tls.TlsKeyLog,
  at: Path,
): KeyLogProgram {
  if (path === '') context.refuse([...at, 'path'], 'must not be empty');
  checkLogFile(context, path, [...at, 'path']);
  return {
    path,
    local: compileCidrs(context, localAddressRange, [...at, 'localAddressRange']),
    remote: compileCidrs(context, remoteAddressRange, [...at, 'remoteAddressRange']),
  };
}

/** 16 bytes that name it, then 32 to authenticate with and 32 to encrypt with. */
const TICKET_KEY_BYTES = 80;

export function compileTicketKeys(
  context: CompileContext,
  { keys = [] }: types.tls.TlsSessionTicketKeys,
  path: Path,
): Buffer[] {
  if (keys.length === 0) context.refuse([...path, 'keys'], 'must not be empty');
  return keys.flatMap((source, i) => {
    const key = dataSource(context, source, [...path, 'keys', i]);
    if (key !== undefined && key.length !== TICKET_KEY_BYTES)
      context.refuse([...path, 'keys', i], `has ${key.length} bytes, not ${TICKET_KEY_BYTES}`);
    return key ?? [];
  });
}

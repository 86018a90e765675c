import { knownCiphers, type mesh, type networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { defined } from '../filters/typed.ts';
import { downstreamTls } from './context.ts';
import { alpn } from './mutual.ts';
import {
  MESH_ROOTS,
  ROOTS_SUFFIX,
  WORKLOAD_CERTIFICATE,
  credentialSecret,
  fileSecret,
  workloadSecret,
} from './secrets.ts';

type CommonTls = types.tls.CommonTlsContext;

/**
 * TLS as a Gateway server's or a Sidecar ingress listener's `tls` asks for it: SIMPLE, MUTUAL and OPTIONAL_MUTUAL with
 * certificates of its own, ISTIO_MUTUAL with the proxy's. Undefined for passthrough.
 */
export function serverTls(
  context: TranslationContext,
  tls: networking.ServerTLSSettings,
  carries: 'http' | 'tcp',
): types.core.TransportSocket | undefined {
  const { mode } = tls;
  if (mode === undefined || mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') return undefined;
  const requireClientCertificate = mode === 'MUTUAL' || mode === 'ISTIO_MUTUAL';
  const common: CommonTls = {
    alpnProtocols: nonEmpty(tls.alpnProtocols) ?? alpn(context, mode === 'ISTIO_MUTUAL' ? carries : 'http'),
    ...certificates(context, tls, requireClientCertificate || mode === 'OPTIONAL_MUTUAL'),
    tlsParams: mode === 'ISTIO_MUTUAL' ? undefined : params(tls, context.model.mesh.tlsDefaults),
  };
  return downstreamTls({ commonTlsContext: defined(common), requireClientCertificate });
}

function certificates(context: TranslationContext, tls: networking.ServerTLSSettings, validate: boolean): CommonTls {
  if (tls.mode === 'ISTIO_MUTUAL') {
    return {
      tlsCertificateSdsSecretConfigs: [workloadSecret(context, WORKLOAD_CERTIFICATE)],
      combinedValidationContext: {
        defaultValidationContext: validation(context, tls),
        validationContextSdsSecretConfig: workloadSecret(context, MESH_ROOTS),
      },
    };
  }
  const names = tls.credentialNames ?? (tls.credentialName === undefined ? [] : [tls.credentialName]);
  const [first] = names;
  if (first !== undefined) {
    const roots = tls.caCertCredentialName ?? `${first}${ROOTS_SUFFIX}`;
    return {
      tlsCertificateSdsSecretConfigs: names.map((name) => credentialSecret(context, name)),
      ...(validate
        ? {
            combinedValidationContext: {
              defaultValidationContext: validation(context, tls),
              validationContextSdsSecretConfig: credentialSecret(context, roots),
            },
          }
        : (tls.subjectAltNames ?? []).length > 0
          ? { validationContext: validation(context, tls) }
          : {}),
    };
  }
  const pairs = tls.tlsCertificates ?? [tls];
  const roots = tls.caCertificates || (tls.tlsCertificates?.find((pair) => pair.caCertificates)?.caCertificates ?? '');
  return {
    tlsCertificateSdsSecretConfigs: pairs.map(({ serverCertificate = '', privateKey = '' }) =>
      serverCertificate === '' || privateKey === ''
        ? workloadSecret(context, WORKLOAD_CERTIFICATE)
        : fileSecret(context.profile, `file-cert:${serverCertificate}~${privateKey}`),
    ),
    ...(validate
      ? {
          combinedValidationContext: {
            defaultValidationContext: validation(context, tls),
            validationContextSdsSecretConfig:
              roots === '' ? workloadSecret(context, MESH_ROOTS) : fileSecret(context.profile, `file-root:${roots}`),
          },
        }
      : {}),
  };
}

function validation(
  context: TranslationContext,
  tls: networking.ServerTLSSettings,
): types.tls.CertificateValidationContext {
  const names = tls.subjectAltNames ?? [];
  return defined({
    ...(names.length === 0
      ? {}
      : context.profile === 'istio'
        ? { matchSubjectAltNames: names.map((exact) => ({ exact })) }
        : {
            matchTypedSubjectAltNames: names.flatMap((exact) =>
              (['URI', 'DNS'] as const).map((sanType) => ({ sanType, matcher: { exact } })),
            ),
          }),
    trustChainVerification: tls.insecureSkipVerify === true ? 'ACCEPT_UNTRUSTED' : undefined,
    verifyCertificateSpki: nonEmpty(tls.verifyCertificateSpki),
    verifyCertificateHash: nonEmpty(tls.verifyCertificateHash),
    crl: tls.caCrl === undefined || tls.caCrl === '' ? undefined : { filename: tls.caCrl },
  });
}

/** The mesh's defaults for TLS at its edge, and over them what the server says. */
function params(
  tls: networking.ServerTLSSettings,
  defaults: mesh.MeshConfig_TLSConfig | undefined,
): types.tls.TlsParameters | undefined {
  const out = defined({
    tlsMinimumProtocolVersion: version(tls.minProtocolVersion) ?? version(defaults?.minProtocolVersion),
    tlsMaximumProtocolVersion: version(tls.maxProtocolVersion),
    cipherSuites: nonEmpty(knownCiphers(tls.cipherSuites)) ?? nonEmpty(knownCiphers(defaults?.cipherSuites)),
    ecdhCurves: nonEmpty(tls.ecdhCurves) ?? nonEmpty(defaults?.ecdhCurves),
  });
  return Object.keys(out).length > 0 ? out : undefined;
}

function version(name: string | undefined): types.tls.TlsParameters_TlsProtocol | undefined {
  switch (name) {
    case 'TLSV1_0':
      return 'TLSv1_0';
    case 'TLSV1_1':
      return 'TLSv1_1';
    case 'TLSV1_2':
      return 'TLSv1_2';
    case 'TLSV1_3':
      return 'TLSv1_3';
    default:
      return undefined;
  }
}

function nonEmpty(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

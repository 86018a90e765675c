import type { types } from '@mizzen/xds';
import { hasIstioFilters, type TranslationContext } from '../context.ts';
import { defined } from '../filters/typed.ts';
import { downstreamTls } from './context.ts';
import { MESH_ROOTS, WORKLOAD_CERTIFICATE, workloadSecret } from './secrets.ts';

const CIPHERS = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
];

/**
 * What a sidecar answers peers of the mesh with: its own certificate, and one demanded of them, with an identity of the
 * mesh's trust domain or one of its aliases.
 */
export function mutualTls(context: TranslationContext, carries: 'http' | 'tcp'): types.core.TransportSocket {
  const settings = context.model.mesh.meshMTLS;
  return downstreamTls({
    requireClientCertificate: true,
    commonTlsContext: {
      alpnProtocols: alpn(context, carries),
      tlsCertificateSdsSecretConfigs: [workloadSecret(context, WORKLOAD_CERTIFICATE)],
      combinedValidationContext: {
        defaultValidationContext: trustDomainMatch(context),
        validationContextSdsSecretConfig: workloadSecret(context, MESH_ROOTS),
      },
      tlsParams: defined({
        tlsMinimumProtocolVersion: settings?.minProtocolVersion === 'TLSV1_3' ? 'TLSv1_3' : 'TLSv1_2',
        tlsMaximumProtocolVersion: 'TLSv1_3',
        cipherSuites: settings?.cipherSuites ?? CIPHERS,
        ecdhCurves: settings?.ecdhCurves,
      } as const),
    },
  });
}

/**
 * The protocols offered in the handshake. Which chain serves a connection was decided before, by what the client
 * offered. Istio's proxies exchange metadata over TCP; Mizzen's own proxy does not speak HTTP/2.
 */
export function alpn(context: TranslationContext, carries: 'http' | 'tcp'): readonly string[] {
  const http = context.proxy.engine === 'envoy' ? ['h2', 'http/1.1'] : ['http/1.1'];
  return carries === 'tcp' && hasIstioFilters(context) ? ['istio-peer-exchange', ...http] : http;
}

function trustDomainMatch({ model, profile }: TranslationContext): types.tls.CertificateValidationContext {
  const prefixes = [...new Set([model.trustDomain, ...model.trustDomainAliases])].map(
    (domain) => `spiffe://${domain}/`,
  );
  if (profile === 'istio') return { matchSubjectAltNames: prefixes.map((prefix) => ({ prefix })) };
  return { matchTypedSubjectAltNames: prefixes.map((prefix) => ({ sanType: 'URI', matcher: { prefix } })) };
}

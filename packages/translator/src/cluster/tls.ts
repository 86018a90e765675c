import { knownCiphers, type networking } from '@mizzen/api';
import type { Service, ServicePort } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { Draft } from '../draft.ts';
import { MESH_ROOTS, WORKLOAD_CERTIFICATE, fileSecret, secret } from '../secrets.ts';
import { ROOTS_SUFFIX, credentialSecret } from '../tls/secrets.ts';
import { type ClusterDraft, httpOptions, isHttp2 } from './draft.ts';
import { exchangesPeers } from './metadata-exchange.ts';
import type { EffectivePolicy } from './policy.ts';

const TLS_CONTEXT = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

export const PLAIN_TEXT: types.core.TransportSocket = {
  name: 'envoy.transport_sockets.raw_buffer',
  typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer' },
};

export interface UpstreamTls {
  readonly service: Service;
  readonly port: ServicePort;
  /** SNI of mutual TLS between sidecars. */
  readonly sni: string;
  readonly policy: EffectivePolicy;
  /** The upstream is whatever host a request names. */
  readonly dynamic: boolean;
  /** A rule with a workloadSelector may use credentials: it is meant for workloads that have them. */
  readonly selecting: boolean;
}

/**
 * TLS to the upstream: as the rule says, else mutual TLS with every endpoint that has a sidecar (auto mTLS), unless the
 * service is external or its namespace has mTLS disabled.
 */
export function applyTls(context: TranslationContext, draft: ClusterDraft, options: UpstreamTls): void {
  const { cluster } = draft;
  const asked = options.policy.tls;
  if (asked === undefined) {
    if (!autoMtls(context, options)) return;
    const socket = mutualSocket(context, draft, options, undefined);
    if (cluster.type === 'ORIGINAL_DST') {
      cluster.transportSocket = socket;
      return;
    }
    cluster.transportSocketMatches = [
      { name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transportSocket: socket },
      { name: 'tlsMode-disabled', match: {}, transportSocket: PLAIN_TEXT },
    ];
    return;
  }
  const mode = asked.mode ?? 'DISABLE';
  if (mode === 'ISTIO_MUTUAL') cluster.transportSocket = mutualSocket(context, draft, options, asked);
  else if (mode !== 'DISABLE') cluster.transportSocket = originate(context, draft, options, asked);
}

/** The same for hosts that nobody declared; they are whatever a request names. */
export function applyUndeclaredTls(
  context: TranslationContext,
  draft: ClusterDraft,
  asked: networking.ClientTLSSettings | undefined,
): void {
  if (asked?.mode !== 'SIMPLE' && asked?.mode !== 'MUTUAL') return;
  draft.cluster.transportSocket = originate(
    context,
    draft,
    { service: undefined, selecting: true, dynamic: true },
    asked,
  );
}

function autoMtls(context: TranslationContext, { service, port, policy }: UpstreamTls): boolean {
  const { model } = context;
  const outside = service.meshExternal || service.externalName !== undefined;
  if (outside || model.mesh.enableAutoMtls === false) return false;
  const byAddress = service.resolution === 'passthrough' || policy.loadBalancer?.simple === 'PASSTHROUGH';
  if (byAddress) {
    const endpoints = model.endpoints(service, port);
    if (endpoints.length === 0 || endpoints.some((endpoint) => endpoint.tlsMode === 'disabled')) return false;
  }
  return model.namespaceMtlsMode(service.namespace) !== 'DISABLE';
}

function mutualSocket(
  context: TranslationContext,
  draft: ClusterDraft,
  { service, port, sni, dynamic }: UpstreamTls,
  asked: networking.ClientTLSSettings | undefined,
): types.core.TransportSocket {
  const { profile } = context;
  if (dynamic) nameFromRequest(draft, true);
  const named = asked?.subjectAltNames ?? [];
  const names = named.length > 0 ? named : context.model.identities(service);
  const alpn = isHttp2(draft) ? ['istio', 'h2'] : ['istio'];
  return socketOf({
    commonTlsContext: {
      alpnProtocols: profile === 'istio' || exchangesPeers(context, port) ? ['istio-peer-exchange', ...alpn] : alpn,
      combinedValidationContext: {
        defaultValidationContext: names.length === 0 ? {} : { matchSubjectAltNames: names.map((exact) => ({ exact })) },
        validationContextSdsSecretConfig: secret(profile, MESH_ROOTS),
      },
      tlsCertificateSdsSecretConfigs: [secret(profile, WORKLOAD_CERTIFICATE)],
      tlsParams: TLS_VERSIONS,
    },
    ...(dynamic ? {} : { sni: asked?.sni === undefined || asked.sni === '' ? sni : asked.sni }),
  });
}

const TLS_VERSIONS: types.tls.TlsParameters = {
  tlsMinimumProtocolVersion: 'TLSv1_2',
  tlsMaximumProtocolVersion: 'TLSv1_3',
};

/** SIMPLE and MUTUAL: TLS as the outside world knows it. */
function originate(
  context: TranslationContext,
  draft: ClusterDraft,
  {
    service,
    selecting,
    dynamic,
  }: Pick<UpstreamTls, 'selecting' | 'dynamic'> & { readonly service: Service | undefined },
  asked: networking.ClientTLSSettings,
): types.core.TransportSocket | undefined {
  const { proxy, profile } = context;
  const credentialName = asked.credentialName ?? '';
  const roots = asked.caCertCredentialName ?? '';
  const secretive = [credentialName, roots].some((name) => name !== '' && !name.startsWith('configmap://'));
  if (secretive && proxy.type === 'sidecar' && !selecting) return undefined;
  const verify = asked.insecureSkipVerify !== true;
  const named = asked.subjectAltNames ?? [];
  const names = named.length === 0 && service?.registry === 'External' ? context.model.identities(service) : named;
  const autoSni = asked.sni === undefined || asked.sni === '';
  if (autoSni) nameFromRequest(draft, verify && (named.length === 0 || dynamic));
  const common: Draft<types.tls.CommonTlsContext> = { tlsParams: { ...TLS_VERSIONS, ...defaultsOf(context) } };
  const matching = names.length === 0 ? {} : { matchSubjectAltNames: names.map((exact) => ({ exact })) };
  if (asked.mode === 'MUTUAL') {
    const files = `file-cert:${asked.clientCertificate ?? ''}~${asked.privateKey ?? ''}`;
    common.tlsCertificateSdsSecretConfigs = [
      credentialName === '' ? fileSecret(profile, files) : credentialSecret(context, credentialName),
    ];
  }
  if (!verify) common.validationContext = {};
  else if (roots !== '' || credentialName !== '') {
    common.combinedValidationContext = {
      defaultValidationContext: matching,
      validationContextSdsSecretConfig: credentialSecret(context, roots || `${credentialName}${ROOTS_SUFFIX}`),
    };
  } else {
    common.combinedValidationContext = {
      defaultValidationContext: {
        ...matching,
        ...(asked.caCrl === undefined ? {} : { crl: { filename: asked.caCrl } }),
      },
      validationContextSdsSecretConfig: fileSecret(profile, `file-root:${asked.caCertificates || 'system'}`),
    };
  }
  if (isHttp2(draft)) common.alpnProtocols = ['h2'];
  return socketOf({ commonTlsContext: common, ...(autoSni ? {} : { sni: asked.sni }) });
}

/** SNI, and perhaps the name the certificate must have, are what the request calls its host. */
function nameFromRequest(draft: ClusterDraft, verify: boolean): void {
  const options = httpOptions(draft);
  options.upstreamHttpProtocolOptions = { autoSni: true, ...(verify ? { autoSanValidation: true } : {}) };
}

function defaultsOf(context: TranslationContext): Partial<types.tls.TlsParameters> {
  const { ecdhCurves = [], cipherSuites: written } = context.model.mesh.tlsDefaults ?? {};
  const cipherSuites = knownCiphers(written);
  return {
    ...(ecdhCurves.length > 0 ? { ecdhCurves } : {}),
    ...(cipherSuites.length > 0 ? { cipherSuites } : {}),
  };
}

function socketOf(tls: types.tls.UpstreamTlsContext): types.core.TransportSocket {
  return { name: 'envoy.transport_sockets.tls', typedConfig: { '@type': TLS_CONTEXT, ...tls } };
}

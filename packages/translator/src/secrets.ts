import type { types } from '@mizzen/xds';
import type { Profile } from './context.ts';

/** Names under which a workload's certificate and the mesh's roots are asked for. */
export const WORKLOAD_CERTIFICATE = 'default';
export const MESH_ROOTS = 'ROOTCA';

const ISTIO: types.core.ConfigSource = {
  apiConfigSource: {
    apiType: 'GRPC',
    grpcServices: [{ envoyGrpc: { clusterName: 'sds-grpc' } }],
    setNodeOnFirstMessageOnly: true,
    transportApiVersion: 'V3',
  },
  initialFetchTimeout: '0s',
  resourceApiVersion: 'V3',
};

const ADS: types.core.ConfigSource = { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' };

/** Istio's proxies ask their agent for secrets; all others the control plane. */
export function secret(profile: Profile, name: string): types.tls.SdsSecretConfig {
  return { name, sdsConfig: profile === 'istio' ? ISTIO : ADS };
}

/** A certificate or roots from files on the proxy's own disk, read by Istio's agent (or the control plane of one machine). */
export function fileSecret(profile: Profile, name: string): types.tls.SdsSecretConfig {
  if (profile !== 'istio') return secret(profile, name);
  const { initialFetchTimeout: _, ...sdsConfig } = ISTIO;
  return { name, sdsConfig };
}

import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { MESH_ROOTS, WORKLOAD_CERTIFICATE, secret } from '../secrets.ts';

type SdsSecretConfig = types.tls.SdsSecretConfig;

export { MESH_ROOTS, WORKLOAD_CERTIFICATE };

const ADS: types.core.ConfigSource = { ads: {}, resourceApiVersion: 'V3' };

/** A secret of the proxy's own: its certificate, or the mesh's roots. */
export function workloadSecret(context: TranslationContext, name: string): SdsSecretConfig {
  return secret(context.profile, name);
}

/** A certificate from files of the proxy's own machine, which whoever serves its secrets reads and watches. */
export function fileSecret(context: TranslationContext, name: string): SdsSecretConfig {
  if (context.profile !== 'istio') return { name, sdsConfig: ADS };
  const { apiConfigSource, resourceApiVersion } = secret(context.profile, name).sdsConfig ?? {};
  return { name, sdsConfig: { apiConfigSource, resourceApiVersion } };
}

/**
 * A Kubernetes Secret, by the name that a Gateway uses for it (`credentialName`). `sds://` would ask another server if
 * there were one.
 */
export function credentialSecret(credential: string): SdsSecretConfig {
  const plain = credential.replace(/^sds:\/\//, '');
  const name = /^[\w-]+:\/\//.test(plain) ? plain : `kubernetes://${plain}`;
  return { name, sdsConfig: ADS };
}

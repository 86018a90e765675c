import type { mesh } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { providerService } from '../provider-service.ts';
import { fileSecret, MESH_ROOTS, WORKLOAD_CERTIFICATE, secret } from '../secrets.ts';

type SdsSecretConfig = types.tls.SdsSecretConfig;

export { fileSecret, MESH_ROOTS, WORKLOAD_CERTIFICATE };

const ADS: types.core.ConfigSource = { ads: {}, resourceApiVersion: 'V3' };

/** A secret of the proxy's own: its certificate, or the mesh's roots. */
export function workloadSecret(context: TranslationContext, name: string): SdsSecretConfig {
  return secret(context.profile, name);
}

/**
 * A Kubernetes Secret, by the name that a Gateway or a DestinationRule uses for it (`credentialName`). `sds://NAME` asks
 * the mesh's SDS provider; without one it is a Secret like any other. Nothing when the provider's service is unknown.
 */
export function credentialSecret(context: TranslationContext, credential: string): SdsSecretConfig {
  if (credential === GATEWAY_ITSELF) return workloadSecret(context, WORKLOAD_CERTIFICATE);
  if (credential === `${GATEWAY_ITSELF}${ROOTS_SUFFIX}`) return workloadSecret(context, MESH_ROOTS);
  const plain = credential.replace(/^sds:\/\//, '');
  const provider =
    plain === credential ? undefined : context.model.mesh.extensionProviders?.find(({ sds }) => sds !== undefined)?.sds;
  if (provider !== undefined) return providedSecret(context, plain, provider);
  const name = /^[\w-]+:\/\//.test(plain) ? plain : `kubernetes://${plain}`;
  return { name, sdsConfig: ADS };
}

/** Ends the name of a Secret's roots. */
export const ROOTS_SUFFIX = '-cacert';
/** What a gateway that the Gateway API made calls its own certificate. */
const GATEWAY_ITSELF = 'builtin://';

function providedSecret(
  context: TranslationContext,
  name: string,
  { service, port }: mesh.MeshConfig_ExtensionProvider_SDSProvider,
): SdsSecretConfig {
  const found = providerService(context.model, service, port);
  if (found === undefined) return {};
  return {
    name,
    sdsConfig: {
      apiConfigSource: {
        apiType: 'GRPC',
        grpcServices: [{ envoyGrpc: { clusterName: found.cluster } }],
        setNodeOnFirstMessageOnly: true,
        transportApiVersion: 'V3',
      },
      resourceApiVersion: 'V3',
    },
  };
}

import { type Credential, resolveCredential } from '@mizzen/control-plane';
import type { MeshModel } from '@mizzen/model';
import { bytesOf } from './workloads/data.ts';

const GATEWAY_API = /^kubernetes-gateway:\/\/([^/]+)\/([^/]+)$/;

/**
 * The secret that a gateway of `namespace` asks for: of its own namespace, or of one whose ReferenceGrants let its
 * Gateways use it. Undefined for names that are not of Kubernetes' Secrets and ConfigMaps.
 */
export function credentialOf(model: MeshModel, namespace: string, name: string): Credential | undefined {
  const [, other = namespace, secret = ''] = GATEWAY_API.exec(name) ?? [];
  const granted = model.gatewayApi.grants.secret(namespace, other, secret.replace(/-cacert$/, ''));
  return resolveCredential(name, granted ? other : namespace, (...key) => bytesOf(model.snapshot, ...key));
}

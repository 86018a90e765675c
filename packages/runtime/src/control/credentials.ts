import type { Snapshot } from '@mizzen/api';
import { type Credential, resolveCredential } from '@mizzen/control-plane';
import { Grants } from '@mizzen/model';
import { bytesOf } from './workloads/data.ts';

const GATEWAY_API = /^kubernetes-gateway:\/\/([^/]+)\/([^/]+)$/;

/**
 * The secret that a gateway of `namespace` asks for: of its own namespace, or of one whose ReferenceGrants let its
 * Gateways use it. Undefined for names that are not of Kubernetes' Secrets and ConfigMaps.
 */
export function credentialOf(snapshot: Snapshot, namespace: string, name: string): Credential | undefined {
  const [, other = namespace, secret = ''] = GATEWAY_API.exec(name) ?? [];
  const granted = other !== namespace && new Grants(snapshot).secret(namespace, other, secret.replace(/-cacert$/, ''));
  return resolveCredential(name, granted ? other : namespace, (...key) => bytesOf(snapshot, ...key));
}

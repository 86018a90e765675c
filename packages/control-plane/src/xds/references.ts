import { TypeUrl } from '@mizzen/xds';
import type { VersionedResource } from './resource.ts';

/** A resource that another one makes a proxy ask for. */
export interface Reference {
  readonly typeUrl: string;
  readonly name: string;
}

const known = new WeakMap<VersionedResource, readonly Reference[]>();

/**
 * What a proxy will subscribe to because of a cluster or listener: endpoints, route configurations, secrets and
 * extension configurations that it names and does not contain.
 */
export function referencesOf(typeUrl: string, resource: VersionedResource): readonly Reference[] {
  let references = known.get(resource);
  if (references === undefined) {
    const found = new Map<string, Reference>();
    if (typeUrl === TypeUrl.cluster || typeUrl === TypeUrl.listener) collect(resource.resource, resource.name, found);
    references = [...found.values()];
    known.set(resource, references);
  }
  return references;
}

function collect(value: unknown, owner: string, found: Map<string, Reference>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, owner, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const add = (typeUrl: string, name: unknown): void => {
    if (typeof name === 'string' && name !== '') found.set(`${typeUrl} ${name}`, { typeUrl, name });
  };
  const own = value as Readonly<Record<string, unknown>>;
  // An SdsSecretConfig. Without `sdsConfig` it names a static secret of the bootstrap, which nobody is asked for.
  if (own['sdsConfig'] !== undefined) add(TypeUrl.secret, own['name']);
  if (own['configDiscovery'] !== undefined) add(TypeUrl.extension, own['name']);
  for (const [key, child] of Object.entries(own)) {
    if (typeof child !== 'object' || child === null) continue;
    const fields = child as Readonly<Record<string, unknown>>;
    if (key === 'edsClusterConfig') add(TypeUrl.endpoint, fields['serviceName'] ?? owner);
    else if (key === 'rds') add(TypeUrl.route, fields['routeConfigName']);
    collect(child, owner, found);
  }
}

import type { MeshModel, Service } from '@mizzen/model';
import { outboundCluster } from './names.ts';

/** Where an extension provider of MeshConfig is. */
export interface ProviderService {
  readonly hostname: string;
  readonly cluster: string;
}

const indexes = new WeakMap<MeshModel['services'], ReadonlyMap<string, readonly Service[]>>();

/**
 * The service that a provider names as `host` or `namespace/host`, whoever may see it. Undefined when there is none, or
 * when several namespaces have one and none is named.
 */
export function providerService(
  model: MeshModel,
  name: string | undefined,
  port: number | undefined,
): ProviderService | undefined {
  if (name === undefined || port === undefined) return undefined;
  let index = indexes.get(model.services);
  if (index === undefined) indexes.set(model.services, (index = Map.groupBy(model.services, (s) => s.hostname)));
  const slash = name.indexOf('/');
  const hostname = name.slice(slash + 1);
  const found = (index.get(hostname) ?? []).filter((s) => slash < 0 || s.namespace === name.slice(0, slash));
  if (new Set(found.map((service) => service.namespace)).size !== 1) return undefined;
  return { hostname, cluster: outboundCluster(port, '', hostname) };
}

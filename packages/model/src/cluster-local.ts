import type { mesh } from '@mizzen/api';
import { mostSpecific } from './hosts.ts';
import type { Service } from './types.ts';

/** Tells which services are only for clients of their own cluster: by MeshConfig, and Kubernetes' own unless it says otherwise. */
export function clusterLocal(config: mesh.MeshConfig, domainSuffix: string): (service: Service) => boolean {
  const byHost = new Map<string, boolean>([
    [`*.kube-system.svc.${domainSuffix}`, true],
    [`kubernetes.default.svc.${domainSuffix}`, true],
  ]);
  for (const { hosts = [], settings } of config.serviceSettings ?? []) {
    for (const host of hosts) byHost.set(host, settings?.clusterLocal === true);
  }
  return (service) => !service.meshExternal && mostSpecific(service.hostname, byHost) === true;
}

import type { Service, ServicePort } from '@mizzen/model';

/**
 * A name for statistics, from MeshConfig's `inboundClusterStatName` or `outboundClusterStatName`. `subset` is empty for a
 * whole service, `targetPort` 0 where it is not known.
 */
export function statName(
  pattern: string,
  service: Service,
  port: ServicePort,
  subset: string,
  targetPort: number,
): string {
  const short = service.registry === 'Kubernetes' ? `${service.name}.${service.namespace}` : service.hostname;
  const values: readonly (readonly [operator: string, value: string])[] = [
    ['%SERVICE%', short],
    ['%SERVICE_FQDN%', service.hostname],
    ['%SUBSET_NAME%', subset],
    ['%SERVICE_PORT%', String(port.port)],
    ['%TARGET_PORT%', String(targetPort)],
    ['%SERVICE_PORT_NAME%', port.name],
    ['%SERVICE_NAME%', service.name],
  ];
  return values.reduce((name, [operator, value]) => name.replaceAll(operator, value), pattern);
}

import type { Service, ServicePort } from '@mizzen/model';
import type { TranslationContext } from './context.ts';
import type { InboundPort } from './inbound.ts';

/**
 * A name for statistics, from MeshConfig's `inboundClusterStatName` or `outboundClusterStatName`. `subset` is empty for a
 * whole service, `targetPort` 0 where it is not known.
 */
export function statName(
  pattern: string,
  service: Service,
  port: Pick<ServicePort, 'port' | 'name'>,
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

/** What statistics of traffic to an application are called: `name`, unless MeshConfig has a pattern for it. */
export function inboundStatName({ model }: TranslationContext, inbound: InboundPort | undefined, name: string): string {
  const pattern = model.mesh.inboundClusterStatName ?? '';
  if (pattern === '' || inbound?.service === undefined) return name;
  return statName(pattern, inbound.service, inbound.servicePort, '', inbound.port);
}

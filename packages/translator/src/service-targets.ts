import type { k8s } from '@mizzen/api';
import type { Service, ServicePort } from '@mizzen/model';
import type { TranslationContext } from './context.ts';

/** A service's port that leads to the proxy's own workload. */
export interface ServiceTarget {
  readonly service: Service;
  readonly servicePort: ServicePort;
  /** The workload's port. */
  readonly targetPort: number;
}

const cache = new WeakMap<TranslationContext, readonly ServiceTarget[]>();

/** Every service port that leads to the proxy's workload, oldest service first. */
export function serviceTargets(context: TranslationContext): readonly ServiceTarget[] {
  let targets = cache.get(context);
  if (targets === undefined) cache.set(context, (targets = find(context)));
  return targets;
}

function find({ model, proxy, profile }: TranslationContext): readonly ServiceTarget[] {
  const { workload, addresses } = proxy;
  const services =
    workload === undefined ? addresses.flatMap((address) => model.servicesAt(address)) : model.servicesOf(workload);
  const targets: ServiceTarget[] = [];
  for (const service of services) {
    for (const servicePort of service.ports) {
      if (servicePort.protocol === 'udp') continue;
      const written = profile === 'istio' && workload?.resource.kind === 'Pod' ? workload.containers : [];
      if (lacksProtocol(servicePort.targetPort, written)) continue;
      const own = model.endpoints(service, servicePort).find((endpoint) => addresses.includes(endpoint.address));
      const targetPort = own?.targetPort ?? named(servicePort.targetPort, workload?.containers ?? []);
      if (targetPort !== undefined) targets.push({ service, servicePort, targetPort });
    }
  }
  return targets;
}

type Containers = readonly k8s.Container[];

/**
 * istiod finds a named port by name and protocol. The API server writes the protocol into every pod; a Pod that was read
 * from a file may lack it, and then istiod's proxies have no such port.
 */
function lacksProtocol(target: number | string, containers: Containers): boolean {
  if (typeof target === 'number') return false;
  const ports = containers.flatMap((container) => container.ports ?? []).filter((port) => port.name === target);
  return ports.length > 0 && ports.every((port) => port.protocol === undefined);
}

/** A target port as a number; undefined when no container port has that name. */
function named(target: number | string, containers: Containers): number | undefined {
  if (typeof target === 'number') return target;
  for (const container of containers) {
    for (const port of container.ports ?? []) if (port.name === target) return port.containerPort;
  }
  return undefined;
}

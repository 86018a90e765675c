import type { k8s } from '@mizzen/api';
import { fits, isEmpty } from '@mizzen/model';
import type { MeshModel } from '@mizzen/model';
import type { DesiredContainer } from '../../protocol.ts';
import type { Template } from './templates.ts';

type Port = DesiredContainer['ports'][number];

/**
 * Ports that services lead to although no container lists them: `containerPort` only informs, a container may listen
 * wherever it likes, and Istio makes a sidecar's ports from services. They are named as the services name them.
 */
export function portsOfServices(model: MeshModel, template: Template): Port[] {
  const listed = new Set(
    (template.spec.containers ?? []).flatMap((each) => each.ports ?? []).map((each) => each.containerPort),
  );
  const ports = new Map<number, Port>();
  for (const service of model.services) {
    if (service.namespace !== template.owner.namespace) continue;
    if (isEmpty(service.selector) || !fits(service.selector, template.labels)) continue;
    if (isServedElsewhere(service.resource.spec)) continue;
    for (const { name, targetPort, protocol } of service.ports) {
      if (protocol === 'udp' || typeof targetPort !== 'number' || targetPort === 0 || listed.has(targetPort)) continue;
      if (!ports.has(targetPort)) ports.set(targetPort, { name: name === '' ? undefined : name, port: targetPort });
    }
  }
  return [...ports.values()];
}

/** An ExternalName service has a selector to no effect. */
function isServedElsewhere(spec: unknown): boolean {
  return (spec as k8s.ServiceSpec).type === 'ExternalName';
}

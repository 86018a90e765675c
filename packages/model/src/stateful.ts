import type { Snapshot } from '@mizzen/api';
import { fits, isEmpty } from './labels.ts';
import type { Service } from './types.ts';

/** Kubernetes puts it on every pod of a StatefulSet. */
const POD_NAME = 'statefulset.kubernetes.io/pod-name';

/**
 * Each pod of a StatefulSet has a name of its own below that of its headless Service. With interception the address that
 * the name stands for decides; where names are all that proxies see, each is a service of one pod. Which there are is
 * read from the files, so that it does not change as pods come and go.
 */
export function podServices(snapshot: Snapshot, services: readonly Service[]): Service[] {
  const found: Service[] = [];
  for (const { metadata, spec } of snapshot.list('StatefulSet')) {
    const governing = services.find(
      ({ headless, registry, name, namespace }) =>
        headless && registry === 'Kubernetes' && name === spec.serviceName && namespace === metadata.namespace,
    );
    if (governing === undefined || isEmpty(governing.selector)) continue;
    if (!fits(governing.selector, spec.template.metadata?.labels ?? {})) continue;
    for (let index = 0; index < (spec.replicas ?? 1); index++) {
      const pod = `${metadata.name}-${index}`;
      found.push({
        ...governing,
        hostname: `${pod}.${governing.hostname}`,
        name: `${pod}.${governing.name}`,
        resolution: 'static',
        selector: { ...governing.selector, [POD_NAME]: pod },
      });
    }
  }
  return found;
}

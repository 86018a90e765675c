import type { OfflineMesh } from '@mizzen/runtime/control/offline.ts';
import type { PodStatus } from '@mizzen/runtime/protocol.ts';
import { UsageError } from '../command.ts';

/**
 * The pod that a person means by a pod's, workload's, `app` label's or Service's name, in that order, with `.NAMESPACE`
 * or a namespace given apart.
 * @throws UsageError when none or several fit.
 */
export function findPod(mesh: OfflineMesh, name: string, namespace: string | undefined): PodStatus {
  const { pods, model } = mesh;
  const dot = name.lastIndexOf('.');
  const whole = dot < 0 || pods.some((pod) => pod.name === name || pod.owner.name === name);
  const short = whole ? name : name.slice(0, dot);
  const wanted = namespace ?? (whole ? undefined : name.slice(dot + 1));
  const here = pods.filter((pod) => wanted === undefined || pod.namespace === wanted);
  const ofService = (): PodStatus[] => {
    const services = model.services.filter(
      (each) => each.name === short && (wanted === undefined || each.namespace === wanted),
    );
    const addresses = services.flatMap((each) =>
      each.ports.flatMap((port) => model.endpoints(each, port).map(({ address }) => address)),
    );
    return here.filter((pod) => addresses.includes(pod.address));
  };
  const ways = [
    () => here.filter((pod) => pod.name === short),
    () => here.filter((pod) => pod.owner.name === short),
    () => here.filter((pod) => pod.labels['app'] === short),
    ofService,
  ];
  for (const way of ways) {
    const found = way();
    const workloads = [...new Set(found.map(({ owner }) => `${owner.name}.${owner.namespace}`))];
    if (workloads.length > 1) throw new UsageError(`\`${name}\` could be ${workloads.join(', ')}`);
    if (found[0] !== undefined) return found[0];
  }
  const known = [...new Set(here.map(({ owner }) => owner.name))].join(', ');
  throw new UsageError(`no workload \`${name}\``, known === '' ? undefined : `there are ${known}`);
}

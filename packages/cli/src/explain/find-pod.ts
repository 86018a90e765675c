import type { OfflineMesh } from '@mizzen/runtime/control/offline.ts';
import type { PodStatus } from '@mizzen/runtime/protocol.ts';
import { UsageError } from '../command.ts';
import { type Candidate, LookUpError, lookUp } from '../find-workload.ts';

/**
 * The pod that a person means by a pod's, workload's, `app` label's or Service's name, in that order, with `.NAMESPACE`
 * or a namespace given apart; the first of a workload.
 * @throws UsageError when none or several fit.
 */
export async function findPod(mesh: OfflineMesh, name: string, namespace: string | undefined): Promise<PodStatus> {
  try {
    return await lookUpPod(mesh, name, namespace);
  } catch (error) {
    if (!(error instanceof LookUpError)) throw error;
    throw new UsageError(error.message, error.help);
  }
}

/** The same. @throws LookUpError */
export async function lookUpPod(mesh: OfflineMesh, name: string, namespace: string | undefined): Promise<PodStatus> {
  const { pods, model } = mesh;
  const candidates = pods.map((status): Candidate & { readonly status: PodStatus } => ({
    namespace: status.namespace,
    pod: status.name,
    owner: status.owner,
    app: status.labels['app'],
    status,
  }));
  const found = await lookUp(candidates, name, {
    namespace,
    ofService(short, wanted, here) {
      const services = model.services.filter(
        (each) => each.name === short && (wanted === undefined || each.namespace === wanted),
      );
      const addresses = services.flatMap((each) =>
        each.ports.flatMap((port) => model.endpoints(each, port).map(({ address }) => address)),
      );
      return here.filter(({ status }) => addresses.includes(status.address));
    },
  });
  return found.pods[0]!.status;
}

import type { StandInSpec } from '../kubelet/stand-ins.ts';

/** Who answers, and on which of its ports. */
export type Identity = StandInSpec & { readonly containerPort: number };

export function describe(identity: Identity): Record<string, unknown> {
  const { pod, workload, namespace, version, serviceAccount, containerPort } = identity;
  return {
    standIn: true,
    pod,
    workload,
    namespace,
    ...(version === '' ? {} : { version }),
    serviceAccount,
    port: containerPort,
  };
}

import type { DesiredWorkload } from './protocol.ts';

/** Of one workload, at the same time. */
export const MOST_REPLICAS = 1000;

/** A workload as it is sent, with the place of its `serviceEnvironment` in `environments`. */
type SentWorkload = Omit<DesiredWorkload, 'serviceEnvironment'> & { readonly serviceEnvironment: number };

/**
 * What should run as the control process says it. The workloads of a namespace have the environment of its services in
 * common, which with many services is most of them, so it is sent once.
 */
export interface SentWorkloads {
  readonly workloads: readonly SentWorkload[];
  readonly gateways: readonly SentWorkload[];
  readonly environments: readonly DesiredWorkload['serviceEnvironment'][];
}

interface Desired {
  readonly workloads: readonly DesiredWorkload[];
  readonly gateways: readonly DesiredWorkload[];
}

export function packDesired({ workloads, gateways }: Desired): SentWorkloads {
  const environments = new Map<DesiredWorkload['serviceEnvironment'], number>();
  const pack = (workload: DesiredWorkload): SentWorkload => {
    let index = environments.get(workload.serviceEnvironment);
    if (index === undefined) environments.set(workload.serviceEnvironment, (index = environments.size));
    return { ...workload, serviceEnvironment: index };
  };
  const packed = { workloads: workloads.map(pack), gateways: gateways.map(pack) };
  return { ...packed, environments: [...environments.keys()] };
}

export function unpackDesired({ workloads, gateways, environments }: SentWorkloads): Desired {
  const unpack = (workload: SentWorkload): DesiredWorkload => ({
    ...workload,
    serviceEnvironment: environments[workload.serviceEnvironment] ?? {},
  });
  return { workloads: workloads.map(unpack), gateways: gateways.map(unpack) };
}

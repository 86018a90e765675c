import type { Command } from '../command.ts';

type RefusedFlags = NonNullable<Command['istioctl']>['refused'];

const cluster = { reason: 'there is no Kubernetes cluster behind this command' };

/** istioctl's global flags, and those of its proxy commands, that mean nothing here. */
export const REFUSED: RefusedFlags = {
  as: cluster,
  'as-group': cluster,
  'as-uid': cluster,
  context: cluster,
  istioNamespace: { ...cluster, short: 'i' },
  'kubeclient-timeout': cluster,
  kubeconfig: { ...cluster, short: 'c' },
  vklog: { reason: 'this program writes no log' },
  'proxy-admin-port': { reason: 'proxies are asked about through their control plane, or by -f' },
  waypoint: { reason: 'waypoints are not supported yet' },
};

import type { Snapshot } from '@mizzen/api';
import { type Targeting, targetsOf } from '../targets.ts';
import { isManaged } from './managed.ts';
import type { Problems } from './problems.ts';

export const TARGETING_KINDS = [
  'AuthorizationPolicy',
  'RequestAuthentication',
  'Telemetry',
  'WasmPlugin',
  'TrafficExtension',
  'EnvoyFilter',
] as const;

const NO_TARGET = 'MZ1304';

/** Policies that name a Gateway which is not there, or whose pods nobody knows to be its own. */
export function checkPolicyTargets(snapshot: Snapshot, problems: Problems): void {
  for (const kind of TARGETING_KINDS) {
    for (const policy of snapshot.list(kind)) {
      const spec: Targeting = policy.spec;
      const one = (spec.targetRefs ?? []).length === 0;
      for (const [index, target] of targetsOf(spec).entries()) {
        if (target.kind !== 'Gateway') continue;
        const path = ['spec', ...(one ? ['targetRef'] : ['targetRefs', index]), 'name'];
        const { namespace } = policy.metadata;
        const name = target.name ?? '';
        const gateway = snapshot.get('KubernetesGateway', namespace, name);
        if (gateway === undefined) {
          problems.warn(
            NO_TARGET,
            policy,
            path,
            `there is no Gateway \`${namespace}/${name}\`, so the ${kind} is for nobody`,
          );
        } else if (!isManaged(gateway)) {
          const message = `Gateway \`${namespace}/${name}\` has no pods of its own, so the ${kind} is for nobody`;
          problems.warn(NO_TARGET, policy, path, message, 'select the pods of the Service in its `addresses`');
        }
      }
    }
  }
}

import type { PolicyTargetReference } from '../gen/istio.type.v1beta1.ts';
import { exceptText, fields, left, yes } from './types.ts';
import type { MessageTable } from './types.ts';

/** Fields of every policy that can name what it is for. */
export const TARGETS = {
  targetRef: yes('deprecated form of targetRefs'),
  targetRefs: yes('Gateways of the Gateway API it is for, and nothing else; in its own namespace'),
};

const WAYPOINT = left(
  'it is about waypoints, and there are none: the policy is not in force for it',
  'sidecars enforce the same policies by `selector`',
);

export const targets: MessageTable = {
  'istio.type.v1beta1.PolicyTargetReference': fields<PolicyTargetReference>({
    group: yes('gateway.networking.k8s.io'),
    kind: exceptText(
      yes('Gateway'),
      'Service, ServiceEntry, GatewayClass',
      /^(?:Service|ServiceEntry|GatewayClass)$/,
      WAYPOINT,
    ),
    name: yes("the Gateway's name"),
    namespace: yes('the own one; it need not be written'),
  }),
};

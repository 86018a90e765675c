import { container } from './container.ts';
import { controllers } from './controllers.ts';
import type { KubernetesTable } from './fields.ts';
import { gatewayApi } from './gateway-api.ts';
import { operator } from './operator.ts';
import { pod } from './pod.ts';
import { service } from './service.ts';

export type { KubernetesField, KubernetesTable } from './fields.ts';

/** Shape → field → what Mizzen does with it. `*` stands for all other fields of a shape. */
export const KUBERNETES: KubernetesTable = {
  ...gatewayApi,
  ...service,
  ...controllers,
  ...pod,
  ...container,
  ...operator,
};

/** The shape of each kind's `spec`. */
export const KUBERNETES_ROOTS: Readonly<Record<string, string>> = {
  GatewayClass: 'GatewayClassSpec',
  KubernetesGateway: 'GatewaySpec',
  HTTPRoute: 'HTTPRouteSpec',
  ReferenceGrant: 'ReferenceGrantSpec',
  Service: 'ServiceSpec',
  Deployment: 'DeploymentSpec',
  StatefulSet: 'StatefulSetSpec',
  Pod: 'PodSpec',
  IstioOperator: 'IstioOperatorSpec',
};

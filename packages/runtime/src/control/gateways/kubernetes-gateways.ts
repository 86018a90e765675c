import type { Resource, Snapshot, gwapi } from '@mizzen/api';
import {
  GATEWAY_CLASS_LABEL,
  GATEWAY_NAME_LABEL,
  controllerOf,
  fits,
  gatewayHosts,
  isManaged,
  managedName,
  managedServiceAccount,
} from '@mizzen/model';
import type { Template } from '../workloads/templates.ts';
import type { Planned } from './planned.ts';
import { DEFAULT_LABELS, NAMESPACE } from './selected-gateways.ts';

const DOMAIN = 'cluster.local';
const HTTP_FAMILY = ['HTTP', 'HTTPS', 'TLS'];

/**
 * For Gateways of the Gateway API: pods of their own, as istiod's controller starts them, or where their addresses name a
 * Service, pods for that one.
 */
export function addKubernetesGateways(snapshot: Snapshot, templates: readonly Template[], planned: Planned[]): void {
  for (const gateway of snapshot.list('KubernetesGateway')) {
    if (controllerOf(snapshot, gateway.spec.gatewayClassName) !== 'gateway') continue;
    const plans = isManaged(gateway) ? own(gateway, templates) : shared(snapshot, gateway, templates, planned);
    for (const plan of plans) {
      if (!planned.includes(plan)) planned.push(plan);
      plan.for.push(gateway.metadata.name);
      addPorts(plan, gateway);
    }
  }
}

function own(gateway: Resource<gwapi.GatewaySpec>, templates: readonly Template[]): Planned[] {
  const { name: gatewayName, namespace } = gateway.metadata;
  const name = managedName(gateway);
  const selector = { [GATEWAY_NAME_LABEL]: gatewayName };
  const there = templates.some(
    ({ owner, labels }) => owner.namespace === namespace && (owner.name === name || fits(selector, labels)),
  );
  if (there) return [];
  const { labels = {}, annotations = {} } = gateway.spec.infrastructure ?? {};
  return [
    {
      name,
      namespace,
      serviceAccount: managedServiceAccount(gateway),
      labels: {
        ...labels,
        ...selector,
        [GATEWAY_CLASS_LABEL]: gateway.spec.gatewayClassName,
        'service.istio.io/canonical-name': name,
        'service.istio.io/canonical-revision': 'latest',
      },
      selector,
      annotations,
      ports: new Map(),
      for: [],
      because: ['has pods of its own', 'have pods of their own'],
    },
  ];
}

/** Services of the cluster that addresses name and that lead to no pods. */
function shared(
  snapshot: Snapshot,
  gateway: Resource<gwapi.GatewaySpec>,
  templates: readonly Template[],
  planned: readonly Planned[],
): Planned[] {
  return gatewayHosts(gateway, DOMAIN).flatMap((host) => {
    const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/.exec(host) ?? [];
    if (name === undefined || namespace === undefined) return [];
    const known = planned.find((plan) => plan.name === name && plan.namespace === namespace);
    if (known !== undefined) return [known];
    const selector = snapshot.get('Service', namespace, name)?.spec.selector;
    const leadsSomewhere = templates.some(
      ({ owner, labels }) => owner.namespace === namespace && selector !== undefined && fits(selector, labels),
    );
    if (leadsSomewhere) return [];
    const usual = name === DEFAULT_LABELS.app && namespace === NAMESPACE ? DEFAULT_LABELS : { app: name };
    return [
      {
        name,
        namespace,
        serviceAccount: `${name}-service-account`,
        labels: { ...(selector ?? usual) },
        annotations: {},
        ports: new Map(),
        for: [],
        because: [
          `is for Service \`${name}\`, which leads to no workload`,
          `are for Service \`${name}\`, which leads to no workload`,
        ],
      },
    ];
  });
}

function addPorts({ ports }: Planned, { spec }: Resource<gwapi.GatewaySpec>): void {
  for (const { port, protocol } of spec.listeners ?? []) {
    if (!HTTP_FAMILY.includes(protocol) || ports.has(port)) continue;
    ports.set(port, { number: port, name: `${protocol.toLowerCase()}-${port}` });
  }
}

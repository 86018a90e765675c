import type { Resource, k8s } from '@mizzen/api';

export type Labels = Readonly<Record<string, string>>;

/** A port of the Service of a gateway that is started. */
export interface PlannedPort {
  readonly name: string;
  readonly number: number;
}

/** A gateway that is started because nothing in the files is one. */
export interface Planned {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Of its pods. Gateways that share it may add to them. */
  readonly labels: Record<string, string>;
  /** What its Service, and its Deployment, select its pods by; all labels when left out. */
  readonly selector?: Labels;
  readonly annotations: Labels;
  readonly ports: Map<number, PlannedPort>;
  /** Names of the Gateways it is for, and why, of one and of several. */
  readonly for: string[];
  readonly because: readonly [one: string, several: string];
}

export function resourcesOf(plan: Planned): Resource[] {
  const { name, labels, selector = labels, annotations, ports, serviceAccount } = plan;
  const deployment: k8s.DeploymentSpec = {
    replicas: 1,
    selector: { matchLabels: selector },
    template: {
      metadata: { labels, annotations: { ...annotations, 'inject.istio.io/templates': 'gateway' } },
      spec: { serviceAccountName: serviceAccount, containers: [{ name: 'istio-proxy', image: 'auto' }] },
    },
  };
  const service: k8s.ServiceSpec = {
    type: 'LoadBalancer',
    selector,
    ports: [...ports.values()].map((port) => ({ name: port.name, port: port.number, targetPort: port.number })),
  };
  return [
    made(plan, 'v1', 'ServiceAccount', serviceAccount, undefined),
    made(plan, 'apps/v1', 'Deployment', name, deployment),
    ...(ports.size === 0 ? [] : [made(plan, 'v1', 'Service', name, service)]),
  ];
}

function made({ namespace, labels }: Planned, apiVersion: string, kind: string, name: string, spec: unknown): Resource {
  const metadata = { name, namespace, labels };
  return {
    apiVersion,
    kind,
    metadata,
    spec,
    body: { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) },
    source: { file: `<default>/${kind}`, index: 0, firstLine: 1, text: '' },
    order: Number.MAX_SAFE_INTEGER,
  };
}

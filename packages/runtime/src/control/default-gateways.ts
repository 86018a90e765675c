import type { Resource, Snapshot, k8s, networking } from '@mizzen/api';
import { templatesOf } from './workloads/templates.ts';

const NAMESPACE = 'istio-system';
const DEFAULT_LABELS = { app: 'istio-ingressgateway', istio: 'ingressgateway' };

export interface DefaultGateways {
  readonly resources: readonly Resource[];
  readonly notices: readonly string[];
}

interface Planned {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly ports: Map<number, networking.Port>;
  readonly for: string[];
}

/**
 * For every Gateway that no workload serves, one that does, as Istio's own installation has it: Deployment, Service and
 * ServiceAccount in istio-system. Gateways whose selectors agree share one.
 */
export function defaultGateways(snapshot: Snapshot): DefaultGateways {
  const templates = templatesOf(snapshot);
  const planned: Planned[] = [];
  for (const gateway of snapshot.list('Gateway')) {
    const selector = gateway.spec.selector ?? {};
    if (templates.some(({ labels }) => selects(selector, labels))) continue;
    const plan = planned.find(({ labels }) => agree(selector, labels)) ?? add(planned, selector);
    Object.assign(plan.labels, selector);
    plan.for.push(gateway.metadata.name);
    for (const { port } of gateway.spec.servers ?? [])
      if (port?.number !== undefined) plan.ports.set(port.number, port);
  }
  return {
    resources: planned.flatMap((plan) => resourcesOf(plan)),
    notices: planned.map(({ name, for: names }) => {
      const list = names.map((each) => `\`${each}\``).join(', ');
      const what = names.length === 1 ? `Gateway ${list} selects no workload` : `Gateways ${list} select no workload`;
      return `${what}: started ${name} in ${NAMESPACE}`;
    }),
  };
}

/** An empty selector fits every gateway, but no ordinary workload is one. */
function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector);
  if (wanted.length === 0) return 'inject.istio.io/templates' in labels;
  return wanted.every(([key, value]) => labels[key] === value);
}

function agree(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === undefined || labels[key] === value);
}

function add(planned: Planned[], selector: Readonly<Record<string, string>>): Planned {
  const isDefault = agree(selector, DEFAULT_LABELS);
  const own = selector['istio'];
  const name = isDefault ? DEFAULT_LABELS.app : own === undefined ? (selector['app'] ?? 'gateway') : `istio-${own}`;
  const labels = isDefault ? { ...DEFAULT_LABELS } : { app: name };
  const plan: Planned = { name, labels, ports: new Map(), for: [] };
  planned.push(plan);
  return plan;
}

function resourcesOf({ name, labels, ports }: Planned): Resource[] {
  const serviceAccount = `${name}-service-account`;
  const deployment: k8s.DeploymentSpec = {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels, annotations: { 'inject.istio.io/templates': 'gateway' } },
      spec: { serviceAccountName: serviceAccount, containers: [{ name: 'istio-proxy', image: 'auto' }] },
    },
  };
  const service: k8s.ServiceSpec = {
    type: 'LoadBalancer',
    selector: labels,
    ports: [...ports.values()].map((port) => ({
      name: port.name ?? `${(port.protocol ?? 'tcp').toLowerCase()}-${port.number}`,
      port: port.number ?? 0,
      targetPort: port.number ?? 0,
    })),
  };
  return [
    made('v1', 'ServiceAccount', serviceAccount, labels, undefined),
    made('apps/v1', 'Deployment', name, labels, deployment),
    ...(ports.size === 0 ? [] : [made('v1', 'Service', name, labels, service)]),
  ];
}

function made(apiVersion: string, kind: string, name: string, labels: Record<string, string>, spec: unknown): Resource {
  const metadata = { name, namespace: NAMESPACE, labels };
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

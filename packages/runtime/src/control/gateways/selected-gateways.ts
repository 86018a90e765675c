import type { Snapshot } from '@mizzen/api';
import type { Template } from '../workloads/templates.ts';
import type { Labels, Planned } from './planned.ts';

export const NAMESPACE = 'istio-system';
export const DEFAULT_LABELS = { app: 'istio-ingressgateway', istio: 'ingressgateway' };

/** For Istio's Gateways, which select their pods. Those whose selectors agree share one. */
export function addSelectedGateways(snapshot: Snapshot, templates: readonly Template[], planned: Planned[]): void {
  for (const gateway of snapshot.list('Gateway')) {
    const selector = gateway.spec.selector ?? {};
    if (templates.some(({ labels }) => selects(selector, labels))) continue;
    const plan = planned.find(({ labels }) => agree(selector, labels)) ?? add(planned, selector);
    Object.assign(plan.labels, selector);
    plan.for.push(gateway.metadata.name);
    for (const { port } of gateway.spec.servers ?? []) {
      const { number, name, protocol = 'tcp' } = port ?? {};
      if (number !== undefined) plan.ports.set(number, { number, name: name ?? `${protocol.toLowerCase()}-${number}` });
    }
  }
}

/** An empty selector fits every gateway, but no ordinary workload is one. */
function selects(selector: Labels, labels: Labels): boolean {
  const wanted = Object.entries(selector);
  if (wanted.length === 0) return 'inject.istio.io/templates' in labels;
  return wanted.every(([key, value]) => labels[key] === value);
}

function agree(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === undefined || labels[key] === value);
}

function add(planned: Planned[], selector: Labels): Planned {
  const isDefault = agree(selector, DEFAULT_LABELS);
  const own = selector['istio'];
  const name = isDefault ? DEFAULT_LABELS.app : own === undefined ? (selector['app'] ?? 'gateway') : `istio-${own}`;
  const plan: Planned = {
    name,
    namespace: NAMESPACE,
    serviceAccount: `${name}-service-account`,
    labels: isDefault ? { ...DEFAULT_LABELS } : { app: name },
    annotations: {},
    ports: new Map(),
    for: [],
    because: ['selects no workload', 'select no workload'],
  };
  planned.push(plan);
  return plan;
}

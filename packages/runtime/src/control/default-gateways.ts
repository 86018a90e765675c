import type { Resource, Snapshot } from '@mizzen/api';
import { addKubernetesGateways } from './gateways/kubernetes-gateways.ts';
import { type Planned, resourcesOf } from './gateways/planned.ts';
import { addSelectedGateways } from './gateways/selected-gateways.ts';
import { templatesOf } from './workloads/templates.ts';

export interface DefaultGateways {
  readonly resources: readonly Resource[];
  readonly notices: readonly string[];
}

/**
 * For every Gateway that no workload serves, one that does, as Istio's own installation or its controller for the Gateway
 * API has it: Deployment, Service and ServiceAccount.
 */
export function defaultGateways(snapshot: Snapshot): DefaultGateways {
  const templates = templatesOf(snapshot);
  const planned: Planned[] = [];
  addSelectedGateways(snapshot, templates, planned);
  addKubernetesGateways(snapshot, templates, planned);
  return { resources: planned.flatMap((plan) => resourcesOf(plan)), notices: planned.map(notice) };
}

function notice({ name, namespace, for: names, because }: Planned): string {
  const list = names.map((each) => `\`${each}\``).join(', ');
  const what = names.length === 1 ? `Gateway ${list} ${because[0]}` : `Gateways ${list} ${because[1]}`;
  return `${what}: started ${name} in ${namespace}`;
}

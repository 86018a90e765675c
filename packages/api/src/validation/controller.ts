import type { DeploymentSpec, StatefulSetSpec } from '../kubernetes.ts';
import type { Resource } from '../resource.ts';
import { checkWorkloadName } from './checks/names.ts';
import { checkNotNegative } from './checks/numbers.ts';
import { POD, POD_METADATA, checkPodSpec } from './pod.ts';
import { CONFLICT, REQUIRED } from './report.ts';
import type { Report } from './report.ts';
import { checkShape, fields, list, map } from './shape.ts';

const CONTROLLER = fields({
  replicas: 'integer',
  serviceName: 'string',
  minReadySeconds: 'integer',
  selector: fields({
    matchLabels: map('string'),
    matchExpressions: list(
      fields({ key: 'string', operator: ['In', 'NotIn', 'Exists', 'DoesNotExist'], values: list('string') }),
    ),
  }),
  template: fields({ metadata: POD_METADATA, spec: POD }),
  strategy: fields({
    type: ['RollingUpdate', 'Recreate'],
    rollingUpdate: fields({ maxSurge: 'port', maxUnavailable: 'port' }),
  }),
});

/** A Deployment or a StatefulSet. */
export function checkController(resource: Resource<DeploymentSpec | StatefulSetSpec>, report: Report): void {
  // The types say what a valid resource has; this one may lack it.
  const spec = resource.spec as Partial<DeploymentSpec> | undefined;
  if (spec === undefined) {
    report.error(REQUIRED, [], `a ${resource.kind} needs a \`spec\``);
    return;
  }
  checkWorkloadName(report, resource);
  checkShape(report, ['spec'], spec, CONTROLLER);
  if (!report.isClean) return;
  checkNotNegative(report, ['spec'], spec, 'replicas', 'minReadySeconds');
  const { template, selector } = spec;
  if (!template?.spec) {
    report.error(REQUIRED, ['spec'], `a ${resource.kind} needs a pod \`template\` with a \`spec\``);
    return;
  }
  const labels = template.metadata?.labels ?? {};
  if (!selector) report.error(REQUIRED, ['spec'], `a ${resource.kind} needs a \`selector\` for its pods`);
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (labels[key] === value) continue;
    const has = labels[key] === undefined ? 'do not have that label' : `have \`${key}: ${labels[key]}\``;
    const path = ['spec', 'selector', 'matchLabels', key];
    report.error(CONFLICT, path, `selects \`${key}: ${value}\`, but the pods of its own template ${has}`);
  }
  checkPodSpec(report, ['spec', 'template', 'spec'], template.spec);
}

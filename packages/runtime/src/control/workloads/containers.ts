import type { Snapshot, k8s } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';
import type { DesiredContainer } from '../../protocol.ts';
import type { WorkloadSettings } from '../settings/types.ts';
import { environmentOf } from './environment.ts';
import { runOf } from './run.ts';
import type { Template } from './templates.ts';

export interface ContainerOptions {
  readonly snapshot: Snapshot;
  readonly settings: WorkloadSettings | undefined;
  readonly standIns: boolean;
  /** Ports that no container lists; the first container has them. */
  readonly more: DesiredContainer['ports'];
  readonly diagnostics: Diagnostic[];
  readonly notices: string[];
}

/**
 * The containers of a pod that become processes here; undefined when one of them cannot. Istio's own are left out (the
 * proxy is Mizzen's), and so are helpers with nothing to run that nobody can reach.
 */
export function containersOf(template: Template, options: ContainerOptions): DesiredContainer[] | undefined {
  const { owner } = template;
  const result: DesiredContainer[] = [];
  for (const [index, container] of (template.spec.containers ?? []).entries()) {
    if (container.name === 'istio-proxy') continue;
    const run = runOf(template, container.name, result.length === 0, options);
    if (run === undefined) return undefined;
    if (run.kind === 'stand-in' && result.length > 0 && (container.ports ?? []).length === 0) {
      options.notices.push(
        `${owner.kind} \`${owner.name}\`: container \`${container.name}\` has no port and nothing to run here, so it is left out`,
      );
      continue;
    }
    result.push(desired(template, index, container, run, result.length === 0, options));
  }
  return result;
}

function desired(
  template: Template,
  index: number,
  container: k8s.Container,
  run: DesiredContainer['run'],
  first: boolean,
  { snapshot, settings, more, diagnostics }: ContainerOptions,
): DesiredContainer {
  const own = settings?.containers[container.name] ?? (first ? settings?.main : undefined);
  return {
    name: container.name,
    ports: [
      ...(container.ports ?? [])
        .filter((each) => (each.protocol ?? 'TCP') === 'TCP')
        .map((each) => ({ name: each.name, port: each.containerPort })),
      ...(first ? more : []),
    ],
    run,
    args: container.args ?? [],
    env: environmentOf(template, index, container, own?.env ?? {}, snapshot, diagnostics),
    readiness: container.readinessProbe,
    liveness: container.livenessProbe,
    startup: container.startupProbe,
    preStop: container.lifecycle?.preStop?.exec?.command,
  };
}

import type { Diagnostic } from '@mizzen/diagnostics';
import type { MeshModel } from '@mizzen/model';
import { patchBootstrap } from '@mizzen/translator';
import type { Engine } from '@mizzen/translator';
import type { Bootstrap } from '@mizzen/xds';
import { settingsFor } from '../settings/types.ts';
import type { Settings } from '../settings/types.ts';
import type { DesiredWorkload } from '../../protocol.ts';
import type { Template } from './templates.ts';

const ENGINE = 'mizzen.dev/engine';

export interface EngineOptions {
  readonly settings: Settings;
  /** What proxies are where nothing says otherwise. */
  readonly engine: Engine;
}

/** What the proxies of a workload are: as `mizzen.yaml` says, else its annotation, else as everywhere in the mesh. */
export function engineFor(
  template: Template,
  { settings, engine: everywhere }: EngineOptions,
  diagnostics: Diagnostic[],
): Engine {
  const own = settingsFor(settings, template.owner.namespace, template.owner.name)?.engine;
  if (own !== undefined) return own;
  const written = template.annotations[ENGINE];
  if (written === undefined || written === 'mizzen' || written === 'envoy') return written ?? everywhere;
  diagnostics.push({
    code: 'MZ0103',
    severity: 'error',
    message: `there is no engine \`${written}\`; ${template.owner.kind} \`${template.owner.name}\` runs on \`${everywhere}\``,
    ref: template.ref,
    path: [...template.metadataPath, 'annotations', ENGINE],
    help: 'an engine is `mizzen` (its own proxy) or `envoy`',
  });
  return everywhere;
}

/** Files are read with the gaps of the mesh's engine in mind; workloads on another may have more of them. */
export function onLess(
  workloads: readonly Pick<DesiredWorkload, 'owner' | 'engine'>[],
  everywhere: Engine,
): readonly string[] {
  const own = workloads.filter(({ engine }) => engine === 'mizzen').map(({ owner }) => `\`${owner.name}\``);
  if (everywhere === 'mizzen' || own.length === 0) return [];
  const who = own.length > 3 ? `${own.slice(0, 3).join(', ')} and ${own.length - 3} more` : own.join(', ');
  const run = own.length === 1 ? 'runs' : 'run';
  return [`${who} ${run} on Mizzen's own proxy: \`mizzen validate --engine mizzen\` names what that does not support`];
}

/** What EnvoyFilters (`applyTo: BOOTSTRAP`) add to what the Envoys of a workload are started with. */
export function bootstrapPatches(
  model: MeshModel,
  template: Template,
  proxying: 'sidecar' | 'gateway',
): Bootstrap | undefined {
  const { owner, labels, annotations } = template;
  const { name, namespace } = owner;
  const type = proxying === 'gateway' ? 'router' : 'sidecar';
  const node = {
    id: `${type}~127.0.0.1~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: {
      NAME: name,
      NAMESPACE: namespace,
      LABELS: labels,
      ANNOTATIONS: annotations,
      WORKLOAD_NAME: name,
      MIZZEN: { engine: 'envoy' as const },
    },
  };
  const patches = patchBootstrap(model, node, {});
  return Object.keys(patches).length === 0 ? undefined : patches;
}

import type { Diagnostic } from '@mizzen/diagnostics';
import type { Engine } from '@mizzen/translator';
import { settingsFor } from '../settings/types.ts';
import type { Settings } from '../settings/types.ts';
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

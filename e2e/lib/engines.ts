import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the proxies of a mesh are: Mizzen's own, Envoys, or some of each. */
export type Engine = 'embedded' | 'envoy' | 'mixed';

/** The same tests hold for all. */
export const ENGINES: readonly Engine[] = ['embedded', 'envoy', 'mixed'];

/**
 * What `mizzen up` is told besides. In a mixed mesh `onEnvoy` names the workloads that run on Envoy, in a `mizzen.yaml` of
 * its own in `folder`.
 */
export function engineArguments(engine: Engine, onEnvoy: readonly string[], folder: string): string[] {
  if (engine === 'embedded') return [];
  if (engine === 'envoy') return ['--engine', 'envoy'];
  const path = join(folder, 'engines');
  mkdirSync(path, { recursive: true });
  const lines = onEnvoy.map((name) => `  ${name}: { engine: envoy }\n`);
  writeFileSync(join(path, 'mizzen.yaml'), `workloads:\n${lines.join('')}`);
  return [path];
}

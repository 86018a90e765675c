import { dirname, resolve } from 'node:path';
import type { Diagnostic } from '@mizzen/diagnostics';
import type { DesiredContainer } from '../../protocol.ts';
import type { WorkloadSettings } from '../settings/types.ts';
import type { Template } from './templates.ts';

export type Run = DesiredContainer['run'];

const RUN = 'mizzen.dev/run';
const DIR = 'mizzen.dev/dir';
const WATCH = 'mizzen.dev/watch';
const REQUIRES = 'mizzen.dev/requires';
const BUILD = 'mizzen.dev/build';

export interface RunOptions {
  /** What `mizzen.yaml` says of the workload. It goes before annotations: the manifests are somebody else's. */
  readonly settings: WorkloadSettings | undefined;
  readonly standIns: boolean;
  readonly diagnostics: Diagnostic[];
}

/**
 * How a container becomes a process of this machine. Undefined: there is nothing to run and nothing may stand in.
 * The annotations without a container's name mean the first container.
 */
export function runOf(template: Template, container: string, first: boolean, options: RunOptions): Run | undefined {
  const settings = options.settings?.containers[container] ?? (first ? options.settings?.main : undefined);
  if (settings?.run !== undefined) return fromSettings(settings, settings.run);
  const annotation = (name: string): string | undefined =>
    template.annotations[`${name}.${container}`] ?? (first ? template.annotations[name] : undefined);
  const command = annotation(RUN)?.trim();
  if (command === 'external') return { kind: 'external' };
  if (command === 'stand-in') return { kind: 'stand-in' };
  if (command !== undefined && command !== '') {
    const file = template.resource.source.file;
    const dir = settings?.dir ?? resolve(dirname(file), annotation(DIR) ?? '.');
    const watch = paths(dir, settings?.watch ?? annotation(WATCH)?.split(',') ?? []);
    const requires = settings?.requires ?? annotation(REQUIRES)?.split(',') ?? [];
    const build = settings?.build ?? annotation(BUILD);
    return { kind: 'command', command, dir, watch, ...beforehand(requires, build) };
  }
  if (options.standIns) return { kind: 'stand-in' };
  options.diagnostics.push({
    code: 'MZ0101',
    severity: 'error',
    message: `nothing says how to run container \`${container}\` of ${template.owner.kind} \`${template.owner.name}\` here`,
    ref: template.ref,
    path: template.metadataPath,
    help: `add the annotation \`${RUN}\` to the pod template, name the workload in mizzen.yaml, or drop --no-stand-ins`,
  });
  return undefined;
}

function fromSettings(settings: NonNullable<WorkloadSettings['main']>, run: string | readonly string[]): Run {
  if (run === 'external') return { kind: 'external' };
  if (run === 'stand-in') return { kind: 'stand-in' };
  const { dir = settings.base, watch = [], requires, build } = settings;
  return { kind: 'command', command: run, dir, watch: paths(dir, watch), ...beforehand(requires ?? [], build) };
}

/** What comes before the command; nothing of it in a workload that has nothing of it, so that its hash stays. */
function beforehand(
  requires: readonly string[],
  build: string | readonly string[] | undefined,
): { requires?: readonly string[]; build?: string | readonly string[] } {
  const programs = requires.map((each) => each.trim()).filter((each) => each !== '');
  const command = typeof build === 'string' ? build.trim() : build;
  return {
    ...(programs.length > 0 && { requires: programs }),
    ...(command !== undefined && command.length > 0 && { build: command }),
  };
}

function paths(dir: string, list: readonly string[]): string[] {
  return list
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => resolve(dir, each));
}

import { readFileSync } from 'node:fs';
import type { Invocation } from '../command.ts';
import { IstioctlError, list, text } from '../command.ts';
import { INCORRECT_USAGE } from '../pflag.ts';
import { Dump } from './read-dump.ts';

/** Where what is printed comes from. */
export interface Source {
  readonly dump: Dump;
  /** `file`: an Envoy's own; `config`: computed, nothing runs; `server`: what a control plane sends. */
  readonly kind: 'file' | 'config' | 'server';
}

/** The dump that a command line is about. `command` is istioctl's name for it in messages. */
export async function sourceOf(invocation: Invocation, command: string): Promise<Source> {
  const { positionals, values } = invocation;
  const file = text(values, 'file');
  const node = text(values, 'node');
  const [workload, ...more] = positionals;
  if (more.length > 0 || [file, node, workload].filter((each) => each !== undefined).length !== 1) {
    throw new IstioctlError(`${command} requires pod name or --file parameter`, {
      help: 'WORKLOAD[.NAMESPACE], -f FILE, or --node NODE.json with --config',
    });
  }
  refuseIdle(
    values,
    file === undefined ? ((node ?? list(values, 'config')[0]) === undefined ? 'server' : 'config') : 'file',
  );
  if (file !== undefined) return { dump: Dump.parse(readText(file)), kind: 'file' };
  if (node !== undefined || list(values, 'config').length > 0) {
    const { offlineDump } = await import('./offline-dump.ts');
    return { dump: await offlineDump(invocation, workload), kind: 'config' };
  }
  const { serverOf } = await import('./server.ts');
  return { dump: Dump.of(await serverOf(values).configDump(workload!, text(values, 'namespace'))), kind: 'server' };
}

/** Flags about another place than the one that is asked, and what they are left out for. */
const IDLE: Readonly<Record<Source['kind'], readonly (readonly [flags: readonly string[], reason: string])[]>> = {
  file: [
    [
      ['config', 'mesh-config', 'engine', 'namespace', 'state-dir', 'mesh-name', 'api'],
      'with -f there is nothing to look up',
    ],
  ],
  config: [[['state-dir', 'mesh-name', 'api'], 'with --config nothing that runs is asked']],
  server: [[['mesh-config', 'engine'], 'a running mesh has its own; it goes with --config']],
};

/** With `--node`, whose files without `--config` are those of the running mesh. */
const IDLE_WITH_NODE: (typeof IDLE)[Source['kind']] = [
  [['namespace', 'engine'], 'a node says its own'],
  [['api'], 'files are found by --config, or by --state-dir and --mesh-name'],
];

/** No flag is read and then of no effect. */
function refuseIdle(values: Invocation['values'], kind: Source['kind']): void {
  const filesNamed = list(values, 'config').length > 0;
  const idle = [
    ...(values['node'] === undefined ? [] : IDLE_WITH_NODE),
    ...(kind === 'config' && !filesNamed ? [] : IDLE[kind]),
  ];
  for (const [flags, reason] of idle) {
    for (const flag of flags) {
      if (values[flag] !== undefined) throw new IstioctlError(`--${flag}: ${reason}`, { status: INCORRECT_USAGE });
    }
  }
}

/** @throws IstioctlError */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new IstioctlError(code === 'ENOENT' ? `open ${file}: no such file or directory` : message);
  }
}

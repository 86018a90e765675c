import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { JsonObject } from '@mizzen/xds';
import type { Deps } from '../deps.ts';
import type { DrainPolicy } from '../listener/drain.ts';
import { whyNotAppendable } from './log-files.ts';
import type { CompileDeps } from '../program/types.ts';
import type { Nack } from '../types.ts';
import {
  BOOTSTRAP,
  BootstrapError,
  compileBootstrap,
  mergeBootstraps,
  parseBootstrap,
  readBootstrap,
  type CommandLineFlags,
} from './bootstrap.ts';
import { systemDeps } from './deps.ts';
import type { Piece } from './log-format.ts';
import { Logger, type Level } from './logger.ts';
import type { WrittenBootstrap } from './refusals.ts';
import { serve } from './serve.ts';

/** What Envoy's command line says, read and checked. */
export interface StandaloneOptions {
  /** File, and what is laid over it; one of both must be there. */
  readonly configPath: string | undefined;
  readonly configYaml: string | undefined;
  readonly mode: 'serve' | 'validate' | 'init_only';
  readonly node: CommandLineFlags['node'];
  /** What becomes of connections of replaced listeners and chains. */
  readonly drain: DrainPolicy;
  readonly log: {
    readonly level: Level;
    readonly components: readonly (readonly [string, Level])[];
    readonly format: readonly Piece[];
    /** Undefined: stderr. */
    readonly path: string | undefined;
  };
  /** File that is told where the admin endpoint listens. */
  readonly adminAddressPath: string | undefined;
  /** Fields of the bootstrap that the API does not have are passed over. */
  readonly allowUnknownFields: boolean;
  /** Tags of all statistics: name and value. */
  readonly statsTags: readonly (readonly [string, string])[];
  /** Every option as `/server_info` shows it. */
  readonly commandLine: JsonObject;
  /** Print `ready` on stdout once every listener listens. */
  readonly announce: boolean;
}

/**
 * Runs a proxy by itself. Resolves with an exit status once there is nothing left to run: after a check, after a refusal,
 * or after SIGTERM, SIGINT or `/quitquitquit`, which let connections finish for up to a second. SIGUSR1 opens log files
 * again, SIGHUP does nothing.
 */
export async function startStandalone(options: StandaloneOptions): Promise<number> {
  const deps = systemDeps();
  const name = options.configPath ?? '--config-yaml';
  let written: WrittenBootstrap;
  try {
    written = await read(options, name);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  const offline = offlineDeps(deps);
  const refuse = (nacks: readonly Nack[]): Promise<number> => sayRefused(nacks, written);
  const bootstrap = compileBootstrap(written.raw, name, options, offline);
  if (options.mode !== 'serve' || bootstrap.refused.length > 0) {
    const { checkResources } = await import('./check-resources.ts');
    const refused = [...bootstrap.refused, ...checkResources(bootstrap, offline)];
    if (refused.length > 0) return refuse(refused);
    if (options.mode === 'validate') process.stdout.write(`configuration '${options.configPath ?? ''}' OK\n`);
    return 0;
  }
  let file = 2;
  try {
    if (options.log.path !== undefined) file = openSync(options.log.path, 'a', 0o644);
  } catch (error) {
    process.stderr.write(`the log cannot be opened: ${(error as Error).message}\n`);
    return 1;
  }
  const logger = new Logger(deps.clock, options.log.format, options.log.level, (text) => {
    try {
      writeSync(file, text);
    } catch {
      // Nobody reads, or there is no room: the line is lost, and whoever wrote it goes on, as in Envoy.
    }
  });
  for (const [component, level] of options.log.components) logger.set(component, level);
  const checkListeners = async (): Promise<readonly Nack[]> =>
    (await import('./check-resources.ts')).checkResources(bootstrap, offline, ['secret', 'listener']);
  const status = await serve({ bootstrap, options, deps, logger, refuse, checkListeners });
  if (file !== 2) closeSync(file);
  return status;
}

/** What finds places in files is loaded for it alone. */
async function sayRefused(nacks: readonly Nack[], written: WrittenBootstrap): Promise<number> {
  const { describeRefusals } = await import('./refusals.ts');
  process.stderr.write(describeRefusals(nacks, written));
  return 1;
}

async function read(
  { configPath, configYaml, allowUnknownFields }: StandaloneOptions,
  name: string,
): Promise<WrittenBootstrap> {
  const parse = async (of: string, text: string): Promise<WrittenBootstrap> => {
    const raw = parseBootstrap(text, of);
    if (!allowUnknownFields) return { name: of, raw, text };
    const { knownFields } = await import('../program/known-fields.ts');
    return { name: of, raw: knownFields(BOOTSTRAP, raw), text };
  };
  const over = configYaml === undefined ? undefined : await parse('--config-yaml', configYaml);
  if (configPath === undefined) return over ?? { name, raw: {}, text: undefined };
  const base = await parse(configPath, readBootstrap(configPath));
  if (over === undefined) return base;
  return { name, raw: await mergeBootstraps([base, over]), text: undefined };
}

function nobody(): never {
  throw new Error('nobody is called while a configuration is checked');
}

/** For what is only looked at. */
function offlineDeps({ clock, random }: Deps): CompileDeps {
  return {
    clock,
    random,
    fetch: () => Promise.reject(new Error('nothing is fetched while a configuration is checked')),
    calls: { http: nobody, grpc: nobody, logs: () => nobody },
    counter: () => ({ value: 0 }),
    readFile: (path) => readFileSync(path),
    cannotAppend: whyNotAppendable,
    env: (variable) => process.env[variable],
  };
}

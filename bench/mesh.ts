/**
 * Memory of `mizzen up` with 5 and with 100 sidecars, the time the store takes until every workload is ready, and the time
 * an edit takes until it is in force in 100 sidecars (`bench/converge.ts` alone for that).
 * Linux. Memory is the proportional set size of each process, so that shared pages count once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { up } from '../e2e/lib/mesh.ts';
import { descendants } from '../e2e/lib/processes.ts';
import { service } from '../e2e/lib/system.ts';
import { converge, describe } from './converge.ts';
import { median, proportionalBytes } from './lib/measure.ts';

const ROLES: readonly (readonly [string, RegExp])[] = [
  ['supervisor', /mizzen\.mjs up/],
  ['control process', /control\/main\.ts/],
  ['data-plane process', /process\/main\.ts/],
  ['stand-ins', /standin\/main\.ts/],
];

/** Megabytes by role for a mesh of `sidecars` stand-in workloads. */
export async function memory(sidecars: number): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bench-'));
  for (let i = 0; i < sidecars; i++) writeFileSync(join(folder, `service-${i}.yaml`), service(`service-${i}`));
  const mesh = await up([folder]);
  try {
    await new Promise((done) => setTimeout(done, 3000));
    const all = [{ pid: mesh.pid, command: 'mizzen.mjs up' }, ...descendants(mesh.pid)];
    const found = new Map<string, number>();
    for (const [role, pattern] of ROLES) {
      const pids = all.filter(({ command }) => pattern.test(command)).map(({ pid }) => pid);
      found.set(role, proportionalBytes(pids) / 2 ** 20);
    }
    return found;
  } finally {
    await mesh.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seconds from the start of `mizzen up examples/store` until every workload is ready; the median of `runs`. */
export async function startUp(runs: number): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const mesh = await up(['examples/store']);
    seconds.push(Number(/ready in ([\d.]+) s/.exec(mesh.output())![1]));
    await mesh.stop();
  }
  return median(seconds);
}

if (import.meta.main) {
  const columns = [5, 100];
  const results: Map<string, number>[] = [];
  for (const sidecars of columns) results.push(await memory(sidecars));
  const rows = ROLES.map(
    ([role]) => `| ${role} | ${results.map((found) => found.get(role)!.toFixed(0)).join(' | ')} |`,
  );
  const total = results.map((found) => [...found.values()].reduce((sum, value) => sum + value, 0).toFixed(0));
  process.stdout.write(
    `| MB | ${columns.map((n) => `${n} sidecars`).join(' | ')} |\n|---|---|---|\n${rows.join('\n')}\n| all | ${total.join(' | ')} |\n\n`,
  );
  process.stdout.write(`the store is ready after ${(await startUp(5)).toFixed(2)} s (median of 5)\n`);
  process.stdout.write(describe(100, await converge(100, 20)));
}

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const LONGEST_MS = 30_000;

/** Whole lines of a file, once there are at least so many, or after half a minute those that there are. */
export async function linesOf(file: string, least: number): Promise<readonly string[]> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    if (lines.length >= least || performance.now() > deadline) return lines;
    await pause(20);
  }
}

import { join } from 'node:path';
import { bounded, root } from './bounded.ts';
import type { Outcome } from './outcome.ts';

/** Runs the conformance suite; its last line says how many passed. */
export async function conformance(budgetSeconds: number): Promise<Outcome> {
  const args = [join(root, 'conformance/main.ts'), '--check'];
  const { status, late, output } = await bounded('conformance', args, budgetSeconds, 'pipe');
  const [, passed = '0', failed = '1'] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? [];
  const [, told = ''] = /^(FAILED [\s\S]*?)^\d+ s\n/m.exec(output) ?? [];
  const failures = told === '' ? [] : [`conformance:\n${told.trimEnd()}`];
  if (late) failures.push('conformance: not finished in time');
  const bad = (late || status !== 0) && Number(failed) === 0;
  return { passed: Number(passed), failed: bad ? 1 : Number(failed), failures };
}

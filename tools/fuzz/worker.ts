/** Feeds inputs to a target one after the other, in a thread that can be ended when one of them never comes back. */
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from './random.ts';
import type { Input, Target } from './target.ts';
import { targetNamed } from './targets.ts';

export interface WorkerData {
  readonly target: string;
  readonly seed: number;
  /** The first input; each next has the next number. */
  readonly first: number;
  /** For how long, in milliseconds. */
  readonly milliseconds: number;
  /** How many inputs at most. */
  readonly count: number;
  /** What is done now: the input's number, and a count that goes up whenever something has come back. */
  readonly progress: SharedArrayBuffer;
}
export interface Failure {
  readonly number: number;
  /** What tells this failure from others. */
  readonly kind: string;
  readonly message: string;
  readonly input: Input;
}

const SHRINK_MS = 5000;

/** Errors that differ in names and numbers only are of one kind. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? 'undefined';
  const frame = /^\s+at .*?(\w+\/src\/[\w/.-]+\.ts):\d+/m.exec(error.stack ?? '')?.[1] ?? '';
  return `${error.name}: ${error.message.replace(/`[^`]*`|"[^"]*"|\d+/g, '…').slice(0, 120)} (${frame})`;
}

async function attempt(target: Target, input: Input, beat: () => void): Promise<unknown> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    beat();
  }
}

/** The smallest input found that fails in the same way. */
async function shrink(target: Target, input: Input, kind: string, beat: () => void): Promise<Input> {
  const until = performance.now() + SHRINK_MS;
  let best = input;
  for (let found = true; found;) {
    found = false;
    for (const smaller of target.smaller(best)) {
      if (performance.now() > until) return best;
      const error = await attempt(target, smaller, beat);
      if (error === undefined || kindOf(error) !== kind) continue;
      best = smaller;
      found = true;
      break;
    }
  }
  return best;
}

async function main({ target: name, seed, first, milliseconds, count, progress }: WorkerData): Promise<void> {
  const place = new Int32Array(progress);
  const beat = (): void => void Atomics.add(place, 1, 1);
  const target = await targetNamed(name);
  const until = performance.now() + milliseconds;
  const known = new Set<string>();
  for (let number = first; number < first + count && performance.now() < until; number++) {
    Atomics.store(place, 0, number);
    beat();
    const input = target.make(Random.of(seed, number));
    const error = await attempt(target, input, beat);
    if (error === undefined) continue;
    const kind = kindOf(error);
    if (known.has(kind)) continue;
    known.add(kind);
    const message = error instanceof Error ? (error.stack ?? error.message) : kind;
    const failure: Failure = { number, kind, message, input: await shrink(target, input, kind, beat) };
    parentPort!.postMessage(failure);
  }
  await target.stop?.();
}

await main(workerData as WorkerData);

import { Worker } from 'node:worker_threads';
import { Random } from './random.ts';
import type { Input } from './target.ts';
import { targetNamed } from './targets.ts';
import type { Failure, WorkerData } from './worker.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly milliseconds: number;
  /** How many inputs at most; as many as there is time for unless told. */
  readonly count?: number;
  /** How long one input may take, in milliseconds. */
  readonly limit?: number;
  /** How much memory all may take, in megabytes: inputs that leave something behind run into it, too. */
  readonly memory?: number;
}
export interface FuzzResult {
  readonly inputs: number;
  readonly failures: readonly Failure[];
}

const LIMIT_MS = 20_000;
const MEMORY_MB = 1024;
const LOOK_MS = 100;

/** Feeds a target inputs until the time is over. Each kind of failure is reported once, with the smallest input found. */
export async function fuzz(target: string, options: FuzzOptions): Promise<FuzzResult> {
  const { seed, count = Infinity, limit = LIMIT_MS, memory = MEMORY_MB } = options;
  const until = performance.now() + options.milliseconds;
  const failures: Failure[] = [];
  const known = new Set<string>();
  let first = 0;
  const keep = (failure: Failure): void => {
    if (!known.has(failure.kind)) failures.push(failure);
    known.add(failure.kind);
  };
  while (first < count && performance.now() < until) {
    const progress = new SharedArrayBuffer(8);
    const place = new Int32Array(progress);
    const data: WorkerData = {
      target,
      seed,
      first,
      milliseconds: until - performance.now(),
      count: count - first,
      progress,
    };
    const ended = await watch(data, memory, limit, place, keep);
    if (ended === undefined) return { inputs: Atomics.load(place, 0) + 1, failures };
    const number = Atomics.load(place, 0);
    keep({
      number,
      kind: `${ended.split('\n')[0]} (${number})`,
      message: ended,
      input: await inputOf(target, seed, number),
    });
    first = number + 1;
  }
  return { inputs: first, failures };
}

/** The input of a number: the same whenever it is asked for. */
export async function inputOf(target: string, seed: number, number: number): Promise<Input> {
  return (await targetNamed(target)).make(Random.of(seed, number));
}

/** Runs a thread to its end; what ended it before, or undefined when it came to its end by itself. */
function watch(
  data: WorkerData,
  memory: number,
  limit: number,
  place: Int32Array,
  keep: (failure: Failure) => void,
): Promise<string | undefined> {
  return new Promise((done) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: memory },
    });
    let beat = -1;
    let since = performance.now();
    const timer = setInterval(() => {
      const now = Atomics.load(place, 1);
      if (now !== beat) {
        beat = now;
        since = performance.now();
      } else if (performance.now() - since > limit) {
        end(`did not come back within ${limit} ms`);
        void worker.terminate();
      }
    }, LOOK_MS);
    const end = (reason: string | undefined): void => {
      clearInterval(timer);
      done(reason);
    };
    worker.on('message', keep);
    worker.on('error', (error) =>
      end(`ended its thread: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );
    worker.on('exit', () => end(undefined));
  });
}

import type { TopAnswer } from '@mizzen/runtime/api/types.ts';
import type { Style } from '@mizzen/runtime/terminal/style.ts';
import { fit } from '@mizzen/runtime/terminal/table.ts';
import { SERVICE_SORTS, type Shown, type Sort, topLines } from './render.ts';

const INTERVAL_MS = 2000;
const KEYS: Readonly<Record<string, Sort>> = {
  n: 'name',
  r: 'rate',
  e: 'errors',
  '4': '4xx',
  '5': 'p50',
  '9': 'p99',
  c: 'cpu',
  m: 'memory',
  x: 'restarts',
};
const ASIDE = '\u001b[?1049h\u001b[?25l';
const BACK = '\u001b[?25h\u001b[?1049l';

export interface LiveTop {
  readonly out: NodeJS.WriteStream;
  readonly input: NodeJS.ReadStream;
  readonly style: Style;
  readonly shown: Shown;
  readonly ask: () => Promise<TopAnswer>;
}

/** What a key makes of what is shown. */
export function pressed(shown: Shown, key: string): Shown {
  if (key === '\t') {
    const what = shown.what === 'workloads' ? 'services' : 'workloads';
    return { ...shown, what, sort: allowed(what, shown.sort) ? shown.sort : 'rate' };
  }
  const sort = KEYS[key];
  return sort !== undefined && allowed(shown.what, sort) ? { ...shown, sort } : shown;
}

const allowed = (what: Shown['what'], sort: Sort): boolean => what === 'workloads' || SERVICE_SORTS.includes(sort);

/** Draws until `q` or Ctrl-C. Rejects when the mesh does not answer any more. */
export async function liveTop({ out, input, style, ask, ...begin }: LiveTop): Promise<void> {
  let { shown } = begin;
  let answer: TopAnswer | undefined;
  const ended = new AbortController();
  const draw = (): void => {
    if (answer === undefined || ended.signal.aborted) return;
    const [width, height] = [out.columns || 80, out.rows || 24];
    const lines = topLines(answer, shown, style, width).slice(0, Math.max(2, height - 3));
    const title = fit(`${shown.what}, last ${answer.window} s`, width);
    const keys = fit('sort: n r e 4 5 9 c m x  tab: workloads/services  q: quit', width);
    out.write(`\u001b[H\u001b[J${[style('bold', title), ...lines, style('dim', keys)].join('\r\n')}`);
  };
  const onKey = (data: Buffer): void => {
    for (const key of data.toString()) {
      if (key === 'q' || key === '\u0003') return ended.abort();
      shown = pressed(shown, key);
    }
    draw();
  };
  const stop = (): void => ended.abort();
  out.write(ASIDE);
  out.on('resize', draw);
  if (input.isTTY) input.setRawMode(true);
  input.on('data', onKey).resume();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    while (!ended.signal.aborted) {
      answer = await ask();
      draw();
      await pause(ended.signal);
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    out.off('resize', draw);
    input.off('data', onKey).pause();
    if (input.isTTY) input.setRawMode(false);
    out.write(BACK);
  }
}

function pause(ended: AbortSignal): Promise<void> {
  if (ended.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, INTERVAL_MS);
    ended.addEventListener('abort', done);
  });
}

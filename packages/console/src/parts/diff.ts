export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
  /** Counted from 1; of the text that the line is in. */
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** Differences beyond this many are shown as a whole that goes and a whole that comes. */
const MOST_EDITS = 2000;

/** Line by line, the shortest way from one text to the other (Myers' algorithm). */
export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const steps = [
    ...Array.from({ length: start }, () => 'same' as const),
    ...between(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...Array.from({ length: end }, () => 'same' as const),
  ];
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  for (const kind of steps) {
    if (kind === 'added') lines.push({ kind, text: b[j]!, before: undefined, after: ++j });
    else if (kind === 'removed') lines.push({ kind, text: a[i]!, before: ++i, after: undefined });
    else lines.push({ kind, text: a[i]!, before: ++i, after: ++j });
  }
  return lines;
}

type Step = DiffLine['kind'];

function between(a: readonly string[], b: readonly string[]): Step[] {
  const all = (kind: Step, count: number): Step[] => Array.from({ length: count }, () => kind);
  if (a.length === 0 || b.length === 0) return [...all('removed', a.length), ...all('added', b.length)];
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(a.length + b.length, MOST_EDITS); edits++) {
    trace.push(new Map(reach));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length);
    }
    reach = new Map(reach);
  }
  return [...all('removed', a.length), ...all('added', b.length)];
}

function walkBack(trace: readonly Map<number, number>[], aLength: number, bLength: number): Step[] {
  const steps: Step[] = [];
  let [x, y] = [aLength, bLength];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits]!;
    const k = x - y;
    const down = k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const previousK = down ? k + 1 : k - 1;
    const previousX = reach.get(previousK) ?? 0;
    const previousY = previousX - previousK;
    while (x > previousX && y > previousY) {
      steps.push('same');
      x--;
      y--;
    }
    if (edits > 0) {
      steps.push(down ? 'added' : 'removed');
      x = previousX;
      y = previousY;
    }
  }
  return steps.toReversed();
}

/** Lines near a difference; undefined stands for those that are left out. */
export function withContext(lines: readonly DiffLine[], around = 3): (DiffLine | undefined)[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind !== 'same') for (let at = index - around; at <= index + around; at++) near.add(at);
  });
  const shown: (DiffLine | undefined)[] = [];
  lines.forEach((line, index) => {
    if (near.has(index)) shown.push(line);
    else if (shown.at(-1) !== undefined || shown.length === 0) shown.push(undefined);
  });
  return shown;
}

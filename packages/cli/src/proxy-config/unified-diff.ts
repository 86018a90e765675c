/** Lines before and after a change that are shown with it, as istioctl does. */
const CONTEXT = 7;

type Step = { readonly kind: ' ' | '-' | '+'; readonly line: string };

/** A unified diff of two texts; empty when they are the same. */
export function unifiedDiff(from: string, to: string, fromName: string, toName: string): string {
  if (from === to) return '';
  const steps = stepsBetween(from.split('\n'), to.split('\n'));
  const out = [`--- ${fromName}`, `+++ ${toName}`];
  for (const [first, last] of hunks(steps)) {
    const before = steps.slice(0, first);
    const hunk = steps.slice(first, last);
    const count = (list: readonly Step[], kind: '-' | '+'): number =>
      list.filter((step) => step.kind === ' ' || step.kind === kind).length;
    const range = (kind: '-' | '+'): string => `${kind}${count(before, kind) + 1},${count(hunk, kind)}`;
    out.push(`@@ ${range('-')} ${range('+')} @@`, ...hunk.map(({ kind, line }) => kind + line));
  }
  return `${out.join('\n')}\n`;
}

/** Runs of changes with their context, those that touch as one: first step and the one after the last. */
function hunks(steps: readonly Step[]): [number, number][] {
  const out: [number, number][] = [];
  for (const [index, { kind }] of steps.entries()) {
    if (kind === ' ') continue;
    const [first, last] = [Math.max(0, index - CONTEXT), Math.min(steps.length, index + CONTEXT + 1)];
    const open = out.at(-1);
    if (open !== undefined && first <= open[1]) open[1] = last;
    else out.push([first, last]);
  }
  return out;
}

/** The shortest way from one list of lines to the other (E. W. Myers, "An O(ND) Difference Algorithm", 1986). */
function stepsBetween(a: readonly string[], b: readonly string[]): Step[] {
  const offset = a.length + b.length + 1;
  const furthest = new Int32Array(2 * offset + 1);
  const trace: Int32Array[] = [];
  for (let distance = 0; ; distance++) {
    trace.push(furthest.slice(offset - distance - 1, offset + distance + 2));
    for (let k = -distance; k <= distance; k += 2) {
      const down = k === -distance || (k !== distance && furthest[offset + k - 1]! < furthest[offset + k + 1]!);
      let x = down ? furthest[offset + k + 1]! : furthest[offset + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
  }
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Int32Array[]): Step[] {
  const steps: Step[] = [];
  let [x, y] = [a.length, b.length];
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const at = (k: number): number => trace[distance]![k + distance + 1]!;
    const k = x - y;
    const down = k === -distance || (k !== distance && at(k - 1) < at(k + 1));
    const from = down ? at(k + 1) : at(k - 1);
    const fromY = from - (down ? k + 1 : k - 1);
    while (x > from && y > fromY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      steps.push({ kind: ' ', line: a[x - 1]! });
      x -= 1;
      y -= 1;
    }
    if (distance === 0) break;
    if (down) steps.push({ kind: '+', line: b[y - 1]! });
    else steps.push({ kind: '-', line: a[x - 1]! });
    [x, y] = [from, fromY];
  }
  return steps.toReversed();
}

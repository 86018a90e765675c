import type { WorkloadStatus } from '../protocol.ts';
import { byName } from './by-name.ts';
import type { Style } from './style.ts';

interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** May be cut to this many characters where the terminal is narrow; the widest such column first. */
  readonly atLeast?: number;
  readonly text: (w: WorkloadStatus) => string;
  /** Left out where no workload has anything to tell by it. */
  readonly shown?: (w: WorkloadStatus) => boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'WORKLOAD', atLeast: 16, text: (w) => workloadName(w) },
  { title: 'VERSION', atLeast: 8, text: (w) => w.version || '-' },
  { title: 'READY', text: (w) => `${w.ready}/${w.replicas}` },
  { title: 'IDENTITY', atLeast: 10, text: (w) => `${w.owner.namespace}/${w.serviceAccount}` },
  { title: 'ENGINE', text: (w) => w.engine ?? '-', shown: (w) => w.engine === 'envoy' },
  { title: 'IN', right: true, text: (w) => String(w.inboundRequests) },
  { title: 'OUT', right: true, text: (w) => String(w.outboundRequests) },
  { title: 'STATE', text: (w) => (w.standIn ? `${w.state} (stand-in)` : w.state) },
];

export function workloadName({
  owner,
}: {
  readonly owner: Pick<WorkloadStatus['owner'], 'name' | 'namespace'>;
}): string {
  return owner.namespace === 'default' ? owner.name : `${owner.name}.${owner.namespace}`;
}

/**
 * Lines of the table, header first, none longer than `width`. `troubleFirst`: what has not all its replicas is above
 * the rest, for where not all rows can be seen.
 */
export function table(
  workloads: readonly WorkloadStatus[],
  width: number,
  style: Style,
  troubleFirst = false,
): string[] {
  const order = troubleFirst ? byTrouble : byKind;
  const columns = COLUMNS.filter(({ shown }) => shown === undefined || workloads.some(shown));
  const rows = workloads.toSorted(order).map((w) => ({ workload: w, cells: columns.map((c) => c.text(w)) }));
  const natural = columns.map((c, i) => Math.max(c.title.length, ...rows.map((r) => r.cells[i]!.length)));
  const widths = narrowed(columns, natural, width);
  const last = columns.length - 1;
  const format = (cells: readonly string[]): string => {
    const cut = cells.map((cell, i) => (i === last ? cell : fit(cell, widths[i]!)));
    const padded = cut.map((cell, i) => (columns[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    return fit(padded.join('  ').trimEnd(), width);
  };
  return [
    style('dim', format(columns.map((c) => c.title))),
    ...rows.map(({ workload, cells }) => paint(format(cells), workload, style)),
  ];
}

function narrowed(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  // The last column may run on to the edge; the others make room for a good part of it only.
  const widths = natural.with(-1, Math.min(natural.at(-1)!, 28));
  let excess = widths.reduce((sum, w) => sum + w, 2 * (widths.length - 1)) - width;
  for (; excess > 0; excess--) {
    let widest = -1;
    for (const [i, { atLeast }] of columns.entries()) {
      if (atLeast === undefined || widths[i]! <= atLeast) continue;
      if (widest < 0 || widths[i]! > widths[widest]!) widest = i;
    }
    if (widest < 0) break;
    widths[widest]!--;
  }
  return widths;
}

/** Gateways first: what a person opens is behind them. */
function byKind(a: WorkloadStatus, b: WorkloadStatus): number {
  return Number(b.gateway) - Number(a.gateway) || byName(workloadName(a), workloadName(b));
}

function byTrouble(a: WorkloadStatus, b: WorkloadStatus): number {
  return Number(a.ready >= a.replicas) - Number(b.ready >= b.replicas) || byKind(a, b);
}

function paint(line: string, workload: WorkloadStatus, style: Style): string {
  if (/^(CrashLoopBackOff|Failed)/.test(workload.state)) return style('red', line);
  if (workload.ready < workload.replicas) return style('yellow', line);
  return line;
}

export function fit(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line;
}

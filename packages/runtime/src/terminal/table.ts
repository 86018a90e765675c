import type { WorkloadStatus } from '../protocol.ts';
import type { Style } from './style.ts';

interface Column {
  readonly title: string;
  readonly right?: boolean;
  readonly text: (w: WorkloadStatus) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'WORKLOAD', text: (w) => workloadName(w) },
  { title: 'VERSION', text: (w) => w.version || '-' },
  { title: 'READY', text: (w) => `${w.ready}/${w.replicas}` },
  { title: 'IDENTITY', text: (w) => `${w.owner.namespace}/${w.serviceAccount}` },
  { title: 'IN', right: true, text: (w) => String(w.inboundRequests) },
  { title: 'OUT', right: true, text: (w) => String(w.outboundRequests) },
  { title: 'STATE', text: (w) => (w.standIn ? `${w.state} (stand-in)` : w.state) },
];

export function workloadName({ owner }: WorkloadStatus): string {
  return owner.namespace === 'default' ? owner.name : `${owner.name}.${owner.namespace}`;
}

/** Lines of the table, header first, none longer than `width`. */
export function table(workloads: readonly WorkloadStatus[], width: number, style: Style): string[] {
  const rows = workloads.toSorted(byName).map((w) => ({ workload: w, cells: COLUMNS.map((c) => c.text(w)) }));
  const widths = COLUMNS.map((c, i) => Math.max(c.title.length, ...rows.map((r) => r.cells[i]!.length)));
  const format = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) => (COLUMNS[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    return fit(padded.join('  ').trimEnd(), width);
  };
  return [
    style('dim', format(COLUMNS.map((c) => c.title))),
    ...rows.map(({ workload, cells }) => paint(format(cells), workload, style)),
  ];
}

/** Gateways first: what a person opens is behind them. */
function byName(a: WorkloadStatus, b: WorkloadStatus): number {
  return Number(b.gateway) - Number(a.gateway) || workloadName(a).localeCompare(workloadName(b), 'en');
}

function paint(line: string, workload: WorkloadStatus, style: Style): string {
  if (/^(CrashLoopBackOff|Failed)/.test(workload.state)) return style('red', line);
  if (workload.ready < workload.replicas) return style('yellow', line);
  return line;
}

export function fit(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line;
}

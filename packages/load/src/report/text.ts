import { humanMs } from '../duration.ts';
import type { Verdict } from '../thresholds.ts';
import { type Latency, type Requests, type Result, stepLabel } from './result.ts';

export interface TextOptions {
  readonly color: boolean;
}

/** The report as a person reads it in a terminal. */
export function textOf(result: Result, { color }: TextOptions): string {
  const paint = (code: string, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { requests, arrivals } = result;
  const lines: string[] = [
    paint(
      '1',
      `${result.mode}, ${seconds(result.seconds)}${result.target === '' ? '' : ` at ${result.target}`}${result.from === '' ? '' : ` from ${result.from}`}`,
    ),
    '',
    row(
      'requests',
      `${requests.sent} sent, ${requests.answered} answered, ${paint(requests.errors > 0 ? '31' : '0', `${requests.errors} errors`)}${more(requests)}`,
    ),
    row('rate', `${round(requests.perSecond)} a second`),
    row(
      'arrivals',
      `${arrivals.due} due, ${arrivals.completed} completed, ${arrivals.late} late, ${arrivals.dropped} dropped`,
    ),
  ];
  if (requests.latency !== null) lines.push(row('latency', latencyLine(requests.latency)));
  lines.push(...counts('statuses', requests.statuses), ...counts('causes', requests.causes));
  if (result.steps.length > 1) lines.push('', ...stepTable(result));
  if (result.stress !== null) lines.push('', ...stressLines(result.stress));
  if (result.drift !== null) lines.push('', ...driftLines(result.drift));
  if (result.thresholds.length > 0) lines.push('');
  for (const each of result.thresholds)
    lines.push(`${each.ok ? paint('32', 'ok    ') : paint('31', 'broken')} ${verdictText(each)}`);
  if (result.ending === 'interrupted') lines.push('', 'interrupted');
  return `${lines.join('\n')}\n`;
}

export function verdictText({ expression, value, unit }: Verdict): string {
  if (value === null) return `${expression} (nothing measured)`;
  const written = unit === 'ms' ? humanMs(value) : unit === '%' ? `${round(value)} %` : String(round(value));
  return `${expression} (${written})`;
}

function more({ aborted, cancelled }: Requests): string {
  return `${aborted > 0 ? `, ${aborted} aborted` : ''}${cancelled > 0 ? `, ${cancelled} cancelled` : ''}`;
}

function latencyLine({ p50, p90, p95, p99, p999, max }: Latency): string {
  const parts = Object.entries({ p50, p90, p95, p99, 'p99.9': p999, max });
  return parts.map(([name, value]) => `${name} ${humanMs(value)}`).join('  ');
}

function counts(name: string, all: Readonly<Record<string, number>>): readonly string[] {
  const entries = Object.entries(all);
  if (entries.length === 0) return [];
  return [row(name, entries.map(([key, count]) => `${key} × ${count}`).join(', '))];
}

function stepTable({ steps }: Result): readonly string[] {
  const rows = steps.map((each) => [
    stepLabel(each),
    String(each.sent),
    String(each.errors),
    ...(each.latency === null
      ? ['-', '-', '-']
      : [each.latency.p50, each.latency.p95, each.latency.p99].map((value) => humanMs(value))),
  ]);
  return table([['step', 'sent', 'errors', 'p50', 'p95', 'p99'], ...rows]);
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

function stressLines({ held, broke }: NonNullable<Result['stress']>): readonly string[] {
  const top = held > 0 ? `held ${round(held)} a second` : 'held no rate';
  return [row('stress', broke === null ? `${top}, never broke` : `${top}, broke at ${round(broke)}`)];
}

function driftLines({ steady, measures }: NonNullable<Result['drift']>): readonly string[] {
  const written = (name: string, value: number): string =>
    name === 'errors' ? `${round(value * 100)} %` : humanMs(value);
  return [
    row('drift', steady ? 'steady' : 'it does not end as it began'),
    ...measures.map(({ name, first, last, drifting }) =>
      row('', `${name} ${written(name, first)} → ${written(name, last)}${drifting ? '  drifting' : ''}`),
    ),
  ];
}

function row(name: string, value: string): string {
  return `${name.padEnd(10)}${value}`;
}

function seconds(value: number): string {
  return humanMs(value * 1000);
}

function round(value: number): number {
  return Number(value.toFixed(value < 10 ? 2 : 1));
}

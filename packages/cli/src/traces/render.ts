import type {
  AskedRequest,
  TraceAnswer,
  TracesAnswer,
  TraceSpanAnswer,
  TraceSummary,
} from '@mizzen/runtime/api/types.ts';
import type { Style } from '@mizzen/runtime/terminal/style.ts';
import { fit } from '@mizzen/runtime/terminal/table.ts';

export interface TraceLayout {
  /** Columns of the terminal. */
  readonly width: number;
  readonly style: Style;
  /** Every span with its tags. */
  readonly tags: boolean;
}

const NARROWEST_BAR = 10;

/** A table, the newest first. */
export function tracesLines({ traces, kept }: TracesAnswer, style: Style): string[] {
  if (traces.length === 0) {
    return [
      kept.traces === 0
        ? 'no traces yet; spans arrive within a second of their requests, those of Envoys within five'
        : 'no such traces',
    ];
  }
  const rows = traces.map((each) => ({
    color: colorOf({ error: each.errors > 0, status: each.status }),
    cells: [
      each.id,
      each.start.slice(11, 23),
      milliseconds(each.duration),
      statusOf(each),
      `${each.spanCount}`,
      titleOf(each),
    ],
  }));
  const titles = ['TRACE', 'BEGAN', 'DURATION', 'STATUS', 'SPANS', 'REQUEST'];
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [
    style('dim', line(titles)),
    ...rows.map(({ color, cells }) => (color === undefined ? line(cells) : style(color, line(cells)))),
  ];
}

/** Errors, and answers that say the client is at fault. */
function colorOf({
  error,
  status,
}: {
  readonly error: boolean;
  readonly status: number;
}): 'red' | 'yellow' | undefined {
  return error || status >= 500 ? 'red' : status >= 400 ? 'yellow' : undefined;
}

/** Columns of numbers. */
const RIGHT: ReadonlySet<number> = new Set([2, 3, 4]);

/** One trace: what it is, a waterfall, and how to ask why. */
export function traceLines(trace: TraceAnswer, { width, style, tags }: TraceLayout): string[] {
  const labels = trace.spans.map(labelOf);
  const times = trace.spans.map(({ duration }) => milliseconds(duration));
  const ends = trace.spans.map(statusOf);
  const longest = (list: readonly string[]): number => Math.max(...list.map((each) => each.length));
  const beside = longest(times) + longest(ends) + 6;
  const label = Math.min(longest(labels), Math.max(24, Math.floor((width - beside) * 0.55)));
  const bar = Math.max(NARROWEST_BAR, width - beside - label);
  const out = [
    style('bold', `${titleOf(trace)}`),
    `trace ${trace.id}, began ${trace.start}, took ${milliseconds(trace.duration)}, ${count(trace.spanCount, 'span')}` +
      (trace.errors === 0 ? '' : `, ${count(trace.errors, 'error')}`),
    '',
  ];
  trace.spans.forEach((span, i) => {
    const color = colorOf(span);
    const colored = (words: string): string => (color === undefined ? words : style(color, words));
    const text = fit(labels[i]!, label).padEnd(label);
    const end = ends[i]!.padStart(longest(ends));
    out.push(
      [
        colored(text),
        times[i]!.padStart(longest(times)),
        style(color ?? 'cyan', barOf(span, trace.duration, bar)),
        colored(end),
      ]
        .join('  ')
        .trimEnd(),
    );
    if (tags)
      for (const [key, value] of Object.entries(span.tags))
        out.push(style('dim', `${indent(span)}    ${key}: ${value}`));
  });
  if (trace.request !== null) out.push('', style('dim', `why: ${explainCommand(trace.request)}`));
  return out;
}

/** The command that says what the mesh makes of a request. */
export function explainCommand(request: AskedRequest): string {
  const { method, url, pod, namespace, gateway } = request;
  const from = gateway ? '' : ` --from ${pod} -n ${namespace}`;
  return `mizzen explain '${method} ${url.replaceAll("'", String.raw`'\''`)}'${from}`;
}

/** Full where the trace was waiting for this very span. */
function barOf({ start, duration, critical }: TraceSpanAnswer, whole: number, width: number): string {
  const cell = whole === 0 ? 1 : whole / width;
  const first = Math.min(width - 1, Math.max(0, Math.floor(start / cell)));
  const last = Math.max(first, Math.min(width - 1, Math.ceil((start + duration) / cell) - 1));
  let text = ' '.repeat(first);
  for (let at = first; at <= last; at++) {
    const [from, to] = [at * cell, (at + 1) * cell];
    text += critical.some((part) => part.start < to && part.start + part.duration > from) ? '█' : '░';
  }
  return text.padEnd(width);
}

function labelOf(span: TraceSpanAnswer): string {
  const { kind, service, name } = span;
  const mark = kind === 'client' ? '→' : kind === 'server' ? '←' : '·';
  return `${indent(span)}${service} ${mark} ${name}`;
}

function indent({ depth }: TraceSpanAnswer): string {
  return '  '.repeat(Math.min(depth, 20));
}

function titleOf({ service, method, url, name }: TraceSummary): string {
  return `${service}: ${method === '' ? name : `${method} ${url}`}`;
}

/** Of HTTP; where there is none, whether it failed. */
function statusOf(of: { readonly status: number; readonly error?: boolean; readonly errors?: number }): string {
  if (of.status !== 0) return String(of.status);
  return of.error === true || (of.errors ?? 0) > 0 ? 'error' : '-';
}

function milliseconds(value: number): string {
  if (value < 1) return `${(value * 1000).toFixed(0)} µs`;
  if (value < 100) return `${value.toPrecision(3)} ms`;
  return value < 10_000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

import { humanMs } from './duration.ts';
import type { Run } from './engine/run.ts';
import { rateAt } from './profile.ts';
import { percentile } from './stats/histogram.ts';

/** A sequence that sets colours, or a character. */
const SEEN = new RegExp(`${'\u001b'}\\[\\d+m|.`, 'gu');
const BARS = ' ▁▂▃▄▅▆▇█';

/** What a run looks like now, a line each, no wider than `width`. */
export function frame(run: Run, width: number, color: boolean): readonly string[] {
  const paint = (code: string, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { total, arrivals, options, seconds } = run;
  const at = run.elapsed / 1000;
  const done = Math.min(1, at / seconds);
  const barWidth = Math.max(10, Math.min(40, width - 40));
  const full = Math.round(done * barWidth);
  const left = Math.max(0, seconds - at);
  const errors = share(total.errors, total.ended);
  const intervals = run.series.intervals;
  // The last second has only begun.
  const seen = intervals.slice(-Math.max(10, Math.min(60, width - 20)) - 1, -1);
  const lines = [
    `${paint('1', options.mode)} ${paint('36', '█'.repeat(full))}${paint('2', '░'.repeat(barWidth - full))} ${Math.round(done * 100)} %, ${left > 0 ? `${humanMs(Math.ceil(left) * 1000)} left` : 'waiting for answers'}`,
    `rate      ${perSecond(run)} a second of ${rounded(rateAt(options.profile, at))}, ${run.inFlight} under way, ${run.waiting} waiting`,
    `requests  ${total.sent} sent, ${total.answered} answered, ${paint(total.errors > 0 ? '31' : '0', `${total.errors} errors (${errors})`)}, ${arrivals.late} late, ${arrivals.dropped} dropped`,
    `latency   ${percentiles(run)}`,
    `a second  ${sparkline(seen.map(({ ended }) => ended))}`,
    `p99       ${sparkline(seen.map(({ latency }) => percentile(latency, 99) ?? 0))}`,
  ];
  const [cause] = [...total.causes].toSorted(([, a], [, b]) => b - a);
  if (cause !== undefined) lines.push(`mostly    ${cause[0]} × ${cause[1]}`);
  return lines.map((line) => clipped(line, width));
}

/** One line, for where nothing can be drawn over. */
export function progressLine(run: Run): string {
  const { total, seconds, arrivals } = run;
  const at = Math.round(run.elapsed / 1000);
  const errors = `${total.errors} errors (${share(total.errors, total.ended)})`;
  return `${at} of ${seconds} s: ${perSecond(run)} a second, ${total.sent} sent, ${errors}, ${arrivals.late} late, ${arrivals.dropped} dropped, ${percentiles(run)}`;
}

function percentiles({ total: { latency } }: Run): string {
  const written = [50, 95, 99].map((each) => {
    const value = percentile(latency, each);
    return `p${each} ${value === undefined ? '-' : humanMs(value)}`;
  });
  return written.join('  ');
}

/** Of the last whole stretch of time. */
function perSecond({ series: { intervals, every } }: Run): string {
  const last = intervals.at(-2) ?? intervals.at(-1);
  return rounded((last?.ended ?? 0) / every);
}

function share(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Number(((part / whole) * 100).toFixed(part / whole < 0.01 ? 2 : 1))} %`;
}

function rounded(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}

function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, Number.MIN_VALUE);
  return values.map((value) => BARS[value === 0 ? 0 : Math.max(1, Math.round((value / most) * 8))]).join('');
}

/** Cuts by what is seen: escape sequences take no room. */
function clipped(line: string, width: number): string {
  let seen = 0;
  let cut = '';
  for (const [part] of line.matchAll(SEEN)) {
    if (!part.startsWith('\u001b') && ++seen > width) continue;
    cut += part;
  }
  return cut;
}

import { humanMs } from '../duration.ts';
import { escaped } from './chart.ts';
import { chartsOf } from './charts.ts';
import { type Latency, type Requests, type Result, stepLabel } from './result.ts';
import { STYLE } from './style.ts';
import { verdictText } from './text.ts';

/** The report as one page that needs nothing else: no network, no scripts. */
export function htmlOf(result: Result): string {
  const title = `${result.mode} load${result.target === '' ? '' : ` of ${result.target}`}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escaped(title)}</h1>
${introduction(result)}
${figures(result)}
${verdicts(result)}
<div class="charts">
${chartsOf(result).join('\n')}
</div>
${steps(result)}
${countsOf('Statuses', 'status', result.requests.statuses)}
${countsOf('What went wrong', 'cause', result.requests.causes)}
${stress(result)}
${drift(result)}
</main>
</html>
`;
}

function introduction({ startedAt, seconds, rate, peak, arrival, from, ending, seed }: Result): string {
  const rates = peak === rate ? `${rate} a second` : `${rate} to ${peak} a second`;
  const sender = from === '' ? '' : `, sent from ${from}`;
  const ended = ending === 'time' ? '' : `, ended by ${ending === 'interrupted' ? 'hand' : 'a threshold'}`;
  return `<p>${escaped(`${startedAt}, ${humanMs(seconds * 1000)}, ${rates} (${arrival})${sender}${ended}; seed ${seed}`)}</p>`;
}

function figures({ requests, arrivals }: Result): string {
  const latency = (name: keyof Latency): string => (requests.latency === null ? '–' : humanMs(requests.latency[name]));
  const share = requests.ended === 0 ? '' : ` <small>${escaped(percent(requests.errors / requests.ended))}</small>`;
  const all: Readonly<Record<string, string>> = {
    'requests sent': String(requests.sent),
    errors: String(requests.errors),
    'a second': String(Number(requests.perSecond.toFixed(1))),
    median: latency('p50'),
    p95: latency('p95'),
    p99: latency('p99'),
    slowest: latency('max'),
    'late, dropped': `${arrivals.late}, ${arrivals.dropped}`,
    ...(requests.aborted > 0 ? { aborted: String(requests.aborted) } : {}),
  };
  const items = Object.entries(all).map(
    ([name, value]) =>
      `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}${name === 'errors' ? share : ''}</dd></div>`,
  );
  return `<dl class="figures">${items.join('')}</dl>`;
}

function verdicts({ thresholds }: Result): string {
  if (thresholds.length === 0) return '';
  const rows = thresholds.map((each) => [
    verdictText(each),
    each.ok ? '<span class="good">✓ holds</span>' : '<span class="bad">✗ broken</span>',
  ]);
  return `<h2>Thresholds</h2>${table(['threshold', 'verdict'], rows, 'narrow')}`;
}

function steps({ steps: all }: Result): string {
  const rows = all.map((each) => [stepLabel(each), ...numbers(each)]);
  return `<h2>Steps</h2>${table(['step', 'sent', 'errors', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'slowest'], rows)}`;
}

function numbers({ sent, errors, latency }: Requests): readonly string[] {
  const names = ['p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;
  return [String(sent), String(errors), ...names.map((name) => (latency === null ? '–' : humanMs(latency[name])))];
}

function countsOf(title: string, of: string, counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts).map(([name, count]) => [name, String(count)]);
  return rows.length === 0 ? '' : `<h2>${title}</h2>${table([of, 'requests'], rows, 'narrow')}`;
}

function stress({ stress: found }: Result): string {
  if (found === null) return '';
  const rows = found.steps.map(({ rate, thresholds }) => [
    `${Number(rate.toFixed(1))} a second`,
    ...thresholds.map((each) => verdictText(each)),
  ]);
  const headings = ['rate', ...(found.steps[0]?.thresholds ?? []).map((_, i) => `threshold ${i + 1}`)];
  return `<h2>Under stress</h2>${table(headings, rows)}`;
}

function drift({ drift: found }: Result): string {
  if (found === null) return '';
  const rows = found.measures.map(({ name, first, last, perHour, drifting }) => {
    const written = (value: number): string => (name === 'errors' ? percent(value) : humanMs(Math.abs(value)));
    const slope = `${perHour < 0 ? '−' : '+'}${written(Math.abs(perHour))}`;
    return [name, written(first), written(last), slope, drifting ? '<span class="bad">drifting</span>' : 'steady'];
  });
  return `<h2>Drift</h2>${table(['measure', 'first fifth', 'last fifth', 'an hour', 'verdict'], rows)}`;
}

/** Cells that are markup begin with a tag of this page's own. */
function table(headings: readonly string[], rows: readonly (readonly string[])[], kind = 'wide'): string {
  const head = headings.map((each) => `<th scope="col">${escaped(each)}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((each) => `<td>${cell(each)}</td>`).join('')}</tr>`);
  // A narrow window scrolls it, by the keyboard too.
  const region = `class="scroll" tabindex="0" role="region" aria-label="by ${escaped(headings[0]!)}"`;
  return `<div ${region}><table class="${kind}"><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function cell(text: string): string {
  return /^<span class="(good|bad)">[^<>]*<\/span>$/.test(text) ? text : escaped(text);
}

function percent(value: number): string {
  return `${Number((value * 100).toFixed(value < 0.01 ? 3 : 1))} %`;
}

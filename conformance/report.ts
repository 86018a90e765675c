import type { Result, Verdict } from './run.ts';
import { aspects } from './compare.ts';
import { isSent } from './request.ts';

export interface Count {
  configurations: number;
  requests: number;
  alike: number;
  named: number;
  pending: number;
  failed: number;
}

/** Counts by area, sorted. */
export function byArea(results: readonly Result[]): Map<string, Count> {
  const areas = new Map<string, Count>();
  for (const { one, verdicts } of results.toSorted((a, b) => (a.one.area < b.one.area ? -1 : 1))) {
    let count = areas.get(one.area);
    if (count === undefined)
      areas.set(one.area, (count = { configurations: 0, requests: 0, alike: 0, named: 0, pending: 0, failed: 0 }));
    count.configurations++;
    count.requests += one.requests.filter(isSent).length;
    for (const { result } of verdicts) count[result]++;
  }
  return areas;
}

const HEAD =
  '| area | configurations | requests | alike | named differences | to be mended | failures |\n|---|---:|---:|---:|---:|---:|---:|\n';

/** The table, in Markdown. */
export function table(results: readonly Result[]): string {
  const total: Count = { configurations: 0, requests: 0, alike: 0, named: 0, pending: 0, failed: 0 };
  let text = HEAD;
  const row = (name: string, count: Count): string => `| ${name} | ${Object.values(count).join(' | ')} |\n`;
  for (const [area, count] of byArea(results)) {
    text += row(area, count);
    for (const key of Object.keys(total) as (keyof Count)[]) total[key] += count[key];
  }
  return text + row('**all**', total);
}

/** What terminals show of failures; with `all` of everything that is not alike. */
export function details(result: Result, all: boolean): string {
  let text = '';
  for (const verdict of result.verdicts) {
    if (verdict.result === 'alike' || (!all && verdict.result !== 'failed')) continue;
    text += `  ${verdict.result}  ${verdict.title}${verdict.named === undefined ? '' : ` (${verdict.named})`}\n`;
    text += differences(verdict);
  }
  return text;
}

function differences({ differences: found }: Verdict): string {
  return found
    .map(({ what, envoy, mizzen }) => {
      const [theirs, ours] = [envoy.split('\n'), mizzen.split('\n')];
      // Lines that only one has; all of them when just their order differs.
      const only = (lines: readonly string[], other: readonly string[]): string => {
        const own = lines.filter((line) => !other.includes(line));
        return (lines.length < 4 || own.length === 0 ? lines : own).join('\n');
      };
      return `      ${what}\n${indent('envoy ', only(theirs, ours))}${indent('mizzen', only(ours, theirs))}`;
    })
    .join('');
}

/** Everything seen of every request: for `-v`. */
export function observations({ one, observed }: Result): string {
  let text = '';
  for (const [i, request] of one.requests.entries()) {
    for (const [engine, { requests }] of Object.entries(observed)) {
      const seen = requests[i];
      if (seen === undefined) continue;
      text += `  ${engine}: ${request.title} (${Math.round(seen.time)} ms)\n`;
      if (seen.shares !== undefined) text += indent('shares', JSON.stringify(seen.shares));
      for (const [what, value] of Object.entries(aspects(seen))) if (value !== '') text += indent(what, value);
    }
  }
  return text;
}

function indent(name: string, text: string): string {
  const lines = text.replaceAll('\r', '\\r').replace(/\n$/, '').split('\n');
  return lines.map((line, i) => `        ${i === 0 ? name : ' '.repeat(name.length)} | ${line}\n`).join('');
}

import type { Path } from '@mizzen/diagnostics';
import type { HTTPMatchRequest, StringMatch, VirtualService } from '../gen/istio.networking.v1alpha3.ts';
import { UNREACHABLE } from './report.ts';
import type { Report } from './report.ts';

interface Rule {
  readonly name?: string;
  readonly match?: readonly object[];
}

/** Warns of routes, and matches within them, that requests never get to because those before take them all. */
export function checkUnreachable(report: Report, spec: VirtualService): void {
  for (const field of ['http', 'tls', 'tcp'] as const) checkRules(report, ['spec', field], spec[field] ?? []);
  checkPrefixes(report, spec);
}

function checkRules(report: Report, path: Path, rules: readonly Rule[]): void {
  const seen = new Map<string, number>();
  let matchesAll: number | undefined;
  rules.forEach((rule, index) => {
    const at = [...path, index];
    const matches = rule.match ?? [];
    if (matches.length === 0) {
      if (matchesAll !== undefined)
        warnUnused(report, at, name(rules, index), 'only the last rule can match everything');
      matchesAll = index;
      return;
    }
    if (matchesAll !== undefined) {
      warnUnused(report, at, name(rules, index), `${name(rules, matchesAll)} before it matches everything`);
      return;
    }
    let duplicates = 0;
    matches.forEach((match, i) => {
      const key = JSON.stringify({ ...match, name: undefined });
      const before = seen.get(key);
      if (before === undefined) seen.set(key, index);
      else {
        duplicates++;
        const message = `this match of ${name(rules, index)} is the same as one of ${name(rules, before)}`;
        report.warn(UNREACHABLE, [...at, 'match', i], message);
      }
    });
    if (duplicates === matches.length) {
      warnUnused(report, at, name(rules, index), 'rules before it take all it matches');
    }
  });
}

function warnUnused(report: Report, path: Path, rule: string, reason: string): void {
  report.warn(UNREACHABLE, path, `${rule} is never used: ${reason}`);
}

function name(rules: readonly Rule[], index: number): string {
  const given = rules[index]?.name;
  return given ? `rule \`${given}\`` : `rule #${index}`;
}

/** A prefix that an earlier, shorter one covers, with the other conditions the same. */
function checkPrefixes(report: Report, { http = [] }: VirtualService): void {
  const found = http.flatMap((route, i) =>
    (route.match ?? []).flatMap((match, j) =>
      match.uri?.prefix ? [{ route: i, at: j, match, prefix: match.uri.prefix }] : [],
    ),
  );
  found.forEach((later, index) => {
    const earlier = found
      .slice(0, index)
      .find((e) => e.prefix !== later.prefix && later.prefix.startsWith(e.prefix) && covers(e.match, later.match));
    if (!earlier) return;
    const message = `\`${earlier.prefix}\` of ${name(http, earlier.route)} already takes what starts with \`${later.prefix}\``;
    report.warn(UNREACHABLE, ['spec', 'http', later.route, 'match', later.at, 'uri', 'prefix'], message);
  });
}

function covers(earlier: HTTPMatchRequest, later: HTTPMatchRequest): boolean {
  if (earlier.ignoreUriCase && !later.ignoreUriCase) return false;
  const others = (match: HTTPMatchRequest): string => {
    const { name: _, uri: __, ignoreUriCase: ___, ...rest } = match;
    return JSON.stringify(sorted(rest));
  };
  return others(earlier) === others(later);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value as Record<string, StringMatch>)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sorted(child)]),
  );
}

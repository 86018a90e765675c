import type { Case } from './case.ts';
import { normalize, normalizeLog } from './normalize.ts';
import type { Observation, Observed, Seen } from './observe.ts';
import type { Request } from './request.ts';

/** One thing about which the proxies do not agree, or which is not as the case says. */
export interface Difference {
  readonly what: string;
  readonly envoy: string;
  readonly mizzen: string;
}

/** What is told apart about one request, in the words that reports print. */
export function aspects(observation: Observation, unordered = false): Readonly<Record<string, string>> {
  const { text, closed, log, tls } = observation;
  const received = unordered
    ? observation.received.toSorted((a, b) => (a.upstream < b.upstream ? -1 : 1))
    : observation.received;
  return {
    answer: normalize(text),
    connection: closed ? 'closed' : 'kept',
    received: received
      .map(
        ({ upstream, bytes, tls: peer }) =>
          `${upstream}${peer === undefined ? '' : ` (${peer})`} got ${normalize(bytes)}`,
      )
      .join('\n'),
    log: log.map((line) => normalize(normalizeLog(line, unordered))).join('\n'),
    tls: tls ?? '',
  };
}

/** Whether a proxy did what the case expects; the complaint when not. */
export function unexpected(request: Request, observation: Seen): string | undefined {
  const { text, closed, received, time } = observation;
  if (request.takes !== undefined && (time < request.takes[0] || time > request.takes[1]))
    return `took ${Math.round(time)} ms instead of ${request.takes.join(' to ')}`;
  if (request.expect === undefined) return undefined;
  if (observation.shares !== undefined) return unexpectedShares(request.expect, observation.shares);
  const [status = '', ...names] = request.expect.split(' ');
  const statuses = [...text.matchAll(/^HTTP\/1\.\d (\d{3})/gm)].map(([, each]) => each);
  const got = statuses.at(-1) ?? (closed ? 'closed' : 'nothing');
  const who = received.map(({ upstream }) => upstream);
  const wanted = names[0] === '-' ? [] : names;
  if (got !== status) return `${got} instead of ${status}`;
  return names.length > 0 && wanted.join(' ') !== who.join(' ')
    ? `received by [${who.join(' ')}] instead of [${wanted.join(' ')}]`
    : undefined;
}

/** Of many, each is to be as expected. */
function unexpectedShares(expect: string, shares: Readonly<Record<string, number>>): string | undefined {
  const others = Object.keys(shares).filter((key) => key !== expect && !key.startsWith(`${expect} `));
  return others.length === 0 ? undefined : `${others.join(', ')} instead of ${expect}`;
}

/** Whether nothing that is to be alike tells them apart but the log, which comes last. */
export function isAlike({ differs, pending, unordered }: Request, theirs: Observation, ours: Seen): boolean {
  if (differs !== undefined || pending !== undefined) return true;
  const of = (seen: Seen): string => JSON.stringify(aspects({ ...seen, log: [] }, unordered));
  return of(theirs) === of(ours);
}

export function compareRequest(request: Request, envoy: Observation, mizzen: Observation): Difference[] {
  const found: Difference[] = [];
  const complaints = [unexpected(request, envoy), unexpected(request, mizzen)];
  if (complaints.some((each) => each !== undefined))
    found.push({ what: 'expectation', envoy: complaints[0] ?? 'met', mizzen: complaints[1] ?? 'met' });
  if (envoy.shares !== undefined && mizzen.shares !== undefined)
    return [...found, ...compareShares(request, envoy.shares, mizzen.shares)];
  const [theirs, ours] = [aspects(envoy, request.unordered), aspects(mizzen, request.unordered)];
  for (const [what, value] of Object.entries(theirs)) {
    if (value !== ours[what]) found.push({ what, envoy: value, mizzen: ours[what]! });
  }
  return found;
}

function compareShares(
  { times, spread }: Request,
  envoy: Readonly<Record<string, number>>,
  mizzen: Readonly<Record<string, number>>,
): Difference[] {
  const keys = new Set([...Object.keys(envoy), ...Object.keys(mizzen)]);
  const apart = [...keys].filter((key) => Math.abs((envoy[key] ?? 0) - (mizzen[key] ?? 0)) > spread * times);
  const shown = (shares: Readonly<Record<string, number>>): string =>
    Object.entries(shares)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, count]) => `${key}: ${count}`)
      .join(', ');
  return apart.length === 0 ? [] : [{ what: 'shares', envoy: shown(envoy), mizzen: shown(mizzen) }];
}

/** Counters that always are compared where both have them. */
const COMPARED =
  /^(http\.\w+\.(downstream_rq_(total|completed|[1-5]xx|timeout|idle_timeout|header_timeout)|downstream_cx_total|no_route|no_cluster|rq_redirect|rq_direct_response|(rbac|cors|jwt_authn|fault)\..*)|cluster\.(?!xds\.)\w+\.((retry\.)?upstream_rq_(total|completed|[1-5]xx|rx_reset|tx_reset|retry|retry_success|retry_overflow|retry_limit_exceeded|timeout|per_try_timeout|pending_overflow)|upstream_cx_(connect_fail|connect_timeout|overflow))|tcp\.\w+\.downstream_cx_total)$/;

/** Where the suite itself asks, as often as the machine is slow. */
const ASKED = /^(http|listener)\.admin\./;

/** Whether a statistic may be compared at all. */
export function comparedStats({ stats }: Case, name: string): boolean {
  if (ASKED.test(name)) return false;
  return COMPARED.test(name) || stats.some((each) => new RegExp(`^(${each})$`).test(name));
}

export function compareStats(one: Case, envoy: Observed['stats'], mizzen: Observed['stats']): Difference[] {
  const asked = one.stats.map((each) => new RegExp(`^(${each})$`));
  const many = one.requests.some(({ times, spread }) => times > 1 && spread > 0);
  const found: Difference[] = [];
  for (const pattern of asked) {
    if (![...envoy.keys()].some((name) => pattern.test(name)))
      found.push({ what: `stats ${pattern.source}`, envoy: 'no such name', mizzen: '' });
  }
  for (const [name, value] of envoy) {
    if (ASKED.test(name)) continue;
    const required = asked.some((pattern) => pattern.test(name));
    // Whether a request that fails at once has an upstream yet is a matter of what runs beside it.
    const chance = many || (one.parallel > 1 && name.startsWith('cluster.'));
    if (!required && (chance || !COMPARED.test(name) || !mizzen.has(name))) continue;
    const ours = mizzen.get(name);
    if (ours !== value)
      found.push({ what: name, envoy: String(value), mizzen: ours === undefined ? 'absent' : String(ours) });
  }
  return found;
}

/** The access logs of two meshes, workload by workload. Where requests are many, how many of each came is seen from their shares. */
export function compareLogs(one: Case, envoy: Observed, mizzen: Observed): Difference[] {
  const [theirs, ours] = [envoy.accessLogs ?? new Map(), mizzen.accessLogs ?? new Map()];
  const many = one.requests.some(({ times }) => times > 1);
  const text = (lines: readonly string[] = []): string => {
    const all = lines.map((line) => normalizeLog(line));
    return (many ? [...new Set(all)].toSorted() : all).join('\n');
  };
  return [...new Set<string>([...theirs.keys(), ...ours.keys()])]
    .map((what) => ({ what, envoy: text(theirs.get(what)), mizzen: text(ours.get(what)) }))
    .filter((each) => each.envoy !== each.mizzen);
}

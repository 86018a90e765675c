import type { gwapi, networking } from '@mizzen/api';

export function matchRequest({
  path,
  headers,
  queryParams,
  method,
}: gwapi.HTTPRouteMatch): networking.HTTPMatchRequest {
  return {
    ...(path === undefined ? {} : { uri: pathMatch(path) }),
    ...(method === undefined ? {} : { method: { exact: method } }),
    ...(headers === undefined || headers.length === 0 ? {} : { headers: byName(headers) }),
    ...(queryParams === undefined || queryParams.length === 0 ? {} : { queryParams: byName(queryParams) }),
  };
}

/** A trailing `/` of a prefix means nothing: prefixes are whole segments. */
function pathMatch({ type = 'PathPrefix', value = '/' }: gwapi.HTTPPathMatch): networking.StringMatch {
  if (type === 'Exact') return { exact: value };
  if (type === 'RegularExpression') return { regex: value };
  return { prefix: value === '/' ? value : value.replace(/\/$/, '') };
}

function byName(named: readonly gwapi.NamedMatch[]): Readonly<Record<string, networking.StringMatch>> {
  return Object.fromEntries(
    named.map(({ name, type = 'Exact', value }) => [name, type === 'Exact' ? { exact: value } : { regex: value }]),
  );
}

/** What decides between matches that both fit: kind of path, its length, a method, number of headers, of parameters. */
export type Rank = readonly [kind: number, length: number, method: number, headers: number, parameters: number];

const KINDS = { RegularExpression: 1, PathPrefix: 2, Exact: 3 } as const;

/** Where nothing is said of the path, the API server writes down the prefix `/`. */
export function ranked(match: gwapi.HTTPRouteMatch | undefined): Rank {
  const { type = 'PathPrefix', value = '/' } = match?.path ?? {};
  const length = type === 'PathPrefix' && value !== '/' ? value.replace(/\/$/, '').length : value.length;
  const { headers = [], queryParams = [], method } = match ?? {};
  return [KINDS[type], length, method === undefined ? 0 : 1, headers.length, queryParams.length];
}

/** Higher ranks first. Sorting must be stable: of equals, the older HTTPRoute and the earlier rule count. */
export function byRank(a: Rank, b: Rank): number {
  for (const [i, rank] of a.entries()) {
    const difference = (b[i] ?? 0) - rank;
    if (difference !== 0) return difference;
  }
  return 0;
}

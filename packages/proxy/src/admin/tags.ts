import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';

export interface Tag {
  readonly name: string;
  readonly value: string;
}

interface Rule {
  readonly tag: string;
  readonly pattern: RegExp;
}

/**
 * Envoy's own tags, in its order (its documentation of statistics names them). Of each pattern the first group is left
 * out of the name, and the second, or the first when there is none, is the value.
 */
const DEFAULTS: readonly (readonly [string, RegExp])[] = [
  ['envoy.response_code', /_rq(_(\d{3}))$/],
  ['envoy.response_code_class', /_rq_((\d))xx$/],
  ['envoy.grpc_bridge_method', /^cluster\.[^.]+\.grpc\.[^.]+\.(([^.]+)\.)./],
  ['envoy.http_user_agent', /^http\..*?\.user_agent\.((.*?)\.)\w+?$/],
  ['envoy.virtual_cluster', /^vhost\..*?\.vcluster\.((.*?)\.)\w+?$/],
  ['envoy.fault_downstream_cluster', /^http\..*?\.fault\.((.*?)\.)\w+?$/],
  ['envoy.ssl_cipher', /^listener\..*?\.ssl\.ciphers?(\.(.*?))$/],
  ['envoy.ssl_cipher_suite', /^cluster\..*?\.ssl\.ciphers(\.(.*?))$/],
  ['envoy.grpc_bridge_service', /^cluster\.[^.]+\.grpc\.(([^.]+)\.)./],
  ['envoy.tcp_prefix', /^tcp\.((.*?)\.)\w+?$/],
  ['envoy.ratelimit_prefix', /^ratelimit\.((.*?)\.)\w+?$/],
  ['envoy.cluster_name', /^cluster\.(([^.]+)\.).*/],
  ['envoy.rds_route_config', /^http\..*?\.rds\.((.*?)\.)\w+?$/],
  ['envoy.http_conn_manager_prefix', /^listener\..*?\.http\.((.*?)\.)/],
  ['envoy.http_conn_manager_prefix', /^http\.((.*?)\.)/],
  ['envoy.worker_id', /^listener\..*?\.worker_((\d+)\.)/],
  ['envoy.listener_address', /^listener\.(((?:[_.\d]*|[_[\]aAbBcCdDeEfF\d]*))\.)/],
  ['envoy.virtual_host', /^vhost\.((.*?)\.)/],
  ['envoy.route', /^vhost\..*?\.route\.((.*?)\.)\w+?$/],
  ['envoy.worker_id', /^listener_manager\.((worker_\d+)\.)/],
];

/** Finds in the names of statistics what Prometheus wants as labels. */
export class TagExtractor {
  readonly #rules: readonly Rule[];
  readonly #fixed: readonly Tag[];

  constructor(rules: readonly Rule[], fixed: readonly Tag[]) {
    this.#rules = rules;
    this.#fixed = fixed;
  }

  extract(name: string): { readonly name: string; readonly tags: readonly Tag[] } {
    const tags: Tag[] = [];
    const cuts: (readonly [number, number])[] = [];
    for (const { tag, pattern } of this.#rules) {
      const found = pattern.exec(name);
      const [start, end] = found?.indices?.[1] ?? [-1, -1];
      if (found === null || start < 0) continue;
      const value = found[2] ?? found[1] ?? '';
      // What an earlier rule took away is not there for a later one.
      if (cuts.some(([from, to]) => start < to && end > from)) continue;
      tags.push({ name: tag, value });
      cuts.push([start, end]);
    }
    let rest = name;
    for (const [start, end] of cuts.toSorted(([a], [b]) => b - a)) rest = rest.slice(0, start) + rest.slice(end);
    return { name: rest, tags: [...tags, ...this.#fixed] };
  }
}

/** The tags of a `statsConfig`: its own, and Envoy's unless it says otherwise. */
export function compileTags(
  config: types.metrics.StatsConfig | undefined,
  context: CompileContext,
  always: readonly (readonly [string, string])[],
): TagExtractor {
  const rules: Rule[] = [];
  const fixed: Tag[] = always.map(([name, value]) => ({ name, value }));
  const named = new Set<string>();
  const refuse = (index: number, field: string, message: string): void =>
    context.refuse(['statsConfig', 'statsTags', index, field], message);
  for (const [index, { tagName = '', regex, fixedValue }] of (config?.statsTags ?? []).entries()) {
    named.add(tagName);
    if (fixedValue !== undefined) {
      fixed.push({ name: tagName, value: fixedValue });
      continue;
    }
    if (regex === undefined) {
      // The name alone asks for one of Envoy's own.
      const own = DEFAULTS.filter(([tag]) => tag === tagName);
      if (own.length === 0) refuse(index, 'tagName', `\`${tagName}\` is not one of Envoy’s own tags`);
      for (const [tag, pattern] of own) rules.push({ tag, pattern: withIndices(pattern.source) });
      continue;
    }
    try {
      rules.push({ tag: tagName, pattern: withIndices(regex) });
    } catch (error) {
      refuse(index, 'regex', `\`${regex}\` is not a regular expression: ${(error as Error).message}`);
    }
  }
  if (config?.useAllDefaultTags !== false) {
    for (const [tag, pattern] of DEFAULTS) {
      if (!named.has(tag)) rules.push({ tag, pattern: withIndices(pattern.source) });
    }
  }
  return new TagExtractor(rules, fixed);
}

/** ECMAScript's syntax with POSIX classes, as C++ has it. */
function withIndices(source: string): RegExp {
  const classes: Readonly<Record<string, string>> = {
    digit: '0-9',
    alpha: 'a-zA-Z',
    alnum: 'a-zA-Z0-9',
    lower: 'a-z',
    upper: 'A-Z',
    space: '\\s',
    word: '\\w',
    xdigit: '0-9a-fA-F',
  };
  return new RegExp(
    source.replace(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole),
    'd',
  );
}

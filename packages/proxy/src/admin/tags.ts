import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';

export interface Tag {
  readonly name: string;
  readonly value: string;
}

type Rule =
  | { readonly tag: string; readonly pattern: RegExp }
  /** A tag of every statistic. */
  | { readonly tag: string; readonly value: string };

const VALUE = '[^.]+';
const ADDRESS = String.raw`(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[[a-fA-F_\d]+\])_\d+`;
const TLS_OF = String.raw`^(?:listener|cluster)\..*?\.ssl`;

/**
 * Envoy's own tags, in its order. Of each pattern the first group is left out of the name, and the second is the value. What
 * is no regular expression has `*` for a part of the name, `$` for the one that is the value, and `**` for the rest.
 */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ['envoy.response_code', String.raw`_rq(_(\d{3}))$`],
  ['envoy.response_code_class', String.raw`_rq_((\d))xx$`],
  ['envoy.ssl_cipher', String.raw`^listener\..*?\.ssl\.ciphers(\.([\w-]+))$`],
  ['envoy.ssl_curve', String.raw`${TLS_OF}\.curves(\.([\w-]+))$`],
  ['envoy.ssl_sigalg', String.raw`${TLS_OF}\.sigalgs(\.([\w-]+))$`],
  ['envoy.ssl_version', String.raw`${TLS_OF}\.versions(\.(TLSv\d\.\d))$`],
  ['cipher_suite', String.raw`^cluster\.${VALUE}\.ssl\.ciphers(\.([\w-]+))$`],
  ['envoy.http_conn_manager_prefix', String.raw`^listener\..*?\.http\.((${VALUE})\.)`],
  [
    'envoy.worker_id',
    String.raw`^(?:listener\.(?:${ADDRESS}|${VALUE})|server|listener_manager|thread_local_cluster_manager)\.worker_((\d+)\.)`,
  ],
  ['envoy.listener_address', String.raw`^listener\.((?!admin\.)(${ADDRESS}|${VALUE})\.)`],
  ['envoy.rds_route_config', String.raw`^http\.${VALUE}\.rds\.(([\w.-]+)\.)\w+?$`],
  ['envoy.scoped_rds_config', String.raw`^http\.${VALUE}\.scoped_rds\.(([\w.-]+)\.)\w+?$`],
  ['envoy.tls_certificate', String.raw`${TLS_OF}\.certificate\.((${VALUE})\.).*$`],
  ['envoy.xds_resource_name', String.raw`^sds\.((${VALUE})\.).+`],
  [
    'envoy.rbac_policy_name',
    String.raw`^http\.${VALUE}\.rbac\.(?:${VALUE}\.)?policy\.((${VALUE})\.)(?:shadow_)?(?:allowed|denied)$`,
  ],
  ['envoy.rbac_http_prefix', String.raw`^http\.${VALUE}\.rbac\.((?!policy\.)(${VALUE})\.)`],
  ['envoy.proxy_protocol_prefix', String.raw`^proxy_proto\.((${VALUE})\.).+$`],
  ['envoy.proxy_protocol_version', String.raw`^proxy_proto\.((?:${VALUE}\.)?versions\.v(\d)\.)\w+$`],
  ['envoy.health_check_name', String.raw`^cluster\.${VALUE}\.health_check(\.name\.(${VALUE}))\..+`],
  ['envoy.grpc_bridge_method', 'cluster.*.grpc.*.$.**'],
  ['envoy.http_user_agent', 'http.*.user_agent.$.**'],
  ['envoy.virtual_cluster', 'vhost.*.vcluster.$.**'],
  ['envoy.fault_downstream_cluster', 'http.*.fault.$.**'],
  ['envoy.grpc_bridge_service', 'cluster.*.grpc.$.**'],
  ['envoy.tcp_prefix', 'tcp.$.**'],
  ['envoy.udp_prefix', 'udp.$.**'],
  ['envoy.ratelimit_prefix', 'ratelimit.$.**'],
  ['envoy.cluster_name', 'cluster.$.**'],
  ['envoy.ext_authz_prefix', 'cluster.*.ext_authz.$.**'],
  ['envoy.ext_authz_prefix', 'http.*.ext_authz.$.**'],
  ['envoy.http_conn_manager_prefix', 'http.$.**'],
  ['envoy.virtual_host', 'vhost.$.**'],
  ['envoy.route', 'vhost.*.route.$.**'],
  ['envoy.local_http_ratelimit_prefix', '$.http_local_rate_limit.**'],
  ['envoy.local_network_ratelimit_prefix', 'local_rate_limit.$.**'],
  ['envoy.local_listener_ratelimit_prefix', 'listener_local_ratelimit.$.**'],
  ['envoy.connection_limit_prefix', 'connection_limit.$.**'],
  ['envoy.rbac_prefix', '$.rbac.**'],
  ['envoy.google_grpc_client_prefix', 'grpc.$.**'],
];

/** The regular expression of one of Envoy's tags. */
function patternOf(text: string): string {
  if (!text.endsWith('.**')) return text;
  const parts = text.slice(0, -'.**'.length).split('.');
  return `^${parts.map((part) => (part === '$' ? String.raw`((${VALUE})\.)` : part === '*' ? String.raw`${VALUE}\.` : String.raw`${part}\.`)).join('')}`;
}

/** Finds in the names of statistics what Prometheus wants as labels. */
export class TagExtractor {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    // Envoy looks up the rules for one first part of names after those for all names.
    this.#rules = [...rules.filter((rule) => !forOnePrefix(rule)), ...rules.filter(forOnePrefix)];
  }

  extract(name: string): { readonly name: string; readonly tags: readonly Tag[] } {
    const tags: Tag[] = [];
    const cuts: (readonly [number, number])[] = [];
    for (const rule of this.#rules) {
      // The first rule that finds a tag is the one that counts.
      if (tags.some((tag) => tag.name === rule.tag)) continue;
      if ('value' in rule) {
        tags.push({ name: rule.tag, value: rule.value });
        continue;
      }
      const found = rule.pattern.exec(name);
      const range = found?.indices?.[1];
      if (found === null || range === undefined) continue;
      tags.push({ name: rule.tag, value: found[2] ?? found[1] ?? '' });
      cuts.push(range);
    }
    return { name: without(name, cuts).replace(/\.+$/, ''), tags };
  }
}

function forOnePrefix(rule: Rule): boolean {
  return 'pattern' in rule && /^\^\w+(?:\\\.|\(\?=\\\.\)|\$$)/.test(rule.pattern.source);
}

/** What is left of a text; ranges may overlap. */
function without(text: string, ranges: readonly (readonly [number, number])[]): string {
  let rest = '';
  let at = 0;
  for (const [start, end] of ranges.toSorted(([a], [b]) => a - b)) {
    if (start > at) rest += text.slice(at, start);
    at = Math.max(at, end);
  }
  return rest + text.slice(at);
}

/** The tags of a `statsConfig`: Envoy's unless it says otherwise, those of the command line, and its own. */
export function compileTags(
  config: types.metrics.StatsConfig | undefined,
  context: CompileContext,
  always: readonly (readonly [string, string])[],
): TagExtractor {
  const own = (name?: string): Rule[] =>
    DEFAULTS.filter(([tag]) => name === undefined || tag === name).map(([tag, text]) => ({
      tag,
      pattern: withIndices(patternOf(text)),
    }));
  const rules: Rule[] = config?.useAllDefaultTags === false ? [] : own();
  rules.push(...always.map(([tag, value]) => ({ tag, value })));
  const refuse = (index: number, field: string, message: string): void =>
    context.refuse(['statsConfig', 'statsTags', index, field], message);
  for (const [index, { tagName = '', regex = '', fixedValue }] of (config?.statsTags ?? []).entries()) {
    if (fixedValue !== undefined) {
      rules.push({ tag: tagName, value: fixedValue });
      continue;
    }
    if (regex === '') {
      // The name alone asks for one of Envoy's own.
      const named = own(tagName);
      if (named.length === 0) refuse(index, 'tagName', `\`${tagName}\` is not one of Envoy’s own tags`);
      rules.push(...named);
      continue;
    }
    try {
      rules.push({ tag: tagName, pattern: withIndices(regex) });
    } catch (error) {
      refuse(index, 'regex', `\`${regex}\` is not a regular expression: ${(error as Error).message}`);
    }
  }
  return new TagExtractor(rules);
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

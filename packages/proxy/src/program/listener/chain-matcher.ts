import type { types } from '@mizzen/xds';
import type { Trace } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { compileCidrs, ipv4Value, ipv6Value } from '../match/cidr.ts';
import { compileString } from '../match/string.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { ChainCriteria, Cidr, FilterChainProgram } from '../types.ts';

type Input = (criteria: ChainCriteria) => string | undefined;
type Predicate = (criteria: ChainCriteria) => boolean;
/** The name of a chain; undefined: nothing matched. */
type Chooser = (criteria: ChainCriteria) => string | undefined;

const INPUTS = 'envoy.extensions.matching.common_inputs.network.v3.';
const STRING = 'google.protobuf.StringValue';
const IP_MATCHER = 'xds.type.matcher.v3.IPMatcher';

interface Any {
  readonly '@type': string;
}
interface Extension {
  readonly name?: string;
  readonly typedConfig?: Any;
}
interface OnMatch {
  readonly matcher?: Matcher;
  readonly action?: Extension;
}
interface Matcher {
  readonly matcherList?: {
    readonly matchers?: readonly { readonly predicate?: PredicateConfig; readonly onMatch?: OnMatch }[];
  };
  readonly matcherTree?: {
    readonly input?: Extension;
    readonly exactMatchMap?: { readonly map?: Readonly<Record<string, OnMatch>> };
    readonly prefixMatchMap?: { readonly map?: Readonly<Record<string, OnMatch>> };
    readonly customMatch?: Extension;
  };
  readonly onNoMatch?: OnMatch;
}
interface PredicateConfig {
  readonly singlePredicate?: {
    readonly input?: Extension;
    readonly valueMatch?: types.matcher.StringMatcher;
    readonly customMatch?: Extension;
  };
  readonly orMatcher?: { readonly predicate?: readonly PredicateConfig[] };
  readonly andMatcher?: { readonly predicate?: readonly PredicateConfig[] };
  readonly notMatcher?: PredicateConfig;
}
interface IpMatcher {
  readonly rangeMatchers?: readonly {
    readonly ranges?: readonly types.core.CidrRange[];
    readonly onMatch?: OnMatch;
    readonly exclusive?: boolean;
  }[];
}

/**
 * The choice of a filter chain by `filterChainMatcher`, which stands in place of the chains' own matches. What matches
 * nothing goes to the default chain; a chain that does not exist takes nothing.
 */
export function compileChainMatcher(
  context: CompileContext,
  matcher: types.listener.Listener['filterChainMatcher'],
  listener: string,
  chains: readonly FilterChainProgram[],
  defaultChain: FilterChainProgram | undefined,
): (criteria: ChainCriteria, trace?: Trace) => FilterChainProgram | undefined {
  const choose = compileMatcher(context, matcher as Matcher, ['filterChainMatcher']);
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  return (criteria, trace) => {
    const name = choose(criteria);
    const chosen = name === undefined ? defaultChain : byName.get(name);
    trace?.push({
      kind: 'filter-chain',
      matched: chosen !== undefined,
      text: wordsFor(name, chosen),
      xds: { type: 'listener', resource: listener, path: ['filterChainMatcher'] },
    });
    return chosen;
  };
}

function wordsFor(name: string | undefined, chosen: FilterChainProgram | undefined): string {
  if (name === undefined)
    return chosen === undefined ? 'nothing of the matcher fits' : 'the default filter chain takes the connection';
  return chosen === undefined
    ? `the matcher names filter chain "${name}", which is not there`
    : `filter chain "${name}" takes the connection`;
}

function compileMatcher(context: CompileContext, matcher: Matcher, path: Path): Chooser {
  const otherwise =
    matcher.onNoMatch === undefined
      ? () => undefined
      : compileOnMatch(context, matcher.onNoMatch, [...path, 'onNoMatch']);
  const { matcherList, matcherTree } = matcher;
  if (matcherTree !== undefined) {
    const tree = compileTree(context, matcherTree, [...path, 'matcherTree']);
    return (criteria) => tree(criteria) ?? otherwise(criteria);
  }
  const list = (matcherList?.matchers ?? []).map(({ predicate = {}, onMatch = {} }, i) => {
    const at = [...path, 'matcherList', 'matchers', i];
    return {
      matches: compilePredicate(context, predicate, [...at, 'predicate']),
      choose: compileOnMatch(context, onMatch, [...at, 'onMatch']),
    };
  });
  if (list.length === 0 && matcher.onNoMatch === undefined) context.refuse(path, 'must match something');
  return (criteria) => {
    for (const { matches, choose } of list) {
      const chosen = matches(criteria) ? choose(criteria) : undefined;
      if (chosen !== undefined) return chosen;
    }
    return otherwise(criteria);
  };
}

function compileOnMatch(context: CompileContext, { matcher, action }: OnMatch, path: Path): Chooser {
  if (matcher !== undefined) return compileMatcher(context, matcher, [...path, 'matcher']);
  const config = action?.typedConfig;
  if (config === undefined || messageOf(config['@type']) !== STRING) {
    context.refuse([...path, 'action'], `must be the name of a filter chain, in a ${STRING}`);
    return () => undefined;
  }
  const { value = '' } = config as Any & { readonly value?: string };
  return () => value;
}

function compilePredicate(context: CompileContext, config: PredicateConfig, path: Path): Predicate {
  const all = (predicates: readonly PredicateConfig[] | undefined, field: string): Predicate[] =>
    (predicates ?? []).map((each, i) => compilePredicate(context, each, [...path, field, 'predicate', i]));
  if (config.orMatcher !== undefined) {
    const any = all(config.orMatcher.predicate, 'orMatcher');
    return (criteria) => any.some((matches) => matches(criteria));
  }
  if (config.andMatcher !== undefined) {
    const each = all(config.andMatcher.predicate, 'andMatcher');
    return (criteria) => each.every((matches) => matches(criteria));
  }
  if (config.notMatcher !== undefined) {
    const inner = compilePredicate(context, config.notMatcher, [...path, 'notMatcher']);
    return (criteria) => !inner(criteria);
  }
  const at = [...path, 'singlePredicate'];
  const { input, valueMatch, customMatch } = config.singlePredicate ?? {};
  if (customMatch !== undefined || valueMatch === undefined) {
    context.refuse([...at, customMatch === undefined ? 'valueMatch' : 'customMatch'], 'only `valueMatch` is supported');
    return () => false;
  }
  const read = compileInput(context, input, [...at, 'input']);
  const { matches } = compileString(context, valueMatch, [...at, 'valueMatch']);
  return (criteria) => {
    const value = read(criteria);
    return value !== undefined && matches(value);
  };
}

function compileTree(context: CompileContext, tree: NonNullable<Matcher['matcherTree']>, path: Path): Chooser {
  const read = compileInput(context, tree.input, [...path, 'input']);
  if (tree.customMatch !== undefined) return compileRanges(context, read, tree.customMatch, [...path, 'customMatch']);
  const field = tree.exactMatchMap === undefined ? 'prefixMatchMap' : 'exactMatchMap';
  const map = new Map(
    Object.entries(tree[field]?.map ?? {}).map(([key, onMatch]) => [
      key,
      compileOnMatch(context, onMatch, [...path, field, 'map', key]),
    ]),
  );
  if (map.size === 0) context.refuse([...path, field], 'must not be empty');
  if (field === 'exactMatchMap') {
    return (criteria) => {
      const value = read(criteria);
      return value === undefined ? undefined : map.get(value)?.(criteria);
    };
  }
  const longestFirst = [...map].toSorted(([a], [b]) => b.length - a.length);
  return (criteria) => {
    const value = read(criteria);
    if (value === undefined) return undefined;
    for (const [prefix, choose] of longestFirst) {
      const chosen = value.startsWith(prefix) ? choose(criteria) : undefined;
      if (chosen !== undefined) return chosen;
    }
    return undefined;
  };
}

/** The narrowest range first; a wider one is asked when that has nothing to say and is not exclusive. */
function compileRanges(context: CompileContext, read: Input, extension: Extension, path: Path): Chooser {
  const at = [...path, 'typedConfig'];
  const config = extension.typedConfig;
  if (config === undefined || messageOf(config['@type']) !== IP_MATCHER) {
    context.refuse(at, `only ${IP_MATCHER} is supported`);
    return () => undefined;
  }
  const ranges = ((config as Any & IpMatcher).rangeMatchers ?? []).flatMap((matcher, i) => {
    const here = [...at, 'rangeMatchers', i];
    const choose = compileOnMatch(context, matcher.onMatch ?? {}, [...here, 'onMatch']);
    return compileCidrs(context, matcher.ranges, [...here, 'ranges']).map((cidr: Cidr) => ({
      cidr,
      choose,
      exclusive: matcher.exclusive === true,
    }));
  });
  const narrowest = ranges.toSorted((a, b) => b.cidr.prefixLength - a.cidr.prefixLength);
  return (criteria) => {
    const address = read(criteria);
    if (address === undefined) return undefined;
    for (const { cidr, choose, exclusive } of narrowest) {
      if (!cidr.contains(address)) continue;
      const chosen = choose(criteria);
      if (chosen !== undefined || exclusive) return chosen;
    }
    return undefined;
  };
}

/** Text of what is known of a connection; what is not known is absent and matches nothing. */
const READERS: Readonly<Record<string, Input>> = {
  DestinationIPInput: (criteria) => criteria.destinationAddress,
  DestinationPortInput: (criteria) => String(criteria.destinationPort),
  SourceIPInput: (criteria) => criteria.sourceAddress,
  SourcePortInput: (criteria) => String(criteria.sourcePort),
  DirectSourceIPInput: (criteria) => criteria.directSourceAddress,
  SourceTypeInput: (criteria) => (isLocal(criteria) ? 'local' : undefined),
  ServerNameInput: ({ serverName }) => (serverName === '' ? undefined : serverName),
  TransportProtocolInput: ({ transportProtocol }) => (transportProtocol === '' ? 'raw_buffer' : transportProtocol),
  ApplicationProtocolInput: ({ applicationProtocols: names }) =>
    names.length === 0 ? undefined : names.map((name) => `'${name}'`).join(','),
};

function compileInput(context: CompileContext, input: Extension | undefined, path: Path): Input {
  const type = messageOf(input?.typedConfig?.['@type'] ?? '');
  const reader = type.startsWith(INPUTS) ? READERS[type.slice(INPUTS.length)] : undefined;
  if (reader !== undefined) return reader;
  context.refuse([...path, 'typedConfig'], `\`${type}\` is nothing that is known of a connection`);
  return () => undefined;
}

function isLocal({ sourceAddress, destinationAddress }: ChainCriteria): boolean {
  const v4 = ipv4Value(sourceAddress);
  if (v4 !== undefined) return v4 === 0x7f000001 || v4 === ipv4Value(destinationAddress);
  const v6 = ipv6Value(sourceAddress);
  return v6 === 1n || (v6 !== undefined && v6 === ipv6Value(destinationAddress));
}

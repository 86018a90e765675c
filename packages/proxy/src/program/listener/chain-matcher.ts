import type { types } from '@mizzen/xds';
import type { Trace } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { compileCidrs, isLocal } from '../match/cidr.ts';
import { compileMatcher, type Extension, type Input, type MatcherConfig, type MatcherKind } from '../match/matcher.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { ChainCriteria, FilterChainProgram } from '../types.ts';
import { wire } from '../values.ts';

const INPUTS = 'envoy.extensions.matching.common_inputs.network.v3.';
const ENVIRONMENT = 'envoy.extensions.matching.common_inputs.environment_variable.v3.Config';
const IP = 'envoy.extensions.matching.input_matchers.ip.v3.Ip';
const STRING = 'google.protobuf.StringValue';

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
  const choose = compileMatcher(context, matcher as MatcherConfig, NAMES, ['filterChainMatcher']);
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

/** Text of what is known of a connection; what is not known is absent and matches nothing. */
const READERS: Readonly<Record<string, Input<ChainCriteria>>> = {
  DestinationIPInput: (criteria) => criteria.destinationAddress,
  DestinationPortInput: (criteria) => String(criteria.destinationPort),
  SourceIPInput: (criteria) => criteria.sourceAddress,
  SourcePortInput: (criteria) => String(criteria.sourcePort),
  DirectSourceIPInput: (criteria) => criteria.directSourceAddress,
  SourceTypeInput: (criteria) => (isLocal(criteria.sourceAddress, criteria.destinationAddress) ? 'local' : undefined),
  ServerNameInput: ({ serverName }) => (serverName === '' ? undefined : serverName),
  TransportProtocolInput: ({ transportProtocol }) => (transportProtocol === '' ? 'raw_buffer' : transportProtocol),
  ApplicationProtocolInput: ({ applicationProtocols: names }) =>
    names.length === 0 ? undefined : names.map((name) => `'${name}'`).join(','),
};

/** What is known of a connection, and names of chains. */
const NAMES: MatcherKind<ChainCriteria, string> = {
  input(context, input, path) {
    const type = messageOf(input?.typedConfig?.['@type'] ?? '');
    const reader = networkInput(type);
    if (type === ENVIRONMENT) {
      const value = context.deps.env((input?.typedConfig as { readonly name?: string } | undefined)?.name ?? '');
      return () => (value === undefined ? undefined : wire(value));
    }
    if (reader === undefined)
      context.refuse([...path, 'typedConfig'], `\`${type}\` is nothing that is known of a connection`);
    return reader;
  },
  action: chainName,
  custom(context, input, matcher, path) {
    const config = matcher.typedConfig as { readonly '@type': string; readonly cidrRanges?: types.core.CidrRange[] };
    const at = [...path, 'customMatch', 'typedConfig'];
    const type = messageOf(config['@type']);
    const read = NAMES.input(context, input, [...path, 'input']);
    if (type !== IP) {
      context.refuse(at, `\`${type}\` is not a matcher that is supported`);
      return undefined;
    }
    const ranges = compileCidrs(context, config.cidrRanges, [...at, 'cidrRanges']);
    return (criteria) => {
      const address = read?.(criteria);
      return address !== undefined && ranges.some((range) => range.contains(address));
    };
  },
};

/** Undefined: the input is of another kind. */
function networkInput(type: string): Input<ChainCriteria> | undefined {
  return type.startsWith(INPUTS) ? READERS[type.slice(INPUTS.length)] : undefined;
}

function chainName(context: CompileContext, action: Extension | undefined, path: Path): string | undefined {
  const config = action?.typedConfig;
  if (config === undefined || messageOf(config['@type']) !== STRING) {
    context.refuse(path, `must be the name of a filter chain, in a ${STRING}`);
    return undefined;
  }
  return (config as { readonly value?: string }).value ?? '';
}

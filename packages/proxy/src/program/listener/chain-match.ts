import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import { compileCidrs, ipv4Value, ipv6Value } from '../match/cidr.ts';
import type { Path } from '../path.ts';
import type { ChainCriteria, Cidr, FilterChainMatchProgram, FilterChainProgram } from '../types.ts';
import type { Trace } from '../../types.ts';
import { asciiLower } from '../values.ts';

export function compileChainMatch(
  context: CompileContext,
  match: types.listener.FilterChainMatch,
  path: Path,
): FilterChainMatchProgram {
  const serverNames = (match.serverNames ?? []).map(asciiLower);
  serverNames.forEach((name, i) => {
    if (name.includes('*') && !name.startsWith('*.')) {
      context.refuse([...path, 'serverNames', i], `\`${name}\` has a wildcard in an unsupported place`);
    }
  });
  return {
    destinationPort: match.destinationPort,
    prefixRanges: compileCidrs(context, match.prefixRanges, [...path, 'prefixRanges']),
    serverNames,
    transportProtocol: match.transportProtocol ?? '',
    applicationProtocols: match.applicationProtocols ?? [],
    directSourcePrefixRanges: compileCidrs(context, match.directSourcePrefixRanges, [
      ...path,
      'directSourcePrefixRanges',
    ]),
    sourceType: match.sourceType ?? 'ANY',
    sourcePrefixRanges: compileCidrs(context, match.sourcePrefixRanges, [...path, 'sourcePrefixRanges']),
    sourcePorts: match.sourcePorts ?? [],
  };
}

/** One text for each combination of what a match is for; two chains must have none in common, and one chain none twice. */
export function matchKeys(match: FilterChainMatchProgram): string[] {
  const ranges = (list: readonly Cidr[]): string[] => list.map(networkOf);
  const parts: readonly (readonly (string | number)[])[] = [
    [match.destinationPort ?? ''],
    ranges(match.prefixRanges),
    match.serverNames,
    [match.transportProtocol],
    match.applicationProtocols,
    ranges(match.directSourcePrefixRanges),
    [match.sourceType],
    ranges(match.sourcePrefixRanges),
    match.sourcePorts,
  ];
  return parts.reduce<string[]>(
    (keys, part) => (part.length === 0 ? [''] : part).flatMap((each) => keys.map((key) => `${key}${each}\n`)),
    [''],
  );
}

/** The same for all ways to write a range. */
function networkOf({ text, prefixLength }: Cidr): string {
  const address = text.slice(0, text.lastIndexOf('/'));
  const v4 = address.includes(':') ? undefined : ipv4Value(address);
  return v4 === undefined
    ? `${(ipv6Value(address) ?? 0n) >> BigInt(128 - prefixLength)}::/${prefixLength}`
    : `${Math.floor(v4 / 2 ** (32 - prefixLength))}/${prefixLength}`;
}

/** One criterion: how well a chain fits; undefined: it does not. Higher is more specific. */
interface Criterion {
  readonly name: string;
  fit(match: FilterChainMatchProgram, criteria: ChainCriteria): number | undefined;
}

function range(list: readonly Cidr[], address: string): number | undefined {
  if (list.length === 0) return 0;
  let best: number | undefined;
  for (const cidr of list)
    if ((best === undefined || cidr.prefixLength + 1 > best) && cidr.contains(address)) best = cidr.prefixLength + 1;
  return best;
}

/** Exact names fit better than wildcards, longer wildcards better than shorter ones. */
function serverName(names: readonly string[], sni: string): number | undefined {
  if (names.length === 0) return 0;
  let best: number | undefined;
  for (const name of names) {
    let fit: number | undefined;
    if (name.startsWith('*.'))
      fit = sni.length > name.length - 1 && sni.endsWith(name.slice(1)) ? name.length : undefined;
    else if (name === sni) fit = 1_000_000;
    if (fit !== undefined && (best === undefined || fit > best)) best = fit;
  }
  return best;
}

/** In Envoy's order. A later criterion never makes up for an earlier one. */
const CRITERIA: readonly Criterion[] = [
  {
    name: 'destination port',
    fit: (m, c) => (m.destinationPort === undefined ? 0 : m.destinationPort === c.destinationPort ? 1 : undefined),
  },
  { name: 'destination address', fit: (m, c) => range(m.prefixRanges, c.destinationAddress) },
  { name: 'server name', fit: (m, c) => serverName(m.serverNames, c.serverName) },
  {
    name: 'transport protocol',
    fit: (m, c) =>
      m.transportProtocol === ''
        ? 0
        : m.transportProtocol === (c.transportProtocol === '' ? 'raw_buffer' : c.transportProtocol)
          ? 1
          : undefined,
  },
  {
    name: 'application protocol',
    fit: (m, c) => {
      if (m.applicationProtocols.length === 0) return 0;
      const { applicationProtocols: offered } = c;
      const at = offered.findIndex((name) => m.applicationProtocols.includes(name));
      // What the client names first counts most.
      return at < 0 ? undefined : offered.length - at;
    },
  },
  { name: 'direct source address', fit: (m, c) => range(m.directSourcePrefixRanges, c.directSourceAddress) },
  {
    name: 'source type',
    fit: (m, c) =>
      m.sourceType === 'ANY' ? 0 : (m.sourceType === 'SAME_IP_OR_LOOPBACK') === isLocal(c) ? 1 : undefined,
  },
  { name: 'source address', fit: (m, c) => range(m.sourcePrefixRanges, c.sourceAddress) },
  {
    name: 'source port',
    fit: (m, c) => (m.sourcePorts.length === 0 ? 0 : m.sourcePorts.includes(c.sourcePort) ? 1 : undefined),
  },
];

/** Of 127.0.0.0/8 Envoy counts 127.0.0.1 alone as loopback. */
function isLocal({ sourceAddress, destinationAddress }: ChainCriteria): boolean {
  const v4 = ipv4Value(sourceAddress);
  if (v4 !== undefined) return v4 === 0x7f000001 || v4 === ipv4Value(destinationAddress);
  const v6 = ipv6Value(sourceAddress);
  return v6 === 1n || (v6 !== undefined && v6 === ipv6Value(destinationAddress));
}

/**
 * Makes the choice of a chain: criterion by criterion the chains that fit best stay, and once others are dropped they
 * do not come back, as in Envoy.
 */
export function chainSelector(
  listener: string,
  chains: readonly FilterChainProgram[],
  defaultChain: FilterChainProgram | undefined,
): (criteria: ChainCriteria, trace?: Trace) => FilterChainProgram | undefined {
  const used = CRITERIA.filter((criterion) => chains.some((chain) => criterion.fit(chain.match, NOTHING) !== 0));
  return (criteria, trace) => {
    let left = chains;
    for (const criterion of used) {
      if (left.length === 0) break;
      left = best(left, criterion, criteria);
      if (left.length === 0)
        trace?.push({
          kind: 'filter-chain',
          matched: false,
          text: `no filter chain fits the ${criterion.name}`,
          xds: { type: 'listener', resource: listener, path: [] },
        });
    }
    const chosen = left[0] ?? defaultChain;
    if (trace !== undefined && chosen !== undefined) {
      trace.push({
        kind: 'filter-chain',
        matched: true,
        text:
          chosen.index < 0
            ? 'the default filter chain takes the connection'
            : `filter chain ${chosen.name === '' ? chosen.index : `"${chosen.name}"`} takes the connection`,
        xds: {
          type: 'listener',
          resource: listener,
          path: chosen.index < 0 ? ['defaultFilterChain'] : ['filterChains', chosen.index],
        },
      });
    }
    return chosen;
  };
}

/** Fits no criterion that a chain sets, so that it shows which are set. */
const NOTHING: ChainCriteria = {
  destinationAddress: '',
  destinationPort: -1,
  sourceAddress: '',
  sourcePort: -1,
  directSourceAddress: '',
  serverName: '\0',
  transportProtocol: '\0',
  applicationProtocols: [],
};

function best(
  chains: readonly FilterChainProgram[],
  criterion: Criterion,
  criteria: ChainCriteria,
): readonly FilterChainProgram[] {
  let highest = -1;
  let kept: FilterChainProgram[] = [];
  for (const chain of chains) {
    const fit = criterion.fit(chain.match, criteria);
    if (fit === undefined || fit < highest) continue;
    if (fit > highest) kept = [];
    highest = fit;
    kept.push(chain);
  }
  return kept;
}

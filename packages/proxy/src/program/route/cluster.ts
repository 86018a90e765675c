import type { types } from '@mizzen/xds';
import type { Random } from '../../deps.ts';
import type { PerFilter, RequestHead, StreamInfo, WeightedClusterEntry } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { HTTP2_PORT } from '../fields/table.ts';
import { compileMutations, type HeaderMutations } from '../headers.ts';
import { requestHeader } from '../match/header.ts';
import type { Path } from '../path.ts';
import { asciiLower, wire } from '../values.ts';
import { live, type Live } from '../../runtime/live.ts';
import { compileSpecifier, type ClusterSpecifier } from './cluster-specifier.ts';
import { compileHashPolicies } from './hash.ts';
import { lbMetadata } from './lb-metadata.ts';

const MAX_TOTAL = 2 ** 32 - 1;

export interface CompiledWeighted extends WeightedClusterEntry {
  readonly weight: number;
  readonly clusterHeader: string;
  readonly hostRewrite: string;
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
}

/** Where a request goes: name of the cluster (empty: none could be told) and which of several it is. */
export interface ChosenCluster {
  readonly cluster: string;
  readonly weighted: CompiledWeighted | undefined;
}

export interface ClusterChoice {
  /** Undefined: the runtime has taken all weights away. */
  choose(request: RequestHead, random: Random, info: StreamInfo): ChosenCluster | undefined;
  readonly names: readonly string[];
  readonly weighted: readonly CompiledWeighted[];
  /** In words, where it is not one cluster. */
  readonly text: string;
}

/** Envoy itself takes requests that are not for it to forward to a cluster that is not there. */
const NOWHERE: ChosenCluster = { cluster: '', weighted: undefined };
export const nowhere: ClusterChoice = { choose: () => NOWHERE, names: [], weighted: [], text: 'nowhere' };

export function compileClusterChoice(
  context: CompileContext,
  action: types.route.RouteAction,
  perFilter: (config: types.route.WeightedCluster_ClusterWeight, path: Path) => PerFilter,
  specifiers: ReadonlyMap<string, ClusterSpecifier>,
  path: Path,
): ClusterChoice {
  if (action.cluster !== undefined && action.cluster !== '') {
    refuseHttp2(context, action.cluster, [...path, 'cluster']);
    const chosen: ChosenCluster = { cluster: action.cluster, weighted: undefined };
    return { choose: () => chosen, names: [action.cluster], weighted: [], text: '' };
  }
  if (action.clusterHeader !== undefined && action.clusterHeader !== '') {
    const name = asciiLower(action.clusterHeader);
    return {
      choose: (request) => ({ cluster: firstValue(request, name), weighted: undefined }),
      names: [],
      weighted: [],
      text: `the header "${name}" names it`,
    };
  }
  if (action.weightedClusters !== undefined)
    return compileWeighted(context, action, action.weightedClusters, perFilter, [...path, 'weightedClusters']);
  const { clusterSpecifierPlugin: plugin = '', inlineClusterSpecifierPlugin: inline } = action;
  if (inline !== undefined)
    return bySpecifier(compileSpecifier(context, inline, [...path, 'inlineClusterSpecifierPlugin']));
  if (plugin !== '') {
    const specifier = specifiers.get(plugin);
    if (specifier !== undefined) return bySpecifier(specifier);
    context.refuse([...path, 'clusterSpecifierPlugin'], `there is no \`${plugin}\` in \`clusterSpecifierPlugins\``);
    return nowhere;
  }
  context.refuse(path, 'must say which cluster requests go to');
  return { choose: () => ({ cluster: '', weighted: undefined }), names: [], weighted: [], text: '' };
}

/** Clusters that speak HTTP/2 alone are there for the proxy's own calls; requests cannot be sent to them. */
export function refuseHttp2(context: CompileContext, cluster: string, path: Path): void {
  if (context.deps.speaksHttp2?.(cluster) === true)
    context.refuse(path, `the cluster \`${cluster}\` speaks HTTP/2 alone, and ${HTTP2_PORT}`);
}

function bySpecifier(choose: ClusterSpecifier): ClusterChoice {
  return {
    choose: (request, _, info) => ({ cluster: choose(request, info), weighted: undefined }),
    names: [],
    weighted: [],
    text: 'a matcher names it',
  };
}

function firstValue(request: RequestHead, name: string): string {
  return (name.startsWith(':') || name === 'host' ? requestHeader(request, name) : request.headers.get(name)) ?? '';
}

function compileWeighted(
  context: CompileContext,
  action: types.route.RouteAction,
  config: types.route.WeightedCluster,
  perFilter: (config: types.route.WeightedCluster_ClusterWeight, path: Path) => PerFilter,
  path: Path,
): ClusterChoice {
  const clusters = (config.clusters ?? []).map((cluster, i): CompiledWeighted => {
    const at = [...path, 'clusters', i];
    const hasName = cluster.name !== undefined && cluster.name !== '';
    const hasHeader = cluster.clusterHeader !== undefined && cluster.clusterHeader !== '';
    if (hasName === hasHeader) context.refuse(at, 'must have exactly one of `name` and `clusterHeader`');
    refuseHttp2(context, cluster.name ?? '', [...at, 'name']);
    if (cluster.weight === undefined) context.refuse([...at, 'weight'], 'must be there');
    const own = lbMetadata(cluster.metadataMatch);
    const inherited = lbMetadata(action.metadataMatch);
    return {
      name: cluster.name ?? '',
      clusterHeader: asciiLower(cluster.clusterHeader ?? ''),
      weight: cluster.weight ?? 0,
      hostRewrite: wire(cluster.hostRewriteLiteral ?? ''),
      metadataMatch: own === undefined ? inherited : { ...inherited, ...own },
      perFilter: perFilter(cluster, at),
      request: compileMutations(context, cluster.requestHeadersToAdd, cluster.requestHeadersToRemove, at, 'request'),
      response: compileMutations(
        context,
        cluster.responseHeadersToAdd,
        cluster.responseHeadersToRemove,
        at,
        'response',
      ),
    };
  });
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  if (clusters.length === 0 || total === 0)
    context.refuse([...path, 'clusters'], 'the weights must add up to more than 0');
  if (total > MAX_TOTAL) context.refuse([...path, 'clusters'], `the weights must add up to at most ${MAX_TOTAL}`);
  const weights = liveWeights(context, config.runtimeKeyPrefix ?? '', clusters, total);
  const hash =
    config.useHashPolicy === true
      ? compileHashPolicies(context, action.hashPolicy, [...path.slice(0, -1), 'hashPolicy'])
      : undefined;
  if (total > 0 && weights.value.sum === 0)
    context.refuse([...path, 'runtimeKeyPrefix'], 'the runtime takes all weights away');
  const header =
    config.headerName === undefined || config.headerName === '' ? undefined : asciiLower(config.headerName);
  return {
    names: clusters.map((cluster) => cluster.name).filter((name) => name !== ''),
    weighted: clusters,
    text: clusters
      .map(
        (cluster) =>
          `${cluster.name === '' ? `by header "${cluster.clusterHeader}"` : cluster.name} ${cluster.weight}/${total}`,
      )
      .join(', '),
    choose: (request, random, info) => {
      const { all, sum } = weights.value;
      if (sum === 0) return undefined;
      let value = -1;
      if (header !== undefined) {
        const given = request.headers.get(header);
        if (given !== undefined) value = remainder(given, sum);
      }
      if (value < 0 && hash !== undefined) {
        const { key, setCookie } = hash(request, { info });
        // A cookie that is only about to be set tells nothing yet.
        if (key !== undefined && setCookie === undefined) value = Number(key % BigInt(sum));
      }
      if (value < 0) value = Math.floor(random.float() * sum);
      for (let i = 0; i < clusters.length; i++) {
        const cluster = clusters[i]!;
        value -= all[i]!;
        if (value < 0)
          return {
            cluster: cluster.clusterHeader === '' ? cluster.name : firstValue(request, cluster.clusterHeader),
            weighted: cluster,
          };
      }
      const last = clusters.at(-1)!;
      return { cluster: last.name, weighted: last };
    },
  };
}

/** What is left of a whole number below 2⁶⁴ that is divided by `sum`; -1 when the text is none. */
function remainder(text: string, sum: number): number {
  if (!/^\+?\d+$/.test(text)) return -1;
  const number = BigInt(text.replace('+', ''));
  return number < 1n << 64n ? Number(number % BigInt(sum)) : -1;
}

interface Weights {
  readonly all: readonly number[];
  readonly sum: number;
}

/** `<runtimeKeyPrefix>.<cluster>` over the weights that are configured. */
function liveWeights(
  context: CompileContext,
  prefix: string,
  clusters: readonly CompiledWeighted[],
  sum: number,
): Live<Weights> {
  const fixed: Weights = { all: clusters.map(({ weight }) => weight), sum };
  if (prefix === '') return { value: fixed };
  return live(context.deps.runtime, fixed, (runtime) => {
    const all = clusters.map(({ name, weight }) => runtime.get(`${prefix}.${name}`)?.integer ?? weight);
    return { all, sum: all.reduce((a, b) => a + b, 0) };
  });
}

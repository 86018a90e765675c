import type { types } from '@mizzen/xds';
import type { RequestHead, StreamInfo } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { knownOf, OF_ROUTES, type Asked } from '../match/known.ts';
import { compileMatcher, type MatcherConfig, type MatcherKind } from '../match/matcher.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';

const PREFIX = 'envoy.extensions.router.cluster_specifiers.matcher.v3.';

/** Chooses the cluster of a request; empty: none. */
export type ClusterSpecifier = (request: RequestHead, info: StreamInfo) => string;

const NONE: ClusterSpecifier = () => '';

/** Those that routes name, by name. */
export function compileSpecifiers(
  context: CompileContext,
  plugins: readonly types.route.ClusterSpecifierPlugin[] | undefined,
  path: Path,
): ReadonlyMap<string, ClusterSpecifier> {
  const all = new Map<string, ClusterSpecifier>();
  (plugins ?? []).forEach((plugin, i) => {
    const name = plugin.extension?.name ?? '';
    if (name === '') context.refuse([...path, i, 'extension', 'name'], 'must not be empty');
    if (all.has(name)) context.refuse([...path, i, 'extension', 'name'], `\`${name}\` is there twice`);
    all.set(name, compileSpecifier(context, plugin, [...path, i]));
  });
  return all;
}

export function compileSpecifier(
  context: CompileContext,
  { extension }: types.route.ClusterSpecifierPlugin,
  path: Path,
): ClusterSpecifier {
  const at = [...path, 'extension', 'typedConfig'];
  const type = messageOf(extension?.typedConfig?.['@type'] ?? '');
  if (type !== `${PREFIX}MatcherClusterSpecifier`) {
    context.refuse(at, `\`${type}\` is not a choice of clusters that is supported`);
    return NONE;
  }
  const { clusterMatcher } = extension!.typedConfig as { readonly clusterMatcher?: MatcherConfig };
  if (clusterMatcher === undefined) {
    context.refuse([...at, 'clusterMatcher'], 'must be there');
    return NONE;
  }
  const choose = compileMatcher(context, clusterMatcher, KIND, [...at, 'clusterMatcher']);
  return (request, info) => choose({ connection: info.connection, request, info }) ?? '';
}

const KIND: MatcherKind<Asked, string> = {
  ...knownOf(OF_ROUTES),
  action(context, action, path) {
    const config = action?.typedConfig as { readonly '@type': string; readonly cluster?: string } | undefined;
    if (messageOf(config?.['@type'] ?? '') !== `${PREFIX}ClusterAction`) {
      context.refuse([...path, 'typedConfig'], `must be a ${PREFIX}ClusterAction`);
      return undefined;
    }
    const { cluster = '' } = config!;
    if (cluster === '') context.refuse([...path, 'typedConfig', 'cluster'], 'must not be empty');
    return cluster;
  },
};

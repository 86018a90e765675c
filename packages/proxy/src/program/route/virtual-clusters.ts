import type { types } from '@mizzen/xds';
import type { RequestHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { compileRequestHeader } from '../match/header.ts';
import type { Path } from '../path.ts';

/** Name of the first virtual cluster whose headers all match, or empty; undefined: there are none. */
export function compileVirtualClusters(
  context: CompileContext,
  clusters: readonly types.route.VirtualCluster[] | undefined,
  path: Path,
): ((request: RequestHead) => string) | undefined {
  if (clusters === undefined || clusters.length === 0) return undefined;
  const compiled = clusters.map(({ name = '', headers = [] }, i) => {
    if (name === '') context.refuse([...path, i, 'name'], 'must not be empty');
    if (headers.length === 0) context.refuse([...path, i, 'headers'], 'must not be empty');
    const matchers = headers.map((header, j) => compileRequestHeader(context, header, [...path, i, 'headers', j]));
    return { name, matches: (request: RequestHead) => matchers.every((matcher) => matcher.matches(request)) };
  });
  return (request) => compiled.find(({ matches }) => matches(request))?.name ?? '';
}

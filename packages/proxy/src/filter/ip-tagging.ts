import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { compileCidrs } from '../program/match/cidr.ts';
import type { Path } from '../program/path.ts';
import { asciiLower } from '../program/values.ts';
import type { Counter } from '../program/types.ts';
import { livePercentage } from '../runtime/live.ts';
import type { HttpFilter, RequestHead } from '../types.ts';
import type { FilterScope } from './scope.ts';

/** What Envoy's own field is called; where a client may not set it, it is gone before filters run. */
const HEADER = 'x-envoy-ip-tags';

/** Tells the upstream, in a header, which of the named ranges the client's address is in. */
export function ipTaggingFilter(
  context: CompileContext,
  config: types.ipTagging.IPTagging,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { requestType = 'BOTH', ipTags = [], ipTagHeader } = config;
  const { random, runtime } = context.deps;
  const enabled = livePercentage(runtime, 'ip_tagging.http_filter_enabled', 1);
  if (ipTags.length === 0) context.refuse([...path, 'ipTags'], 'must not be empty');
  if (ipTagHeader !== undefined && (ipTagHeader.header ?? '') === '')
    context.refuse([...path, 'ipTagHeader', 'header'], 'must not be empty');
  const tags = ipTags.map(({ ipTagName: name = '', ipList }, i) => ({
    name,
    ranges: compileCidrs(context, ipList, [...path, 'ipTags', i, 'ipList']),
  }));
  const header = asciiLower(ipTagHeader?.header ?? HEADER);
  const replaces = ipTagHeader !== undefined && (ipTagHeader.action ?? 'SANITIZE') === 'SANITIZE';
  const total = scope.counter('ip_tagging.total');
  const noHit = scope.counter('ip_tagging.no_hit');
  const hits = new Map<string, Counter>();
  const hit = (tag: string): Counter => {
    let counter = hits.get(tag);
    if (counter === undefined) hits.set(tag, (counter = scope.counter(`ip_tagging.${tag}.hit`)));
    return counter;
  };

  /** False: nothing has changed. */
  const write = ({ headers }: RequestHead, found: readonly string[]): boolean => {
    if (found.length === 0) return replaces && headers.remove(header);
    const value = found.join(',');
    if (replaces) headers.renew(header, value);
    else headers.append(header, value);
    return true;
  };

  return {
    name: scope.name,
    onRequest(stream) {
      const { request, info } = stream;
      if (
        requestType !== 'BOTH' &&
        (request.headers.get('x-envoy-internal') === 'true') !== (requestType === 'INTERNAL')
      )
        return undefined;
      if (enabled.value < 1 && random.float() >= enabled.value) return undefined;
      const found = new Set<string>();
      for (const { name, ranges } of tags)
        if (ranges.some((range) => range.contains(info.remoteAddress))) found.add(name);
      for (const tag of found) hit(tag).value++;
      if (found.size === 0) noHit.value++;
      total.value++;
      if (write(request, [...found])) stream.clearRoute();
      return undefined;
    },
  };
}

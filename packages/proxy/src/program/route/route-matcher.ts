import type { types } from '@mizzen/xds';
import type { RequestHead, StreamInfo } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { knownOf, OF_ROUTES, type Asked } from '../match/known.ts';
import { compileMatcher, type MatcherConfig, type MatcherKind } from '../match/matcher.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';

const ROUTE = 'envoy.config.route.v3.Route';
const LIST = 'envoy.config.route.v3.RouteList';

/** The choice of routes by a virtual host's `matcher`, which stands in place of its list. */
export function compileRouteMatcher<T>(
  context: CompileContext,
  matcher: types.route.VirtualHost['matcher'],
  compile: (route: types.route.Route, path: Path) => T,
  path: Path,
): (request: RequestHead, info: StreamInfo) => readonly T[] | undefined {
  const kind: MatcherKind<Asked, readonly T[]> = {
    ...knownOf(OF_ROUTES),
    action(_, action, at) {
      const config = action?.typedConfig;
      const inside = [...at, 'typedConfig'];
      switch (messageOf(config?.['@type'] ?? '')) {
        case ROUTE:
          return [compile(config as types.route.Route, inside)];
        case LIST:
          return ((config as types.route.RouteList).routes ?? []).map((route, i) =>
            compile(route, [...inside, 'routes', i]),
          );
        default:
          context.refuse(at, `must be a ${ROUTE} or a ${LIST}`);
          return undefined;
      }
    },
  };
  const choose = compileMatcher(context, matcher as MatcherConfig, kind, path);
  return (request, info) => choose({ connection: info.connection, request, info });
}

import type { types } from '@mizzen/xds';
import type { RequestHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import {
  compileMatcher,
  type Chooser,
  type Extension,
  type Input,
  type MatcherConfig,
  type MatcherKind,
} from '../match/matcher.ts';
import { requestHeader } from '../match/header.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { asciiLower } from '../values.ts';

const HEADER = 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput';
const ROUTE = 'envoy.config.route.v3.Route';
const LIST = 'envoy.config.route.v3.RouteList';

/** The choice of routes by a virtual host's `matcher`, which stands in place of its list. */
export function compileRouteMatcher<T>(
  context: CompileContext,
  matcher: types.route.VirtualHost['matcher'],
  compile: (route: types.route.Route, path: Path) => T,
  path: Path,
): Chooser<RequestHead, readonly T[]> {
  const kind: MatcherKind<RequestHead, readonly T[]> = {
    input: (_, input, at) => requestInput(context, input, at, 'routes can'),
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
  return compileMatcher(context, matcher as MatcherConfig, kind, path);
}

/** What of a request decides; `whose` can only be chosen by it. Undefined after a refusal. */
export function requestInput(
  context: CompileContext,
  input: Extension | undefined,
  path: Path,
  whose: string,
): Input<RequestHead> | undefined {
  const config = input?.typedConfig;
  const type = messageOf(config?.['@type'] ?? '');
  if (type === HEADER) return headerInput((config as { readonly headerName?: string }).headerName ?? '');
  context.refuse([...path, 'typedConfig'], `\`${type}\`: ${whose} only be chosen by headers of requests`);
  return undefined;
}

function headerInput(header: string): Input<RequestHead> {
  const name = asciiLower(header);
  if (name.startsWith(':') || name === 'host') return (request) => requestHeader(request, name);
  return (request) => request.headers.getJoined(name);
}

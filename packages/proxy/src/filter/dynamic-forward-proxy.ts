import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { asciiLower, wire } from '../program/values.ts';
import { ResponseFlag, type ForwardProxyFailure, type HttpFilter, type HttpStream } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

/** What a route makes of Host, and so of the host that is connected to. */
interface HostRewrite {
  readonly literal: string;
  readonly header: string;
}

function compileHostRewrite(
  _: CompileContext,
  { hostRewriteLiteral, hostRewriteHeader }: types.httpForwardProxy.PerRouteConfig,
): HostRewrite {
  return { literal: wire(hostRewriteLiteral ?? ''), header: asciiLower(hostRewriteHeader ?? '') };
}
export const hostRewritePerRoute = new PerRouteKind(compileHostRewrite);

/**
 * Where the route leads to a cluster of that kind: rewrites Host if the route says so, and has the name resolved before
 * anything else is made of it. What is connected to is the cluster's to say.
 */
export function dynamicForwardProxyFilter(
  context: CompileContext,
  { allowDynamicHostFromFilterState: byFilterState = false }: types.httpForwardProxy.FilterConfig,
  scope: FilterScope,
): HttpFilter {
  const { forwardProxy } = context.deps;
  return {
    name: scope.name,
    onRequest(stream) {
      const { request } = stream;
      const decision = stream.route();
      if (decision.kind !== 'cluster') return undefined;
      const cluster = forwardProxy?.(decision.cluster);
      if (forwardProxy !== undefined && cluster === undefined) return undefined;
      const rewrite = hostRewritePerRoute.mostSpecific(stream, scope.name);
      if (rewrite !== undefined)
        request.authority =
          rewrite.literal === '' ? (request.headers.getAll(rewrite.header)[0] ?? request.authority) : rewrite.literal;
      const { authority } = request;
      if (authority === '') {
        stream.sendLocalReply(400, 'Empty host header', 'empty_host_header', 0, [['connection', 'close']]);
        return 'stop';
      }
      const failure = cluster?.lookUp?.({ authority, stream }, byFilterState);
      return failure instanceof Promise ? failure.then((found) => answer(stream, found)) : answer(stream, failure);
    },
  };
}

function answer(stream: HttpStream, failure: ForwardProxyFailure | undefined): undefined | 'stop' {
  if (failure === undefined) return undefined;
  const { details, overflow } = failure;
  if (overflow === true) stream.sendLocalReply(503, 'DNS cache overflow', details, 0);
  else stream.sendLocalReply(503, 'DNS resolution failure', details, ResponseFlag.DF);
  return 'stop';
}

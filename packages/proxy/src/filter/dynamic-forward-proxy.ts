import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { asciiLower, wire } from '../program/values.ts';
import type { HttpFilter } from '../types.ts';
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

/** Rewrites Host where the route says so and leads to a cluster of that kind. Names are resolved by the cluster itself when it is asked for a host. */
export function dynamicForwardProxyFilter(context: CompileContext, scope: FilterScope): HttpFilter {
  const { isForwardProxy } = context.deps;
  return {
    name: scope.name,
    onRequest(stream) {
      const { request } = stream;
      const rewrite = hostRewritePerRoute.mostSpecific(stream, scope.name);
      if (rewrite === undefined && request.authority !== '') return undefined;
      const decision = stream.route();
      if (decision.kind !== 'cluster' || isForwardProxy?.(decision.cluster) === false) return undefined;
      if (rewrite !== undefined)
        request.authority =
          rewrite.literal === '' ? (request.headers.getAll(rewrite.header)[0] ?? request.authority) : rewrite.literal;
      if (request.authority !== '') return undefined;
      stream.sendLocalReply(400, 'Empty host header', 'empty_host_header', 0, [['connection', 'close']]);
      return 'stop';
    },
  };
}

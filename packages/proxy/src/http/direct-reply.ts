import type { ResponseHead, RouteDecision, RouteEntry } from '../types.ts';
import type { AttemptReply } from './attempt-reply.ts';
import { Headers } from './headers.ts';
import type { ActiveStream } from './stream.ts';

/** The answer of a route that is one. */
export function replyDirectly(
  stream: ActiveStream,
  decision: Extract<RouteDecision, { kind: 'redirect' | 'direct' }>,
): void {
  const { route, status, location } = decision;
  const fields: [string, string][] = location === undefined ? [] : [['location', location]];
  let body = '';
  let contentType = '';
  if (decision.kind === 'redirect') {
    if (decision.path !== undefined) rewritePath(stream, decision.path);
  } else {
    ({ body } = decision);
    const { format } = decision;
    if (format !== undefined) {
      stream.info.localReplyBody = body;
      body = format.text(stream);
      stream.info.localReplyBody = undefined;
      ({ contentType } = format);
    }
  }
  const head: ResponseHead = { status, headers: new Headers(fields.flat()) };
  stream.response = head;
  stream.info.responseCodeDetails = 'direct_response';
  route.rewriteResponse(head, stream, undefined);
  // What the format says of its body replaces what the route says, unless it is what holds anyway.
  if (contentType !== '' && contentType !== 'text/plain') {
    head.headers.remove('content-type');
    head.headers.add('content-type', contentType);
  }
  stream.sendLocalReply(status, body, 'direct_response', 0, head.headers.entries());
}

function rewritePath({ request, hcm }: ActiveStream, path: string): void {
  if (!hcm.program.router.suppressEnvoyHeaders) request.headers.set('x-envoy-original-path', request.path);
  request.path = path;
}

/** A reply to a request that has got as far as its cluster. */
export function replyOfRoute(stream: ActiveStream, route: RouteEntry, reply: AttemptReply): void {
  const counts = route.virtualHost.includeAttemptCountInResponse;
  const more: [string, string][] = counts ? [['x-envoy-attempt-count', String(stream.info.attemptCount)]] : [];
  stream.sendLocalReply(reply.status, reply.body, reply.details, reply.flags, [...(reply.fields ?? []), ...more]);
}

import type { HttpFetch, UpstreamCalls } from '../program/types.ts';

/**
 * One GET through a cluster, with the fields that Envoy sends of its own. Rejects with a CallError on timeout and failure;
 * undefined when nobody is there to be asked.
 */
export function fetchThrough(
  calls: UpstreamCalls,
  { cluster, uri, timeout, retry }: HttpFetch,
  outerAddress: string,
): Promise<{ readonly status: number; readonly body: Buffer }> | undefined {
  const { authority, path } = parts(uri);
  const { answer, failed } = calls.http({
    cluster,
    method: 'GET',
    path,
    authority,
    headers: ['user-agent', 'Go-browser'],
    body: undefined,
    timeout: Math.ceil(timeout),
    forwardedFor: outerAddress,
    retry,
  });
  return failed === true ? undefined : answer;
}

/** What stands before the path is taken as it is written, with or without a port. */
function parts(uri: string): { readonly authority: string; readonly path: string } {
  const scheme = uri.indexOf('://');
  const rest = scheme < 0 ? uri : uri.slice(scheme + 3);
  const slash = rest.indexOf('/');
  return slash < 0 ? { authority: rest, path: '/' } : { authority: rest.slice(0, slash), path: rest.slice(slash) };
}

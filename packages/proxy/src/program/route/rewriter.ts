import type { HttpStream, RequestHead, ResponseHead, RouteEntry, WeightedClusterEntry } from '../../types.ts';
import type { Headers } from '../../http/headers.ts';
import { applyMutations, noteValue, type HeaderMutations } from '../headers.ts';
import type { CompiledWeighted } from './cluster.ts';
import { setAuthority, type HostRewrite, type PathRewrite } from './rewrite.ts';

interface RequestRewrites {
  /** Most specific first: the route's, the virtual host's, the configuration's. */
  readonly mutations: readonly HeaderMutations[];
  /** Turns the order round, so that the most specific is applied last and wins. */
  readonly mostSpecificWins: boolean;
  readonly host: HostRewrite | undefined;
  readonly path: PathRewrite | undefined;
  readonly appendForwardedHost: boolean;
}

/** Weighted clusters that a finder hands out are always the compiled ones. */
const compiled = (weighted: WeightedClusterEntry | undefined): CompiledWeighted | undefined =>
  weighted as CompiledWeighted | undefined;

export function requestRewriter(rewrites: RequestRewrites): RouteEntry['rewriteRequest'] {
  const { mostSpecificWins, host, path, appendForwardedHost } = rewrites;
  const mutations = mostSpecificWins ? rewrites.mutations.toReversed() : rewrites.mutations;
  return (
    request: RequestHead,
    stream: HttpStream,
    chosen: WeightedClusterEntry | undefined,
    suppressEnvoyHeaders?: boolean,
  ) => {
    const weighted = compiled(chosen);
    const keepOriginal = suppressEnvoyHeaders !== true;
    // The weighted cluster's come first, whichever are to win among the others.
    if (weighted !== undefined) applyMutations(weighted.request, request.headers, stream);
    // The route's own host comes after the weighted cluster's, of which nothing is remembered, and so wins.
    if (weighted !== undefined && weighted.hostRewrite !== '') request.authority = weighted.hostRewrite;
    for (const one of mutations) applyMutations(one, request.headers, stream);
    const newHost = host?.(request, stream);
    if (newHost !== undefined && newHost !== '') {
      setAuthority(request, newHost, appendForwardedHost, keepOriginal);
      noteValue(request.headers, newHost);
    }
    const newPath = path?.(request.path, stream);
    if (newPath !== undefined) {
      if (keepOriginal) request.headers.set('x-envoy-original-path', request.path);
      request.path = newPath;
      noteValue(request.headers, newPath);
    }
  };
}

export function responseTrimmer(all: readonly HeaderMutations[]): RouteEntry['trimResponse'] {
  return (headers: Headers, chosen: WeightedClusterEntry | undefined) => {
    for (const name of compiled(chosen)?.response.remove ?? []) headers.remove(name);
    for (const { remove } of all) for (const name of remove) headers.remove(name);
  };
}

export function responseRewriter(
  all: readonly HeaderMutations[],
  mostSpecificWins: boolean,
): RouteEntry['rewriteResponse'] {
  const mutations = mostSpecificWins ? all.toReversed() : all;
  return (response: ResponseHead, stream: HttpStream, chosen: WeightedClusterEntry | undefined) => {
    const weighted = compiled(chosen);
    if (weighted !== undefined) applyMutations(weighted.response, response.headers, stream);
    for (const one of mutations) applyMutations(one, response.headers, stream);
  };
}

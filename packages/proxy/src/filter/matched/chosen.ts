import type { FilterResult, HttpFilter, HttpStream } from '../../types.ts';

/** Filters that stand together, in the order of requests and in that of responses. */
export interface Group {
  readonly forward: readonly HttpFilter[];
  readonly backward: readonly HttpFilter[];
}
export function groupOf(filters: readonly HttpFilter[]): Group {
  return { forward: filters, backward: filters.toReversed() };
}
export const NOBODY: Group = groupOf([]);

/**
 * One filter that stands for others, of which each request chooses some by its head. `otherwise`: those that take part in
 * responses to requests that never came so far. It has the hooks that any of `among` has, or all where routes may bring others.
 */
export function chosenFilter(
  name: string,
  choose: (stream: HttpStream) => Group,
  otherwise: Group,
  among?: readonly HttpFilter[],
): HttpFilter {
  const chosen = new WeakMap<HttpStream, Group>();
  const of = (stream: HttpStream): Group => chosen.get(stream) ?? otherwise;
  const some = (hook: keyof HttpFilter): boolean =>
    among === undefined || among.some((filter) => filter[hook] !== undefined);
  return {
    name,
    onRequest(stream, trace) {
      const group = choose(stream);
      chosen.set(stream, group);
      return oneByOne(group.forward, (filter) => filter.onRequest?.(stream, trace));
    },
    ...(some('onResponse') && {
      onResponse: (stream) => oneByOne(of(stream).backward, (filter) => filter.onResponse?.(stream)),
    }),
    ...(some('onRequestData') && {
      onRequestData: (stream, data, end) =>
        oneByOne(of(stream).forward, (filter) => filter.onRequestData?.(stream, data, end)),
    }),
    ...(some('onResponseData') && {
      onResponseData: (stream, data, end) =>
        oneByOne(of(stream).backward, (filter) => filter.onResponseData?.(stream, data, end)),
    }),
    ...(some('onRequestTrailers') && {
      onRequestTrailers: (stream, trailers) =>
        of(stream).forward.reduce((passed, filter) => filter.onRequestTrailers?.(stream, passed) ?? passed, trailers),
    }),
    ...(some('onResponseTrailers') && {
      onResponseTrailers: (stream, trailers) =>
        of(stream).backward.reduce((passed, filter) => filter.onResponseTrailers?.(stream, passed) ?? passed, trailers),
    }),
    ...(some('onRequestEnd') && {
      onRequestEnd: (stream) => of(stream).forward.forEach((filter) => filter.onRequestEnd?.(stream)),
    }),
    ...(some('onResponseEnd') && {
      onResponseEnd: (stream) => of(stream).backward.forEach((filter) => filter.onResponseEnd?.(stream)),
    }),
    ...(some('onRouteCleared') && {
      onRouteCleared: (stream) => of(stream).forward.forEach((filter) => filter.onRouteCleared?.(stream)),
    }),
    ...(some('onEnd') && {
      onEnd: (stream) => of(stream).forward.forEach((filter) => filter.onEnd?.(stream)),
    }),
    ...(some('onLog') && {
      onLog: (stream) => of(stream).forward.forEach((filter) => filter.onLog?.(stream)),
    }),
  };
}

/** The next goes on when the one before has, at once where it can. */
function oneByOne(filters: readonly HttpFilter[], run: (filter: HttpFilter) => FilterResult, from = 0): FilterResult {
  for (let i = from; i < filters.length; i++) {
    const result = run(filters[i]!);
    if (result === 'stop') return 'stop';
    if (result !== undefined)
      return result.then((settled) => (settled === 'stop' ? 'stop' : oneByOne(filters, run, i + 1)));
  }
  return undefined;
}

import type { FilterResult, HttpFilter, HttpStream } from '../../types.ts';

/** The filters that take part in a request. */
export type Choose = (stream: HttpStream) => readonly HttpFilter[];

/**
 * One filter that stands for others, of which each request chooses some by its head. `otherwise`: those that take part in
 * responses to requests that never came so far. It has the hooks that any of `all` has.
 */
export function chosenFilter(
  name: string,
  choose: Choose,
  all: readonly HttpFilter[],
  otherwise: readonly HttpFilter[],
): HttpFilter {
  const chosen = new WeakMap<HttpStream, readonly HttpFilter[]>();
  const of = (stream: HttpStream): readonly HttpFilter[] => chosen.get(stream) ?? otherwise;
  const some = (hook: keyof HttpFilter): boolean => all.some((filter) => filter[hook] !== undefined);
  return {
    name,
    onRequest(stream, trace) {
      const filters = choose(stream);
      chosen.set(stream, filters);
      return oneByOne(filters, (filter) => filter.onRequest?.(stream, trace));
    },
    ...(some('onResponse') && {
      onResponse: (stream) => oneByOne(of(stream).toReversed(), (filter) => filter.onResponse?.(stream)),
    }),
    ...(some('onRequestData') && {
      onRequestData: (stream, data, end) => oneByOne(of(stream), (filter) => filter.onRequestData?.(stream, data, end)),
    }),
    ...(some('onResponseData') && {
      onResponseData: (stream, data, end) =>
        oneByOne(of(stream).toReversed(), (filter) => filter.onResponseData?.(stream, data, end)),
    }),
    ...(some('onRequestTrailers') && {
      onRequestTrailers: (stream, trailers) =>
        of(stream).reduce((passed, filter) => filter.onRequestTrailers?.(stream, passed) ?? passed, trailers),
    }),
    ...(some('onResponseTrailers') && {
      onResponseTrailers: (stream, trailers) =>
        of(stream)
          .toReversed()
          .reduce((passed, filter) => filter.onResponseTrailers?.(stream, passed) ?? passed, trailers),
    }),
    ...(some('onRequestEnd') && {
      onRequestEnd: (stream) => of(stream).forEach((filter) => filter.onRequestEnd?.(stream)),
    }),
    ...(some('onResponseEnd') && {
      onResponseEnd: (stream) =>
        of(stream)
          .toReversed()
          .forEach((filter) => filter.onResponseEnd?.(stream)),
    }),
    ...(some('onEnd') && {
      onEnd: (stream) => of(stream).forEach((filter) => filter.onEnd?.(stream)),
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

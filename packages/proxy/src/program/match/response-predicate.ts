import type { types } from '@mizzen/xds';
import type { ResponseHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { compileResponseHeader } from './header.ts';

export type ResponsePredicate = (response: ResponseHead) => boolean;

const NEVER: ResponsePredicate = () => false;

/** A predicate as far as a response's head decides it: what looks at anything else never holds, as in Envoy. */
export function compileResponsePredicate(
  context: CompileContext,
  predicate: types.commonMatcher.MatchPredicate,
  path: Path,
): ResponsePredicate {
  const { andMatch, orMatch, notMatch, anyMatch, httpResponseHeadersMatch } = predicate;
  const all = (set: types.commonMatcher.MatchPredicate_MatchSet, at: Path): ResponsePredicate[] => {
    const { rules = [] } = set;
    if (rules.length < 2) context.refuse([...at, 'rules'], 'must have at least two');
    return rules.map((rule, i) => compileResponsePredicate(context, rule, [...at, 'rules', i]));
  };
  if (andMatch !== undefined) {
    const rules = all(andMatch, [...path, 'andMatch']);
    return (response) => rules.every((holds) => holds(response));
  }
  if (orMatch !== undefined) {
    const rules = all(orMatch, [...path, 'orMatch']);
    return (response) => rules.some((holds) => holds(response));
  }
  if (notMatch !== undefined) {
    const holds = compileResponsePredicate(context, notMatch, [...path, 'notMatch']);
    return (response) => !holds(response);
  }
  if (anyMatch !== undefined) {
    if (!anyMatch) context.refuse([...path, 'anyMatch'], 'must be true');
    return () => true;
  }
  if (httpResponseHeadersMatch !== undefined) {
    const at = [...path, 'httpResponseHeadersMatch', 'headers'];
    const matchers = (httpResponseHeadersMatch.headers ?? []).map((header, i) =>
      compileResponseHeader(context, header, [...at, i]),
    );
    return (response) => matchers.every(({ matches }) => matches(response));
  }
  if (
    predicate.httpRequestHeadersMatch === undefined &&
    predicate.httpRequestTrailersMatch === undefined &&
    predicate.httpResponseTrailersMatch === undefined &&
    predicate.httpRequestGenericBodyMatch === undefined &&
    predicate.httpResponseGenericBodyMatch === undefined
  )
    context.refuse(path, 'must say what to match');
  return NEVER;
}

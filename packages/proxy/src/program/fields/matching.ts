import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const MATCHER = 'xds.type.matcher.v3.Matcher';
const INPUTS = 'envoy.extensions.matching.common_inputs.network.v3';

/** xDS matchers, and what of a connection they look at. */
export const matchingFields: FieldTable = {
  'xds.core.v3.TypedExtensionConfig': { implemented: 'name typedConfig' },
  'xds.core.v3.CidrRange': { implemented: 'addressPrefix prefixLen' },
  [MATCHER]: { implemented: 'matcherList matcherTree onNoMatch' },
  [`${MATCHER}.OnMatch`]: { implemented: 'matcher action keepMatching' },
  [`${MATCHER}.MatcherList`]: { implemented: 'matchers' },
  [`${MATCHER}.MatcherList.FieldMatcher`]: { implemented: 'predicate onMatch' },
  [`${MATCHER}.MatcherList.Predicate`]: { implemented: 'singlePredicate orMatcher andMatcher notMatcher' },
  [`${MATCHER}.MatcherList.Predicate.PredicateList`]: { implemented: 'predicate' },
  [`${MATCHER}.MatcherList.Predicate.SinglePredicate`]: {
    implemented: 'input valueMatch customMatch',
  },
  [`${MATCHER}.MatcherTree`]: { implemented: 'input exactMatchMap prefixMatchMap customMatch' },
  [`${MATCHER}.MatcherTree.MatchMap`]: { implemented: 'map' },
  'xds.type.matcher.v3.StringMatcher': {
    implemented: 'exact prefix suffix safeRegex contains ignoreCase',
    refused: { [NOT_SUPPORTED]: 'custom' },
  },
  'xds.type.matcher.v3.RegexMatcher': {
    implemented: 'regex',
    noEffect: { 'every regex is RE2': 'googleRe2' },
  },
  'xds.type.matcher.v3.IPMatcher': { implemented: 'rangeMatchers' },
  'xds.type.matcher.v3.IPMatcher.IPRangeMatcher': { implemented: 'ranges onMatch exclusive' },
  'envoy.type.matcher.v3.HttpRequestHeaderMatchInput': { implemented: 'headerName' },
  'xds.type.matcher.v3.HttpAttributesCelMatchInput': {},
  'xds.type.matcher.v3.CelMatcher': {
    implemented: 'exprMatch',
    noEffect: { 'is only for people': 'description' },
  },
  'xds.type.v3.CelExpression': {
    implemented: 'celExprParsed celExprChecked parsedExpr checkedExpr',
    refused: { [NOT_SUPPORTED]: 'celExprString' },
  },
  'envoy.extensions.common.matching.v3.ExtensionWithMatcher': {
    implemented: 'extensionConfig xdsMatcher',
    refused: { '`xdsMatcher` does the same': 'matcher' },
  },
  'envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute': { implemented: 'xdsMatcher' },
  'envoy.extensions.filters.common.matcher.action.v3.SkipFilter': {},
  'envoy.extensions.filters.http.composite.v3.Composite': { implemented: 'namedFilterChains matcher' },
  'envoy.extensions.filters.http.composite.v3.CompositePerRoute': { implemented: 'matcher' },
  'envoy.extensions.filters.http.composite.v3.ExecuteFilterAction': {
    implemented: 'typedConfig filterChain filterChainName samplePercent',
    refused: { [NOT_SUPPORTED]: 'dynamicConfig' },
  },
  'envoy.extensions.filters.http.composite.v3.FilterChainConfiguration': { implemented: 'typedConfig' },
  'envoy.extensions.matching.input_matchers.ip.v3.Ip': {
    implemented: 'cidrRanges',
    noEffect: { 'nothing is counted': 'statPrefix' },
  },
  'xds.type.matcher.v3.ServerNameMatcher': { implemented: 'domainMatchers' },
  'xds.type.matcher.v3.ServerNameMatcher.DomainMatcher': { implemented: 'domains onMatch' },
  'envoy.type.matcher.v3.HttpRequestQueryParamMatchInput': { implemented: 'queryParam' },
  'envoy.extensions.matching.input_matchers.consistent_hashing.v3.ConsistentHashing': {
    implemented: 'threshold modulo seed',
  },
  'envoy.extensions.matching.input_matchers.runtime_fraction.v3.RuntimeFraction': {
    implemented: 'runtimeFraction seed',
  },
  'envoy.extensions.matching.input_matchers.metadata.v3.Metadata': { implemented: 'value invert' },
  'envoy.extensions.matching.common_inputs.environment_variable.v3.Config': { implemented: 'name' },
  'envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput': {},
  'envoy.extensions.matching.common_inputs.ssl.v3.DnsSanInput': {},
  'envoy.extensions.matching.common_inputs.ssl.v3.SubjectInput': {},
  [`${INPUTS}.DynamicMetadataInput`]: { implemented: 'filter path' },
  [`${INPUTS}.DynamicMetadataInput.PathSegment`]: { implemented: 'key' },
  [`${INPUTS}.FilterStateInput`]: { implemented: 'key', refused: { [NOT_SUPPORTED]: 'field' } },
  [`${INPUTS}.DestinationIPInput`]: {},
  [`${INPUTS}.DestinationPortInput`]: {},
  [`${INPUTS}.SourceIPInput`]: {},
  [`${INPUTS}.SourcePortInput`]: {},
  [`${INPUTS}.DirectSourceIPInput`]: {},
  [`${INPUTS}.SourceTypeInput`]: {},
  [`${INPUTS}.ServerNameInput`]: {},
  [`${INPUTS}.TransportProtocolInput`]: {},
  [`${INPUTS}.ApplicationProtocolInput`]: {},
};

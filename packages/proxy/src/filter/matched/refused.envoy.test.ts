/** What Envoy does not take of filters that matchers choose is refused by its field. */
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener } from '../../process/testing/bootstraps.ts';
import { compileListener } from '../../program/listener/compile.ts';
import { testDeps } from '../../program/testing/deps.ts';

const TYPE = 'type.googleapis.com/';
const any = (type: string, more: object = {}): object => ({
  name: 'x',
  typedConfig: { '@type': TYPE + type, ...more },
});
const MATCHING = 'envoy.extensions.common.matching.v3.ExtensionWithMatcher';
const COMPOSITE = 'envoy.extensions.filters.http.composite.v3';
const skip = any('envoy.extensions.filters.common.matcher.action.v3.SkipFilter');
const cors = any('envoy.extensions.filters.http.cors.v3.Cors');
const router = any('envoy.extensions.filters.http.router.v3.Router');

function tree(
  action: object,
  type = 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
  more: object = { headerName: 'x' },
): object {
  return { matcherTree: { input: any(type, more), exactMatchMap: { map: { a: { action } } } } };
}
const matched = (extensionConfig: object | undefined, xdsMatcher: object | undefined): object =>
  any(MATCHING, { extensionConfig, xdsMatcher });

const ofRoute = (type: string, more: object): object => ({
  match: { prefix: '/' },
  directResponse: { status: 200 },
  typedPerFilterConfig: { x: { '@type': TYPE + type, ...more } },
});
const bringing = (filter: object): object => tree(any(`${COMPOSITE}.ExecuteFilterAction`, { typedConfig: filter }));

test.each([
  ['no tree', ofRoute(`${COMPOSITE}.CompositePerRoute`, {}), 'matcher'],
  [
    'a composite filter from a route',
    ofRoute(`${COMPOSITE}.CompositePerRoute`, { matcher: bringing(any(`${COMPOSITE}.Composite`)) }),
    'action.typedConfig.typedConfig.typedConfig',
  ],
  [
    'a matched filter from a route',
    ofRoute(`${MATCHING}PerRoute`, { xdsMatcher: bringing(matched(cors, tree(skip))) }),
    'action.typedConfig.typedConfig.typedConfig',
  ],
])('%s', (_, route, field) => expectRefusal([route], [router], field));

test.each([
  ['no filter', matched(undefined, tree(skip)), 'extensionConfig'],
  [
    'nothing to execute',
    matched(any(`${COMPOSITE}.Composite`), tree(any(`${COMPOSITE}.ExecuteFilterAction`))),
    'action.typedConfig',
  ],
  [
    'an input without a name',
    matched(cors, tree(skip, 'envoy.type.matcher.v3.HttpRequestQueryParamMatchInput', {})),
    'queryParam',
  ],
  [
    'a chain without filters',
    any(`${COMPOSITE}.Composite`, { namedFilterChains: { a: {} } }),
    'namedFilterChains.a.typedConfig',
  ],
  [
    'a chain of an action without filters',
    any(`${COMPOSITE}.Composite`, { matcher: tree(any(`${COMPOSITE}.ExecuteFilterAction`, { filterChain: {} })) }),
    'filterChain.typedConfig',
  ],
  ['a filter that is none', matched(any('envoy.config.route.v3.Route'), tree(skip)), 'extensionConfig.typedConfig'],
])('%s', (_, filter, field) => expectRefusal([], [filter, router], field));

async function expectRefusal(routes: object[], httpFilters: object[], field: string): Promise<void> {
  const port = await freePort();
  const config = listener(port, [{ filters: [hcm(routes, { httpFilters })] }]);
  const { nacks = [] } = compileListener(config, testDeps);
  expect(nacks.map((nack) => nack.field).join()).toContain(field);
  await expect(startEnvoy(bootstrap([config], []))).rejects.toThrow('did not start');
}

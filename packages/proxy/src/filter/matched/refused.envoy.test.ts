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
  ['a filter that is none', matched(any('envoy.config.route.v3.Route'), tree(skip)), 'extensionConfig.typedConfig'],
])('%s', async (_, filter, field) => {
  const port = await freePort();
  const config = listener(port, [{ filters: [hcm([], { httpFilters: [filter, router] })] }]);
  const { nacks = [] } = compileListener(config, testDeps);
  expect(nacks.map((nack) => nack.field).join()).toContain(field);
  await expect(startEnvoy(bootstrap([config], []))).rejects.toThrow('did not start');
});

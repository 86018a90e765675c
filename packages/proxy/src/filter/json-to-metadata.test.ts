import { expect, test } from 'vitest';
import { hcm, listener } from '../process/testing/bootstraps.ts';
import { compileListener } from '../program/listener/compile.ts';
import { testDeps } from '../program/testing/deps.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.filters.http';
const selectors = [{ key: 'a' }];

test.each([
  [{ requestRules: { rules: [{ selectors }] } }, 'rules[0]'],
  [{ requestRules: { rules: [{ selectors, onMissing: { key: 'k' } }] } }, 'onMissing.value'],
  [{ requestRules: { rules: [{ selectors, onPresent: { key: 'k' }, onError: { key: 'k' } }] } }, 'onError.value'],
  [{ responseRules: { rules: [{ selectors, onPresent: { key: 'k' } }] } }, 'responseRules'],
])('refused: %j', (config, field) => {
  const filter = { name: 'j', typedConfig: { '@type': `${TYPE}.json_to_metadata.v3.JsonToMetadata`, ...config } };
  const router = { name: 'r', typedConfig: { '@type': `${TYPE}.router.v3.Router` } };
  const { nacks = [] } = compileListener(
    listener(80, [{ filters: [hcm([], { httpFilters: [filter, router] })] }]),
    testDeps,
  );
  expect(nacks.map((nack) => nack.field).join()).toContain(field);
});

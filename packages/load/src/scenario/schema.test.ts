import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readPlan } from './read.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const schema = JSON.parse(read('docs/reference/schemas/load-scenarios.schema.json')) as object;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
const documented = [...read('docs/reference/load.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);

test.each([
  ['the store', read('examples/store/load.yaml')] as const,
  ['its visitors', read('examples/store/visitors.yaml')] as const,
  ...documented.map((text, i) => [`example ${i + 1} of the documentation`, text] as const),
])('%s: taken by the schema, and read', (_name, text) => {
  expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  expect(readPlan('load.yaml', text).diagnostics).toEqual([]);
});

test('what the reader refuses the schema does, too', () => {
  const step = (more: string): string => `scenarios: { a: { steps: [{ url: /, ${more} }] } }`;
  const wrong = [
    'scenarios: {}',
    'rate: 0\nscenarios: { a: { steps: [{ url: / }] } }',
    'mode: calm\nscenarios: { a: { steps: [{ url: / }] } }',
    'variables: { a: { from: 1 } }\nscenarios: { a: { steps: [{ url: / }] } }',
    'scenarios: { a: { steps: [] } }',
    step('wait: 1s'),
    step('timeout: soon'),
    step('method: get'),
    step('capture: { a: id }'),
    step('expect: { json: { id: 1 } }'),
    step('think: { from: 1s }'),
  ];
  for (const text of wrong) {
    expect(validate(parse(text)), text).toBe(false);
    expect(readPlan('a', text).plan, text).toBeUndefined();
  }
});

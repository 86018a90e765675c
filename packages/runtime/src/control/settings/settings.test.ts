import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { load } from 'js-yaml';
import { repositoryRoot } from '@mizzen/testkit';
import { findSettings, readSettings } from './read.ts';
import { MIZZEN_YAML_SCHEMA } from './schema.ts';
import { settingsFor } from './types.ts';
import type { Settings } from './types.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-settings-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(file: string, text: string): string {
  const path = join(directory, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const read = (...files: string[]): Settings => readSettings(files, directory);

const GOOD = `workloads:
  catalog:
    run: node main.js
    dir: services/catalog
    watch: src
    requires: go
    build: [go, build, .]
    env: { LEVEL: debug, COUNT: 3 }
    engine: envoy
  orders.shop:
    run: [python3, -m, orders]
    containers:
      metrics: { run: external }
`;

test('says how workloads run, with paths relative to its own directory', () => {
  mkdirSync(join(directory, 'deep/services/catalog'), { recursive: true });
  const settings = read(write('deep/mizzen.yaml', GOOD));
  expect(settings.diagnostics).toEqual([]);
  expect(settingsFor(settings, 'any', 'catalog')?.main).toEqual({
    run: 'node main.js',
    dir: join(directory, 'deep/services/catalog'),
    base: join(directory, 'deep'),
    watch: ['src'],
    requires: ['go'],
    build: ['go', 'build', '.'],
    env: { LEVEL: 'debug', COUNT: '3' },
  });
  expect(settingsFor(settings, 'any', 'catalog')?.engine).toBe('envoy');
  expect(settingsFor(settings, 'shop', 'orders')?.engine).toBeUndefined();
  expect(settingsFor(settings, 'shop', 'orders')?.main?.run).toEqual(['python3', '-m', 'orders']);
  expect(settingsFor(settings, 'shop', 'orders')?.containers['metrics']?.run).toBe('external');
  expect(settingsFor(settings, 'other', 'orders')).toBeUndefined();
});

test('what is wrong is shown with its line and leaves the rest alone', () => {
  const text = `workloads:
  catalog:
    rum: node main.js
    dir: nowhere
  orders:
    run: 7
    env: { A: [1] }
  payment: { run: node pay.js }
extra: 1
`;
  const settings = read(write('mizzen.yaml', text));
  const rendered = settings.diagnostics.map((each) => renderDiagnostic(each, { source: () => text }).split('\n'));
  expect(rendered.map(([first]) => first)).toEqual([
    'error[MZ0110] mizzen.yaml:9:1  unknown field `extra`',
    'error[MZ0110] mizzen.yaml:3:5  unknown field `rum`',
    'error[MZ0110] mizzen.yaml:4:10  there is no directory `nowhere`',
    'error[MZ0110] mizzen.yaml:6:10  `run` must be a text or a list of texts, and not empty',
    'error[MZ0110] mizzen.yaml:7:15  environment variable `A` must be a text, a number or a boolean',
  ]);
  expect(rendered[1]?.at(-1)).toBe('  help: did you mean `run`?');
  expect(settingsFor(settings, 'x', 'payment')?.main?.run).toBe('node pay.js');
});

test('a directory that cannot even be looked for is none', () => {
  const text = `workloads: { a: { dir: "\\0" }, b: { dir: ${'x'.repeat(300)} } }\n`;
  const messages = read(write('mizzen.yaml', text)).diagnostics.map(({ message }) => message);
  expect(messages).toEqual([expect.stringMatching(/^there is no/), expect.stringMatching(/^there is no/)]);
});

test('a text that is no YAML is one diagnostic', () => {
  const { diagnostics } = read(write('mizzen.yaml', 'workloads:\n  a: [\n'));
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]?.span?.file).toBe('mizzen.yaml');
});

test('it is found in the directories given and below, beside files, and where the person stands', () => {
  const here = write('here/mizzen.yaml', '');
  const below = write('mesh/a/b/mizzen.yml', '');
  const beside = write('files/mizzen.yaml', '');
  write('files/all.yaml', '');
  write('mesh/node_modules/x/mizzen.yaml', '');
  write('elsewhere/mizzen.yaml', '');
  const found = findSettings(['../mesh', '../files/all.yaml', '../missing'], join(directory, 'here'));
  expect(found.toSorted()).toEqual([beside, here, below].toSorted());
});

test('the same workload in two files is an error; the first one counts', () => {
  const first = write('a/mizzen.yaml', 'workloads: { x: { run: first } }');
  const second = write('b/mizzen.yaml', 'workloads: { x: { run: second } }');
  const settings = read(first, second);
  expect(settings.diagnostics.map((each) => each.span?.file)).toEqual(['b/mizzen.yaml']);
  expect(settingsFor(settings, '', 'x')?.main?.run).toBe('first');
});

test('the published schema is this one, and agrees with what is read', () => {
  const published = readFileSync(join(repositoryRoot, 'docs/reference/schemas/mizzen-yaml.schema.json'), 'utf8');
  expect(JSON.parse(published)).toEqual(MIZZEN_YAML_SCHEMA);
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(MIZZEN_YAML_SCHEMA);
  mkdirSync(join(directory, 'services/catalog'), { recursive: true });
  const texts = [
    GOOD,
    '{}',
    'workloads: { a: { rum: x } }',
    'workloads: { a: { run: 7 } }',
    'workloads: { a: { run: [] } }',
    'workloads: { a: { run: [1] } }',
    'workloads: { a: { env: { A: [1] } } }',
    'workloads: { a: { watch: [1] } }',
    'workloads: { a: { requires: [1] } }',
    'workloads: { a: { build: [] } }',
    'workloads: { a: { build: 1 } }',
    'workloads: { a: { containers: { b: { containers: {} } } } }',
    'workloads: { a: { engine: nginx } }',
    'workloads: []',
    'other: 1',
  ];
  for (const text of texts) {
    const accepted = read(write('mizzen.yaml', text)).diagnostics.length === 0;
    expect([text, validate(load(text))]).toEqual([text, accepted]);
  }
});

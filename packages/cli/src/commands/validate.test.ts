import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'mizzen-validate-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function mizzen(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
  return spawnSync(process.execPath, [program, 'validate', ...args], { cwd: directory, input, encoding: 'utf8' });
}

const virtualService = (name: string, http: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}}\nspec:\n  hosts: [a]\n  http:\n${http}`;
const GOOD = virtualService('good', '  - route: [{destination: {host: b}}]\n');
const BAD = virtualService('bad', '  - route:\n    - destination: {hsot: b}\n');

test('valid resources: nothing on stdout, a remark, status 0', () => {
  writeFileSync(join(directory, 'mesh.yaml'), GOOD);
  writeFileSync(join(directory, 'compose.yaml'), 'services: {}\n');
  expect(mizzen(['.'])).toMatchObject({
    status: 0,
    stdout: '',
    stderr: 'not Kubernetes resources, passed over: compose.yaml\n1 resource: valid\n',
  });
});

test('a mistake: file, line, caret, help, status 1', () => {
  writeFileSync(join(directory, 'mesh.yaml'), `${GOOD}---\n${BAD}`);
  expect(mizzen(['mesh.yaml'])).toMatchObject({
    status: 1,
    stdout: [
      'error[MZ1001] mesh.yaml:16:21  `destination` has no field `hsot`',
      '  > 16 |     - destination: {hsot: b}',
      '       |                     ^^^^',
      '  help: did you mean `host`?',
      '',
    ].join('\n'),
    stderr: '2 resources: 1 error, 0 warnings\n',
  });
});

test('standard input, and a name used twice, which is a warning here: both are judged', () => {
  const { status, stdout } = mizzen(['-f', '-'], `${GOOD}---\n${GOOD}`);
  expect(status).toBe(0);
  expect(stdout).toContain('warning[MZ0007] <stdin>:');
  expect(mizzen(['-f', '-'], `${GOOD}---\n${BAD.replace('name: bad', 'name: good')}`).status).toBe(1);
});

test('a path that is not there is an error; no path at all a mistake in usage', () => {
  expect(mizzen(['nowhere.yaml'])).toMatchObject({ status: 1, stdout: expect.stringContaining('MZ0008') as string });
  expect(mizzen([]).status).toBe(2);
  expect(mizzen(['-o', 'xml', '.']).status).toBe(2);
});

test('warnings are about the engine that is named', () => {
  const plugin =
    'apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a}\nspec: {url: file:///a.wasm}\n';
  for (const args of [[], ['--engine', 'mizzen']]) expect(mizzen([...args, '-'], plugin).stdout).toContain('MZ1205');
  expect(mizzen(['--engine', 'envoy', '-'], plugin)).toMatchObject({ status: 0, stdout: '' });
  expect(mizzen(['--engine', 'nginx', '-'], plugin)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('unknown engine `nginx`') as string,
  });
});

test('as JSON it is what the published schema says', () => {
  const hpa = 'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\n';
  const { status, stdout } = mizzen(['-o', 'json', '-'], `a: 1\n---\n${hpa}---\n${BAD}`);
  const schema = readFileSync(join(repositoryRoot, 'docs/reference/schemas/validate.schema.json'), 'utf8');
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(schema) as object);
  const report = JSON.parse(stdout) as object;
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  expect(status).toBe(1);
  expect(report).toMatchObject({
    valid: false,
    resources: 1,
    diagnostics: [{ code: 'MZ1001', ref: { name: 'bad' }, at: 'key', span: { file: '<stdin>', line: 14 } }],
    leftAlone: [{ kind: 'HorizontalPodAutoscaler' }],
    passedOver: [{ file: '<stdin>', line: 1 }],
  });
});

test('a patch of an EnvoyFilter that Envoy would not take is an error, a field it does not know a warning', () => {
  const filter = (value: string): string =>
    `apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: a}\nspec:\n  configPatches:\n  - applyTo: CLUSTER\n    patch: {operation: ADD, value: {name: b, ${value}}}\n`;
  const wrong = mizzen(['-f', '-'], filter('connect_timeout: soon'));
  expect(wrong.status).toBe(1);
  expect(wrong.stdout).toContain('error[MZ1018] <stdin>:7:');
  const unknown = mizzen(['-f', '-'], filter('conect_timeout: 1s'));
  expect(unknown.status).toBe(0);
  expect(unknown.stdout).toContain('warning[MZ1208] <stdin>:7:');
});

test('what is wrong is told by file and line', () => {
  const filter = (name: string): string =>
    `apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: ${name}}\nspec:\n  configPatches:\n    - applyTo: CLUSTER\n      patch: {operation: MERGE, value: {conect_timeout: 1s}}\n`;
  writeFileSync(join(directory, 'b.yaml'), `${BAD}---\n${filter('b')}---\n${BAD.replace('name: bad', 'name: worse')}`);
  writeFileSync(join(directory, 'a.yaml'), `${filter('a')}---\n${BAD.replace('name: bad', 'name: first')}`);
  const { stdout } = mizzen(['b.yaml', 'a.yaml']);
  const places = [...stdout.matchAll(/^\w+\[MZ\d+\] (\S+?):(\d+):/gm)].map(([, file, line]) => [file, Number(line)]);
  expect(places.length).toBeGreaterThanOrEqual(5);
  expect(places).toEqual(
    places.toSorted(([a, x], [b, y]) => (a === b ? Number(x) - Number(y) : String(a) < String(b) ? -1 : 1)),
  );
  expect(new Set(places.map(([file]) => file))).toEqual(new Set(['a.yaml', 'b.yaml']));
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { repositoryRoot } from '@mizzen/testkit';
import { command } from '../commands/explain.ts';
import { parse } from '../parse.ts';
import type { ExplanationReport } from '@mizzen/runtime/explain/report.ts';

const store = join(repositoryRoot, 'examples/store');

async function run(
  ...args: string[]
): Promise<{ readonly out: string; readonly err: string; readonly status: number }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const { positionals, values } = parse(command, [...args, '--config', store]);
  const status = await command.run({ positionals, values, out, err, color: false });
  out.end();
  err.end();
  return { out: await text(out), err: await text(err), status };
}
async function report(...args: string[]): Promise<ExplanationReport> {
  return JSON.parse((await run(...args, '-o', 'json')).out) as ExplanationReport;
}
const sources = (explanation: ExplanationReport, kind: string): string[] =>
  explanation.steps
    .filter((step) => step.kind === kind && step.matched === true)
    .map((step) => `${step.source?.kind} ${step.source?.name} ${step.source?.field}`);

test('every step of a request has the line of YAML that it comes from', async () => {
  const { out, err, status } = await run('GET http://catalog:8080/products', '--from', 'orders', '-H', 'x-user: beta');
  expect([status, err]).toEqual([0, '']);
  const line = (file: string, needle: string): string => {
    const lines = readFileSync(join(store, file), 'utf8').split('\n');
    return `${join(store, file)}:${lines.findIndex((each) => each.includes(needle)) + 1}`;
  };
  const step = (start: RegExp): string | undefined => out.split('\n').find((each) => start.test(each));
  expect(step(/✓ route \d+ "beta" matches/)).toContain(line('mesh/catalog.yaml', '- name: beta'));
  expect(step(/mutual TLS as spiffe:\/\/cluster\.local\/ns\/store\/sa\/orders/)).toContain(
    'spiffe://cluster.local/ns/store/sa/catalog',
  );
  expect(step(/✗ policy .*allow-nothing/)).toContain(line('mesh/authorization.yaml', 'spec: {}'));
  expect(out.trimEnd().split('\n').at(-1)).toBe('→ it reaches the application catalog-v2.store, port 8080');
});

test('a workload that calls itself is let in, or not, as anybody else is', async () => {
  const explanation = await report('GET http://orders:8080/orders', '--from', 'orders');
  expect([explanation.client, explanation.server]).toEqual([
    expect.stringMatching(/^orders\.store /),
    explanation.client,
  ]);
  expect(explanation.verdict).toMatchObject({ reached: false, status: 403, body: 'RBAC: access denied' });
  expect(new Set(explanation.steps.map(({ side }) => side))).toEqual(new Set(['client', 'server']));
});

test('weights are decided by --chance', async () => {
  const verdict = async (chance: string): Promise<string> =>
    (await report('GET http://catalog:8080/products', '--from', 'orders', '--chance', chance)).verdict.text;
  expect(await verdict('0.5')).toContain('catalog-v1.store');
  expect(await verdict('0.95')).toContain('catalog-v2.store');
});

test('a refusal names the policy and what it wanted', async () => {
  const explanation = await report('GET http://payment:8080/payment/1', '--from', 'storefront');
  expect(explanation.verdict).toMatchObject({ reached: false, status: 403, body: 'RBAC: access denied' });
  const denied = explanation.steps.find(
    (step) => step.matched === false && step.source?.kind === 'AuthorizationPolicy' && step.source.name === 'payment',
  );
  expect(denied).toMatchObject({
    side: 'server',
    source: { namespace: 'store', field: 'spec.rules.0' },
  });
});

test('a request from outside enters the gateway that has the port', async () => {
  for (const url of ['http://localhost:8080/products', 'http://localhost/products']) {
    const explanation = await report(url);
    expect(explanation.client).toMatch(/^istio-ingressgateway\.istio-system /);
    expect(sources(explanation, 'route')[0]).toBe('VirtualService store spec.http.2');
    expect(explanation.verdict.reached).toBe(true);
  }
});

test('what is not in the registry stays inside', async () => {
  const explanation = await report('GET http://nowhere.example/', '--from', 'orders');
  expect(explanation).toMatchObject({ server: '', verdict: { reached: false, status: 502 } });
});

test('-o json is as its schema says', async () => {
  const schema = readFileSync(join(repositoryRoot, 'docs/reference/schemas/explain.schema.json'), 'utf8');
  const validate = new Ajv2020({ strict: true }).compile(JSON.parse(schema) as object);
  for (const args of [
    ['http://localhost:8080/'],
    ['POST http://localhost:8080/inventory/1/update'],
    ['https://cards.example.com/', '--from', 'orders'],
  ]) {
    expect(validate(await report(...args)), JSON.stringify(validate.errors)).toBe(true);
  }
});

test('whom it does not know or cannot tell apart is a mistake of usage', async () => {
  await expect(run('http://catalog:8080/', '--from', 'nobody')).rejects.toThrow('no workload `nobody`');
  await expect(run('http://catalog:8080/', '--from', 'catalog')).rejects.toThrow(
    '`catalog` could be catalog-v1.store, catalog-v2.store',
  );
  await expect(run('http://catalog:8080/', '--from', 'orders.elsewhere')).rejects.toThrow('no workload');
  await expect(run('http://localhost:1/')).rejects.toThrow('no gateway listens on port 1');
  await expect(run('ftp://catalog/')).rejects.toThrow('not an HTTP URL');
  await expect(run('http://a/', '-H', 'x')).rejects.toThrow('`x` is not NAME: VALUE');
});

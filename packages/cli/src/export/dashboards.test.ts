import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Dashboards against the types that Grafana publishes, which are generated from its schemas. */

const SCHEMA = join(dirname(createRequire(import.meta.url).resolve('@grafana/schema/package.json')), 'dist/types/raw');
const EXAMPLE = 'examples/observatory/grafana/dashboards/microservices-overview.json';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-dashboards-'));
  execFileSync(process.execPath, [join(repositoryRoot, 'packages/cli/bin/mizzen.mjs'), 'export', 'grafana', folder]);
  writeFileSync(join(folder, 'dashboard.d.ts'), open(join(SCHEMA, 'dashboard/x/types.gen.d.ts')));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The types of a file. In JSON a member of an enumeration is its value. */
function open(file: string): string {
  const values = new Map<string, string>();
  const types = readFileSync(file, 'utf8').replaceAll(
    /^export declare enum (\w+) \{([^}]*)\}/gm,
    (_, name: string, members: string) => {
      const found = [...members.matchAll(/(\w+) = ("[^"]*"|-?\d+)/g)];
      for (const [, member, value] of found) values.set(`${name}.${member}`, value!);
      return `export type ${name} = ${found.map(([, , value]) => value).join(' | ')};`;
    },
  );
  return types.replaceAll(/\b[A-Z]\w+\.\w+\b/g, (name) => values.get(name) ?? name);
}

/** What TypeScript has against dashboards, each written as the literal that it is. */
function complaints(...all: readonly string[]): string {
  const file = join(folder, 'checked.ts');
  const each = all.map((json, i) => `export const dashboard${i}: Dashboard = ${json};\n`);
  writeFileSync(file, `import type { Dashboard } from './dashboard.d.ts';\n${each.join('')}`);
  const tsc = join(repositoryRoot, 'node_modules/.bin/tsc');
  const args = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', '', file];
  const { status, stdout } = spawnSync(tsc, [...args, '--allowImportingTsExtensions'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return status === 0 ? '' : stdout;
}

test('every dashboard is what Grafana’s schema wants', () => {
  const own = globSync('**/dashboards/*.json', { cwd: folder }).map((file) => join(folder, file));
  const example = join(repositoryRoot, EXAMPLE);
  expect(own).toHaveLength(4);
  expect(complaints(...[...own, example].map((file) => readFileSync(file, 'utf8')))).toBe('');
});

test('every dashboard asks the data source that is chosen above it, and has panels of their own numbers', () => {
  const files = globSync('**/dashboards/*.json', { cwd: folder }).map((file) => join(folder, file));
  for (const file of [...files, join(repositoryRoot, EXAMPLE)]) {
    const text = readFileSync(file, 'utf8');
    const { uid, panels, templating } = JSON.parse(text) as {
      uid: string;
      panels: { id: number }[];
      templating: { list: { name: string; type: string; query: unknown }[] };
    };
    expect(uid, file).not.toBe('');
    expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const asked = [...text.matchAll(/"datasource": \{\s*"type": "prometheus",\s*"uid": "([^"]*)"/g)].map(
      ([, id]) => id,
    );
    expect([asked.length > panels.length, new Set(asked)], file).toEqual([true, new Set(['${datasource}'])]);
    expect(new Set(panels.map(({ id }) => id)).size, file).toBe(panels.length);
  }
});

test('exemplars lead to their traces, in provisioning that Grafana expands', () => {
  const file = readFileSync(join(folder, 'provisioning/datasources/mizzen.yaml'), 'utf8');
  expect(file).toContain('url: http://127.0.0.1:15080/#/trace?id=$${__value.raw}\n');
  expect(readFileSync(join(folder, 'dashboards/mizzen-service.json'), 'utf8')).toContain('"exemplar": true');
});

test('what is not in the schema, or has no value of its own, is found', () => {
  const panel = { type: 'stat', fieldConfig: { defaults: {}, overrides: [] } };
  const thresholds = { mode: 'abs', steps: [] };
  const said = complaints(
    JSON.stringify({ schemaVersion: 39, panels: [panel] }),
    JSON.stringify({ schemaVersion: 39, panels: [{ ...panel, titel: 'x' }] }),
    JSON.stringify({
      schemaVersion: 39,
      panels: [{ ...panel, fieldConfig: { defaults: { thresholds }, overrides: [] } }],
    }),
    JSON.stringify({ panels: [] }),
  );
  const lines = said.split('\n').filter((line) => line.startsWith('checked.ts('));
  expect(lines.map((line) => /^checked\.ts\((\d+)/.exec(line)?.[1])).toEqual(['3', '4', '5']);
  for (const word of ['titel', '"abs"', 'schemaVersion']) expect(said).toContain(word);
});

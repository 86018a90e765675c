import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFiles } from '@mizzen/sources';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leftOut } from './left-out.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mizzen-left-out-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const told = async (): Promise<string[]> =>
  leftOut(await readFiles([folder])).map((line) => line.replaceAll(`${folder}/`, ''));

test('files of other tools are told of only where there is nothing else', async () => {
  write('compose.yaml', 'services: { web: { image: nginx } }\n');
  write('package.json', '{ "name": "web" }\n');
  expect(await told()).toEqual([
    'not Kubernetes resources, passed over: compose.yaml (a compose file), package.json (an npm package)',
  ]);
  write('web.yaml', 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n');
  expect(await told()).toEqual([]);
});

test('what may have been meant as a resource is told of', async () => {
  write('web.yaml', 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n');
  write('api.yaml', 'kind: Deployment\nmetadata: { name: api }\n');
  write('values.yaml', 'replicas: 3\n');
  expect(await told()).toEqual(['not Kubernetes resources, passed over: api.yaml, values.yaml']);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AS_ISTIOD, readFiles } from './read.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mizzen-read-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const SERVICE = (ports: string): string => `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: ${ports}}
`;

test("as istiod: what only a webhook or Kubernetes' API would refuse is in force, and said", async () => {
  const file = join(folder, 'mesh.yaml');
  writeFileSync(file, SERVICE('[{name: http, port: 80}, {name: http, port: 81}]'));
  const strict = await readFiles([file]);
  expect(strict.snapshot.list('Service')).toEqual([]);
  const { snapshot, diagnostics } = await readFiles([file], AS_ISTIOD);
  expect(snapshot.list('Service').map(({ metadata }) => metadata.name)).toEqual(['web']);
  expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([['MZ1015', 'error']]);
});

test('as istiod: what cannot be read at all is still left out', async () => {
  const file = join(folder, 'mesh.yaml');
  writeFileSync(file, SERVICE('[{name: http, port: eighty}]'));
  expect((await readFiles([file], AS_ISTIOD)).snapshot.list('Service')).toEqual([]);
});

test("without a mesh configuration: what an installation writes, or istiod's own defaults", async () => {
  const file = join(folder, 'mesh.yaml');
  writeFileSync(file, SERVICE('[{port: 80}]'));
  expect((await readFiles([file])).snapshot.mesh.defaultProviders).toEqual({ metrics: ['prometheus'] });
  expect((await readFiles([file], AS_ISTIOD)).snapshot.mesh.defaultProviders).toEqual({});
});

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AS_ISTIOD, readFiles } from './read.ts';
import { watchFiles } from './watch.ts';

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

test('a link to itself is passed over, as one to nothing is', async () => {
  writeFileSync(join(folder, 'mesh.yaml'), SERVICE('[{port: 80}]'));
  symlinkSync('self.yaml', join(folder, 'self.yaml'));
  symlinkSync('nowhere.yaml', join(folder, 'nothing.yaml'));
  const { snapshot, diagnostics } = await readFiles([folder]);
  expect(snapshot.list('Service').map(({ metadata }) => metadata.name)).toEqual(['web']);
  expect(diagnostics).toEqual([]);
  const named = await readFiles([join(folder, 'self.yaml')]);
  expect(named.diagnostics.map(({ message }) => message)).toEqual([expect.stringContaining('there is no file')]);
});

// Root may read everything.
test.skipIf(process.getuid?.() === 0)(
  'a directory that may not be read is said, and what is beside it is read',
  async () => {
    writeFileSync(join(folder, 'mesh.yaml'), SERVICE('[{port: 80}]'));
    mkdirSync(join(folder, 'closed'), { mode: 0o000 });
    const watching = await watchFiles([folder], { after: () => () => undefined }, () => undefined);
    watching.close();
    const { first } = watching;
    expect(first.snapshot.list('Service').map(({ metadata }) => metadata.name)).toEqual(['web']);
    expect(first.diagnostics.map(({ message }) => message)).toEqual([
      `cannot read \`${join(folder, 'closed')}\`: EACCES`,
    ]);
  },
);

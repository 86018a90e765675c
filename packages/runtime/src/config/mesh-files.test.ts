import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MeshFiles, versionOf } from './mesh-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'mizzen-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(process.platform === 'win32')('what does not fit on the disk replaces nothing, and leaves nothing', () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, 'a: 1\n');
  const program = `
    import { MeshFiles } from ${JSON.stringify(join(import.meta.dirname, 'mesh-files.ts'))};
    const answer = new MeshFiles([${JSON.stringify(folder)}], undefined)
      .write(${JSON.stringify(file)}, '# more\\n'.repeat(10_000), ${JSON.stringify(versionOf('a: 1\n'))});
    console.log(JSON.stringify(answer));`;
  // Files of this shell are not longer than a few kilobytes: what is more is refused, after a part was taken.
  const limited = 'trap "" XFSZ; ulimit -f 16; exec "$0" --input-type=module-typescript -e "$1"';
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', limited, process.execPath, program], { encoding: 'utf8' });
  expect(stdout, stderr).toContain('not-writable');
  expect(readFileSync(file, 'utf8')).toBe('a: 1\n');
  expect(readdirSync(folder)).toEqual(['a.yaml']);
});

test.skipIf(process.platform === 'win32')('a file that is read-only is not replaced', () => {
  const file = join(folder, 'kept.yaml');
  const before = readdirSync(folder).length;
  writeFileSync(file, 'a: 1\n', { mode: 0o444 });
  const files = new MeshFiles([folder], undefined);
  expect(files.read(file)?.writable).toBe(false);
  expect(files.write(file, 'a: 2\n', versionOf('a: 1\n'))).toMatchObject({ code: 'not-writable' });
  expect(readFileSync(file, 'utf8')).toBe('a: 1\n');
  chmodSync(file, 0o644);
  expect(files.write(file, 'a: 2\n', versionOf('a: 1\n'))).toEqual({ version: versionOf('a: 2\n') });
  expect(readFileSync(file, 'utf8')).toBe('a: 2\n');
  expect(readdirSync(folder)).toHaveLength(before + 1);
});

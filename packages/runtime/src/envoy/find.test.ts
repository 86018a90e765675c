import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findEnvoy, type FindOptions, OLDEST } from './find.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-find-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}
const says = (version: string): string => `echo "envoy  version: 5d3e8b1fa0c4/${version}/Clean/RELEASE/BoringSSL"`;
const find = (options: Partial<FindOptions>) =>
  findEnvoy({ asked: undefined, cwd: folder, environment: { PATH: '' }, tools: join(folder, 'none'), ...options });

test('the one that is asked for, then $ENVOY, the tool folder, the path', async () => {
  const asked = program('asked', says('1.41.0'));
  const own = program('own', says('1.42.1'));
  program('tools/envoy/envoy/_bin/envoy', says('1.43.0'));
  const onPath = program('bin/envoy', says('1.44.0'));
  const everything = {
    asked: 'asked',
    environment: { ENVOY: own, PATH: join(folder, 'bin') },
    tools: join(folder, 'tools'),
  };
  expect(await find(everything)).toEqual({ path: asked, version: '1.41.0' });
  expect(await find({ ...everything, asked: undefined })).toEqual({ path: own, version: '1.42.1' });
  const { PATH } = everything.environment;
  expect(await find({ environment: { PATH }, tools: everything.tools })).toMatchObject({ version: '1.43.0' });
  expect(await find({ environment: { PATH: `/nonexistent:${PATH}` } })).toEqual({ path: onPath, version: '1.44.0' });
});

test('what is missing, does not run or is something else is said with what to do', async () => {
  const advice = '`npm run tools` puts one into .tools, `--envoy PATH` names another';
  await expect(find({})).rejects.toThrow(`there is no Envoy on this machine; ${advice}`);
  await expect(find({ asked: 'nowhere' })).rejects.toThrow('--envoy: there is no file `nowhere`');
  writeFileSync(join(folder, 'text'), 'text');
  await expect(find({ asked: 'text' })).rejects.toThrow('--envoy: `text` is not a program that may be run');
  const broken = program('broken', 'echo "error while loading shared libraries: libm.so.6" >&2; exit 127');
  await expect(find({ asked: broken })).rejects.toThrow(
    `\`${broken}\` does not run: error while loading shared libraries: libm.so.6; ${advice}`,
  );
  const other = program('other', 'echo "nginx version: nginx/1.22.1"');
  await expect(find({ asked: other })).rejects.toThrow(`\`${other}\` is not Envoy`);
  const old = program('old', says('1.9.10'));
  await expect(find({ asked: old })).rejects.toThrow(`is Envoy 1.9.10, and Mizzen needs ${OLDEST} or newer`);
});

test('the real one', async () => {
  const link = join(folder, 'link');
  symlinkSync(envoyBinary(), link);
  expect((await find({ asked: link })).version).toMatch(/^1\.\d+\.\d+$/);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFiles } from '@mizzen/sources';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LastGood } from './last-good.ts';

const service = (name: string): string =>
  `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {ports: [{port: 80}]}}\n`;
let directory: string;
let problems: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-last-good-'));
  problems = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const lastGood = (): LastGood => new LastGood(join(directory, 'state/good.json'), (text) => problems.push(text));
async function read(text: string): ReturnType<typeof readFiles> {
  writeFileSync(join(directory, 'mesh.yaml'), text);
  return readFiles([join(directory, 'mesh.yaml')], {});
}

test('what cannot be kept is told, ends nothing, and is kept once it can be', async () => {
  const good = await read(service('web'));
  const first = lastGood();
  first.save(good.snapshot);
  expect(problems).toEqual([expect.stringContaining('ENOENT')]);
  mkdirSync(join(directory, 'state'));
  first.save(good.snapshot);
  expect(problems).toHaveLength(1);
  const restored = lastGood().restore(await read('kind: ['));
  expect(restored.map(({ metadata }) => metadata.name)).toEqual(['web']);
});

test('what is taken out of a file stays out, whatever else of the file is wrong', async () => {
  const wrong = '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: many}]}}\n';
  mkdirSync(join(directory, 'state'));
  lastGood().save((await read(`${service('web')}---\n${service('api')}`)).snapshot);
  const restored = lastGood().restore(await read(wrong));
  expect(restored.map(({ metadata }) => metadata.name)).toEqual(['web']);
});

test('what was in a place that cannot be looked at is restored', async () => {
  mkdirSync(join(directory, 'state'));
  const good = await read(service('web'));
  lastGood().save(good.snapshot);
  const nothing = await readFiles([], {});
  expect(lastGood().restore(nothing)).toEqual([]);
  const restored = lastGood().restore({ ...nothing, closed: [directory] });
  expect(restored.map(({ metadata }) => metadata.name)).toEqual(['web']);
});

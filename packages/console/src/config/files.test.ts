import { expect, test } from 'vitest';
import type { ConfigStatus } from '../api.ts';
import { commonDirectory, listed, opening } from './files.ts';

const FILES = ['/home/a/shop/compose.yaml', '/home/a/shop/k8s/orders.yaml', '/home/a/shop/mesh/routes.yaml'];
const status = (...bad: readonly (readonly [string, 'error' | 'warning'])[]): ConfigStatus =>
  ({
    resources: [{ source: `${FILES[1]}:1` }, { source: `${FILES[1]}:12` }],
    diagnostics: bad.map(([file, severity]) => ({ file, severity })),
  }) as unknown as ConfigStatus;

test('files are named from the directory that they have in common', () => {
  expect(commonDirectory(FILES)).toBe('/home/a/shop/');
  expect(commonDirectory(['mesh/a.yaml'])).toBe('mesh/');
  expect(commonDirectory(['a.yaml', 'mesh/a.yaml'])).toBe('');
  expect(commonDirectory(['meshes/a.yaml', 'mesh/a.yaml'])).toBe('');
  expect(commonDirectory([])).toBe('');
  expect(commonDirectory(['/shop/a.yaml', '/mesh/a.yaml'])).toBe('/');
  expect(commonDirectory(['/shop/a.yaml', 'mesh/a.yaml'])).toBe('');
  expect(commonDirectory(['/a.yaml', 'mesh/a.yaml'])).toBe('');
  expect(listed(FILES, undefined).map(({ name }) => name)).toEqual([
    'compose.yaml',
    'k8s/orders.yaml',
    'mesh/routes.yaml',
  ]);
});

test('what is wrong is opened first, else what the mesh takes something from', () => {
  expect(opening(listed(FILES, status()))).toBe(FILES[1]);
  expect(opening(listed(FILES, status([FILES[2]!, 'warning'])))).toBe(FILES[1]);
  expect(opening(listed(FILES, status([FILES[2]!, 'error'])))).toBe(FILES[2]);
  expect(opening(listed(FILES, undefined))).toBe(FILES[0]);
  expect(opening([])).toBe('');
  const errors = listed(FILES, status([FILES[2]!, 'error'], [FILES[2]!, 'error'], [FILES[2]!, 'warning']));
  expect(errors[2]).toMatchObject({ errors: 2, warnings: 1, inMesh: true });
});

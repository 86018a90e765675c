import { expect, test } from 'vitest';
import { buildSnapshot } from './build-snapshot.ts';
import { parseDocuments } from './documents.ts';

const service = (name: string, created?: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: n${created ? `, creationTimestamp: "${created}"` : ''}}\n`;
const names = (...documents: string[]): string[] =>
  buildSnapshot(parseDocuments('a', documents.join('---\n')).resources, { version: 1 })
    .snapshot.list('Service')
    .map((s) => s.metadata.name);

test('resources are listed in the order of reading, or of creation when all of a kind have one', () => {
  expect(names(service('b'), service('a'))).toEqual(['b', 'a']);
  expect(names(service('b', '2024-01-02T00:00:00Z'), service('a', '2024-01-01T00:00:00Z'))).toEqual(['a', 'b']);
  expect(names(service('b', '2024-01-02T00:00:00Z'), service('a', '2024-01-02T00:00:00Z'))).toEqual(['a', 'b']);
  expect(names(service('b', '2024-01-02T00:00:00Z'), service('a'))).toEqual(['b', 'a']);
});

test('resources are found by kind, namespace and name', () => {
  const { resources } = parseDocuments(
    'a',
    `${service('a')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n`,
  );
  const { snapshot } = buildSnapshot(resources, { version: 7 });
  expect(snapshot.version).toBe(7);
  expect(snapshot.get('Service', 'n', 'a')).toBe(resources[0]);
  expect(snapshot.get('Service', 'other', 'a')).toBeUndefined();
  expect(snapshot.find({ kind: 'Namespace', namespace: '', name: 'n' })).toBe(resources[1]);
  expect(snapshot.list('Gateway')).toEqual([]);
});

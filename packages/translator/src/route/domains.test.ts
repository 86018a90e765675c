import { expect, test } from 'vitest';
import { createContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { shortNames } from './domains.ts';

const model = modelOf('apiVersion: v1\nkind: Service\nmetadata: { name: db }\nspec: { ports: [{ port: 80 }] }\n');
const from = (metadata = {}) => createContext(model, sidecar(metadata));

test('a service is known by its name within its namespace', () => {
  for (const context of [from(), from({ MIZZEN: {} })]) {
    expect(shortNames(context, 'db.default.svc.cluster.local')).toEqual(['db', 'db.default.svc', 'db.default']);
    expect(shortNames(context, 'db.other.svc.cluster.local')).toEqual(['db.other', 'db.other.svc']);
    expect(shortNames(context, 'example.com')).toEqual([]);
  }
});

test('on one machine so is a pod of a StatefulSet, whose name has two parts', () => {
  const hostname = 'db-0.db.default.svc.cluster.local';
  expect(shortNames(from({ MIZZEN: {} }), hostname)).toEqual(['db-0.db', 'db-0.db.default.svc', 'db-0.db.default']);
});

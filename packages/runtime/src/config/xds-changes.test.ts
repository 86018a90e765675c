import { expect, test } from 'vitest';
import { type Pair, XdsChanges } from './xds-changes.ts';

const cluster = (name: string, connectTimeout = '1s'): { name: string; connectTimeout: string } => ({
  name,
  connectTimeout,
});
const resources = (clusters: Pair['after']['clusters']): Pair['after'] => ({
  listeners: [],
  routes: [],
  clusters,
  endpoints: [],
  extensions: [],
});
const changesOf = (before: Pair['before'], after: Pair['after']): unknown[] => {
  const changes = new XdsChanges();
  changes.add({ node: 'n', before, after });
  return changes.all.map(({ type, name, change }) => [type, name, change]);
};

test('what is added, removed and modified, wherever it stands in the list', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => cluster(name));
  const before = resources([a!, b!, c!]);
  expect(changesOf(before, resources([a!, b!, c!]))).toEqual([]);
  expect(changesOf(before, resources([cluster('a'), cluster('b'), cluster('c')]))).toEqual([]);
  expect(changesOf(before, resources([c!, b!, a!]))).toEqual([]);
  expect(changesOf(before, resources([a!, cluster('b', '2s'), c!]))).toEqual([['cluster', 'b', 'modified']]);
  expect(changesOf(before, resources([d!, a!, b!, c!]))).toEqual([['cluster', 'd', 'added']]);
  expect(changesOf(before, resources([a!, b!]))).toEqual([['cluster', 'c', 'removed']]);
  expect(changesOf(before, resources([b!, cluster('c', '2s'), d!]))).toEqual([
    ['cluster', 'a', 'removed'],
    ['cluster', 'c', 'modified'],
    ['cluster', 'd', 'added'],
  ]);
  expect(changesOf(undefined, before)).toEqual([
    ['cluster', 'a', 'added'],
    ['cluster', 'b', 'added'],
    ['cluster', 'c', 'added'],
  ]);
  expect(changesOf(before, resources([]))).toEqual([
    ['cluster', 'a', 'removed'],
    ['cluster', 'b', 'removed'],
    ['cluster', 'c', 'removed'],
  ]);
});

test('a change that is the same for several proxies is one, whether they share lists, resources or neither', () => {
  const [old, shared] = [[cluster('a')], [cluster('a', '2s')]];
  const changes = new XdsChanges();
  changes.add({ node: '1', before: resources(old), after: resources(shared) });
  changes.add({ node: '2', before: resources(old), after: resources(shared) });
  changes.add({ node: '3', before: resources([...old]), after: resources([...shared]) });
  changes.add({ node: '4', before: resources([cluster('a')]), after: resources([cluster('a', '2s')]) });
  changes.add({ node: '5', before: resources(old), after: resources([cluster('a', '3s')]) });
  changes.add({ node: '6', before: resources(old), after: resources([cluster('a')]) });
  expect(changes.all).toMatchObject([
    { change: 'modified', before: cluster('a'), after: cluster('a', '2s'), nodes: ['1', '2', '3', '4'] },
    { change: 'modified', after: cluster('a', '3s'), nodes: ['5'] },
  ]);
});

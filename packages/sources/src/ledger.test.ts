import { expect, test } from 'vitest';
import { Ledger } from './ledger.ts';
import type { ReadResult } from './ledger.ts';

function virtualService(name: string, timeout = '1s', extra = ''): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
spec:
  hosts: [${name}]
  http:
  - route: [{destination: {host: ${name}}}]
    timeout: ${timeout}
${extra}`;
}
const join = (...documents: string[]): string => documents.join('---\n');
const names = (result: ReadResult): string[] => result.snapshot.list('VirtualService').map((r) => r.metadata.name);
const timeouts = (result: ReadResult): unknown[] =>
  result.snapshot.list('VirtualService').map((r) => r.spec.http?.[0]?.timeout);
const codes = (result: ReadResult): string[] => result.diagnostics.map((d) => d.code);

test('unchanged resources stay the identical objects when something is inserted before them', () => {
  const ledger = new Ledger();
  const first = ledger.update([{ file: 'a.yaml', text: join(virtualService('a'), virtualService('b')) }]);
  const [a, b] = first.snapshot.list('VirtualService');
  const text = `# a comment\n${join(virtualService('a'), virtualService('c'), virtualService('b'))}`;
  const second = ledger.update([{ file: 'a.yaml', text }]);
  expect(names(second)).toEqual(['a', 'c', 'b']);
  expect(second.snapshot.list('VirtualService')[2]).toBe(b);
  expect(b?.source.firstLine).toBe(21);
  expect(second.snapshot.version).toBe(2);
  expect(second.changed).toMatchObject({ added: [{ name: 'c' }], modified: [], removed: [] });
  // The comment made the first document another text, but its values are the same ones.
  expect(second.snapshot.list('VirtualService')[0]?.spec).toBe(a?.spec);
});

test('the order is that of reading, whatever happened before', () => {
  const ledger = new Ledger();
  const files = ['d', 'b', 'a', 'c'].map((name) => ({ file: `${name}.yaml`, text: virtualService(name) }));
  ledger.update(files.slice(0, 1));
  ledger.update(files.slice(0, 3));
  expect(names(ledger.update(files.toReversed()))).toEqual(['c', 'a', 'b', 'd']);
  expect(names(ledger.update(files))).toEqual(['d', 'b', 'a', 'c']);
});

test('inserting again and again between the same two never runs out of room', () => {
  const ledger = new Ledger();
  const files = [
    { file: 'a', text: virtualService('first') },
    { file: 'z', text: virtualService('last') },
  ];
  ledger.update(files);
  for (let i = 0; i < 200; i++) {
    files.splice(1, 0, { file: `n${i}`, text: virtualService(`n${i}`) });
    ledger.update(files);
  }
  expect(names(ledger.update(files)).slice(0, 3)).toEqual(['first', 'n199', 'n198']);
});

test('a bad version of a resource is reported and its last good one stays; the others are applied', () => {
  const ledger = new Ledger();
  ledger.update([{ file: 'a.yaml', text: join(virtualService('a'), virtualService('b')) }]);
  const text = join(virtualService('a', 'soon'), virtualService('b', '2s'));
  const result = ledger.update([{ file: 'a.yaml', text }]);
  expect(timeouts(result)).toEqual(['1s', '2s']);
  expect(result.keptLastGood).toMatchObject([{ name: 'a' }]);
  expect(result.changed).toMatchObject({ added: [], modified: [{ name: 'b' }], removed: [] });
  expect(result.diagnostics).toMatchObject([{ code: 'MZ1004', span: { file: 'a.yaml', line: 9, column: 14 } }]);
  const mended = ledger.update([{ file: 'a.yaml', text: join(virtualService('a', '3s'), virtualService('b', '2s')) }]);
  expect(timeouts(mended)).toEqual(['3s', '2s']);
  expect(mended.keptLastGood).toEqual([]);
  expect(mended.diagnostics).toEqual([]);
});

test('a resource that never was good is refused', () => {
  const result = new Ledger().update([{ file: 'a.yaml', text: virtualService('a', 'soon') }]);
  expect(names(result)).toEqual([]);
  expect(result.refused).toMatchObject([{ kind: 'VirtualService', name: 'a' }]);
});

test('a file that does not parse keeps what it gave, in its place', () => {
  const ledger = new Ledger();
  const c = { file: 'c.yaml', text: virtualService('c') };
  ledger.update([{ file: 'a.yaml', text: join(virtualService('a'), virtualService('b')) }, c]);
  const broken = { file: 'a.yaml', text: join('apiVersion: [\n', virtualService('b', '2s')) };
  const result = ledger.update([broken, c]);
  expect(codes(result)).toEqual(['MZ0001']);
  expect(names(result)).toEqual(['a', 'b', 'c']);
  expect(timeouts(result)).toEqual(['1s', '2s', '1s']);
  expect(result.keptLastGood).toMatchObject([{ name: 'a' }]);
  const mended = ledger.update([{ file: 'a.yaml', text: virtualService('b', '2s') }, c]);
  expect(names(mended)).toEqual(['b', 'c']);
  expect(mended.changed.removed).toMatchObject([{ name: 'a' }]);
});

test('the same resource in two places is an error that names both; the one in force stays', () => {
  const ledger = new Ledger();
  ledger.update([{ file: 'b.yaml', text: virtualService('x', '2s') }]);
  const files = [
    { file: 'a.yaml', text: virtualService('x', '1s') },
    { file: 'b.yaml', text: virtualService('x', '2s') },
  ];
  const result = ledger.update(files);
  expect(timeouts(result)).toEqual(['2s']);
  expect(result.diagnostics).toMatchObject([{ code: 'MZ0007', span: { file: 'a.yaml', line: 4 } }]);
  expect(result.diagnostics[0]?.help).toContain('b.yaml:4');
  expect(timeouts(new Ledger().update(files))).toEqual(['1s']);
});

test('nothing but a comment gives the same snapshot', () => {
  const ledger = new Ledger();
  const { snapshot } = ledger.update([{ file: 'a.yaml', text: `${virtualService('a')}---\n${virtualService('b')}` }]);
  const text = `${virtualService('a')}---\n${virtualService('b')}---\n# the end\n`;
  expect(ledger.update([{ file: 'a.yaml', text }]).snapshot).toBe(snapshot);
});

test('a mesh configuration with a mistake keeps the last good one in force', () => {
  const ledger = new Ledger();
  ledger.update([], { file: 'mesh.yaml', text: 'accessLogFile: /dev/stdout\n' });
  const result = ledger.update([], { file: 'mesh.yaml', text: 'accessLogFiel: /dev/null\n' });
  expect(result.snapshot.mesh.accessLogFile).toBe('/dev/stdout');
  expect(result.diagnostics).toMatchObject([
    { code: 'MZ1001', help: 'did you mean `accessLogFile`?', span: { file: 'mesh.yaml', line: 1, column: 1 } },
  ]);
  expect(ledger.update([]).snapshot.mesh.accessLogFile).toBe('');
});

test('what does not work here is in force all the same, and said', () => {
  const ledger = new Ledger();
  const rule = (extra: string): string =>
    `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: a\n  trafficPolicy:\n    ${extra}\n`;
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, nodePort: 30080}], externalIPs: [192.0.2.1]}\n';
  const result = ledger.update([
    { file: 'a.yaml', text: join(rule('loadBalancer: {backendUtilization: {}}'), service) },
  ]);
  expect(result.refused).toEqual([]);
  expect(result.diagnostics.map(({ code, severity, span }) => [code, severity, span?.line])).toEqual([
    ['MZ1205', 'warning', 7],
    ['MZ1206', 'info', undefined],
  ]);
  // A deprecated field that does nothing is worth one word, not two.
  const deprecated = rule('outlierDetection: {consecutiveErrors: 3}');
  expect(codes(ledger.update([{ file: 'a.yaml', text: deprecated }]))).toEqual(['MZ1201']);
  expect(codes(ledger.update([{ file: 'a.yaml', text: rule('loadBalancer: {simple: RANDOM}') }]))).toEqual([]);
});

test('a mesh configuration is judged the same at first and later, and it is known what became of it', () => {
  const ledger = new Ledger();
  const read = (text: string) => {
    const { meshConfig, snapshot } = ledger.update([], { file: 'mesh.yaml', text });
    return [meshConfig?.changed, meshConfig?.state, snapshot.mesh.accessLogFile];
  };
  expect(read('accessLogFile: /a\nbogus: 3\n')).toEqual([false, 'refused', '']);
  expect(read('accessLogFile: /b\n')).toEqual([true, 'good', '/b']);
  expect(read('accessLogFile: /c\nbogus: 3\n')).toEqual([false, 'kept', '/b']);
  expect(read('accessLogFile: /d\nbogus: 3\n')).toEqual([false, 'kept', '/b']);
  expect(read('accessLogFile: /d\n')).toEqual([true, 'good', '/d']);
});

test('a fork tells what an update would do, and leaves all as it is', () => {
  const ledger = new Ledger();
  const [a, b] = [virtualService('a'), virtualService('b')];
  const before = ledger.update([{ file: 'a.yaml', text: join(a, b) }]);
  const fork = ledger.fork();
  const text = join(virtualService('new'), virtualService('a', '2s'), b);
  expect(fork.update([{ file: 'a.yaml', text }]).changed).toMatchObject({
    added: [{ name: 'new' }],
    modified: [{ name: 'a' }],
    removed: [],
  });
  // Places of the resources in force are those of the text in force.
  expect(before.snapshot.list('VirtualService').map(({ source }) => source.firstLine)).toEqual([1, 10]);
  const bad = ledger.fork().update([{ file: 'a.yaml', text: join(virtualService('a', 'never'), b) }]);
  expect(bad.keptLastGood).toMatchObject([{ name: 'a' }]);
  expect(timeouts(bad)).toEqual(['1s', '1s']);
  const after = ledger.update([{ file: 'a.yaml', text: join(a, b) }]);
  expect(after.changed).toEqual({ added: [], modified: [], removed: [] });
  expect(after.snapshot).toBe(before.snapshot);
});

test('a fork takes over what moved as it is, and says of it what reading all of it anew says', () => {
  const ledger = new Ledger();
  const list = `apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Service, metadata: { name: s }, spec: { ports: [{ port: 80 }] } }
  - { apiVersion: v1, kind: Service, metadata: { name: t }, spec: { ports: [{ port: 81 }] } }
`;
  const warned = virtualService('warned').replace('timeout: 1s', 'timeout: 0.5ms');
  const before = ledger.update([{ file: 'a.yaml', text: join(virtualService('a'), list, warned) }]);
  const text = join(virtualService('a', '2s', '# one\n# two\n'), list, warned, virtualService('a'));
  const moved = ledger.fork().update([{ file: 'a.yaml', text }]);
  const anew = new Ledger().update([{ file: 'a.yaml', text }]);
  expect(moved.diagnostics).toEqual(anew.diagnostics);
  const places = ({ snapshot }: ReadResult): unknown[] =>
    [...snapshot.list('Service'), ...snapshot.list('VirtualService')].map(({ metadata, source }) => [
      metadata.name,
      source.firstLine,
      source.index,
      source.prefix,
    ]);
  expect(places(moved)).toEqual(places(anew));
  const [s, t] = before.snapshot.list('Service');
  expect([s?.source.firstLine, t?.source.firstLine]).toEqual([10, 10]);
  expect(moved.snapshot.list('Service')[0]?.spec).toBe(s?.spec);
});

test('what was in a place that cannot be looked at stays, and goes when the place is there without it', () => {
  const ledger = new Ledger();
  const all = ['mesh/a.yaml', 'mesh/in/b.yaml', 'mesh/inside.yaml'].map((file) => ({
    file,
    text: virtualService(file.replaceAll(/\W/g, '-')),
  }));
  ledger.update(all);
  const closed = ledger.update(all.slice(0, 1), undefined, ['mesh/in']);
  expect(names(closed)).toEqual(['mesh-a-yaml', 'mesh-in-b-yaml']);
  expect(closed.keptLastGood).toMatchObject([{ name: 'mesh-in-b-yaml' }]);
  expect(names(ledger.update([], undefined, ['.']))).toEqual(['mesh-a-yaml', 'mesh-in-b-yaml']);
  expect(names(ledger.update(all.slice(0, 1)))).toEqual(['mesh-a-yaml']);
});

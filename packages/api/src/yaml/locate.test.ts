import { expect, test } from 'vitest';
import type { SourceDocument } from '../resource.ts';
import { locateIn } from './locate.ts';

const source: SourceDocument = {
  file: 'a.yaml',
  index: 0,
  firstLine: 11,
  text: `---
spec:
  http:
  - route:
    - destination: {host: reviews, subset: v1}
      mirror_percent: 5
    timeout: &t 5s
  - timeout: *t
  note: |
    text
`,
};
const at = (...path: (string | number)[]): unknown => {
  const { line, column, endLine, endColumn } = locateIn(source, path)!;
  return [line, column, endLine, endColumn];
};

test('scalars are found where they are, in file lines', () => {
  expect(at('spec', 'http', 0, 'route', 0, 'destination', 'subset')).toEqual([15, 44, 15, 46]);
  expect(at('spec', 'http', 0, 'timeout')).toEqual([17, 17, 17, 19]);
  expect(at('spec', 'http', 1, 'timeout')).toEqual([17, 17, 17, 19]);
});

test('blocks are shown at their key, items of lists where they start', () => {
  expect(at('spec', 'http')).toEqual([13, 3, 13, 7]);
  expect(at('spec', 'note')).toEqual([19, 3, 19, 7]);
  expect(at('spec', 'http', 0)).toMatchObject([14, 5, expect.anything(), expect.anything()]);
});

test('a name in camelCase finds the one with underscores', () => {
  expect(at('spec', 'http', 0, 'route', 0, 'mirrorPercent')).toEqual([16, 23, 16, 24]);
  expect(locateIn(source, ['spec', 'http', 0, 'route', 0, 'mirrorPercent'], 'key')).toMatchObject({
    line: 16,
    column: 7,
  });
});

test('a path to nothing falls back to what encloses it', () => {
  expect(at('spec', 'http', 0, 'route', 0, 'destination', 'port')).toEqual([15, 20, 15, 47]);
  expect(at('spec', 'http', 0, 'route', 7)).toEqual([14, 5, 14, 10]);
  expect(at('nothing')).toMatchObject([12, 1, expect.anything(), expect.anything()]);
  expect(locateIn({ ...source, file: '<default>' }, [])).toBeUndefined();
});

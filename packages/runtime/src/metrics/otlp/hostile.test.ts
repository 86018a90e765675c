import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { toOtlp } from './convert.ts';
import { readFamilies } from './families.ts';
import { readPage } from './origins.ts';

/** What costs its square takes minutes, and what costs no more than itself a moment, on any machine. */
const LENGTH = 500_000;

test.each([
  ['braces', `a{${'}'.repeat(LENGTH)} x y`],
  ['blanks', `a${' '.repeat(LENGTH)}x y z`],
  ['blanks before no time', `a 1${' '.repeat(LENGTH)}x`],
  ['labels that do not end', `a{${'b="c",'.repeat(LENGTH / 5)}`],
  ['a quote that does not end', `a{b="${'\\"'.repeat(LENGTH / 2)}`],
])('a line that is none costs no more than its length: %s', { timeout: 20_000 }, (_, line) => {
  expect(readFamilies(`${line}\nb 1`)).toMatchObject([{ name: 'b', samples: [{ value: 1 }] }]);
});

test('labels of any text', () => {
  const text = 'a{ b = "}{\\"\\n\\\\", c="d" , } 1 1700000000000\na{} 2\na\t3 \na{b="c" 4\na {b="c"}5';
  expect(readFamilies(text)[0]?.samples).toEqual([
    {
      name: 'a',
      labels: [
        ['b', '}{"\n\\'],
        ['c', 'd'],
      ],
      value: 1,
    },
    { name: 'a', labels: [], value: 2 },
    { name: 'a', labels: [], value: 3 },
    { name: 'a', labels: [['b', 'c']], value: 5 },
  ]);
});

test('counts that are none of 64 bits', () => {
  const lines = ['bucket{le="1"} 1.5', 'bucket{le="2"} NaN', 'bucket{le="+Inf"} 1e21', 'sum 1', 'count 1e21'];
  const [metric] = toOtlp(readFamilies(`# TYPE a histogram\n${lines.map((line) => `a_${line}\n`).join('')}`), 0);
  expect(metric?.histogram?.dataPoints).toMatchObject([
    { count: '9007199254740991', bucketCounts: ['2', '0', expect.stringMatching(/^\d+$/)] },
  ]);
});

test('a page without an end is not read to it', async () => {
  const part = Buffer.alloc(1 << 20, '#');
  const server = createServer((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', more);
    more();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    await expect(readPage(`127.0.0.1:${(server.address() as AddressInfo).port}`)).rejects.toThrow('more than 33554432');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

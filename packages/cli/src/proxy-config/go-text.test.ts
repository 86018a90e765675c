import { expect, test } from 'vitest';
import { goJson, goYaml } from './go-text.ts';

test('JSON has four spaces, and signs of HTML are written as Go writes them', () => {
  expect(goJson({ a: '<&>', b: [] }, true)).toBe('{\n    "a": "\\u003c\\u0026\\u003e",\n    "b": []\n}');
  expect(goJson({ a: '<&>' }, false)).toBe('{\n    "a": "<&>"\n}');
});

test('YAML is what sigs.k8s.io/yaml prints for the same JSON', () => {
  const value = {
    name: 'outbound|80||web',
    '@type': 'type.googleapis.com/x',
    list: [{ b: 1, a: [{}, [], ['x']] }, 'plain text'],
    quoted: ['', 'true', '1605', '0x1f', '10s', '1e3', '2022-12-08T11:03:53.361Z', '- a', 'a: b', '*', "it's", '12:30'],
    odd: ['tab\t', 'bell\u0001', 'é', '😀', ' spaces ', 'a\nb', 'a\nb\n', '\na', 'a #b'],
    key10: null,
    key9: 0.5,
    long: `${'x'.repeat(85)} ${'y'.repeat(20)} z`,
  };
  expect(goYaml(value)).toBe(`'@type': type.googleapis.com/x
key9: 0.5
key10: null
list:
- a:
  - {}
  - []
  - - x
  b: 1
- plain text
long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
  yyyyyyyyyyyyyyyyyyyy z
name: outbound|80||web
odd:
- "tab\\t"
- "bell\\x01"
- é
- "\\U0001F600"
- ' spaces '
- |-
  a
  b
- |
  a
  b
- |2-

  a
- 'a #b'
quoted:
- ""
- "true"
- "1605"
- "0x1f"
- 10s
- "1e3"
- "2022-12-08T11:03:53.361Z"
- '- a'
- 'a: b'
- '*'
- it's
- "12:30"
`);
});

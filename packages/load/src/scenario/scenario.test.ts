import { expect, test } from 'vitest';
import { loadOf } from '../testing/load.ts';
import { startTarget } from '../testing/target.ts';
import { jsonPath, select } from './json-path.ts';
import { readPlan } from './read.ts';
import { fill, fillDeep, MissingVariable, template } from './template.ts';

test('values go from step to step, each in its kind', async () => {
  const seen: string[] = [];
  const target = await startTarget((request, response, body) => {
    seen.push(`${request.method} ${request.url} ${request.headers['x-user'] as string} ${body}`);
    response.setHeader('etag', '"v1"').setHeader('content-type', 'application/json');
    if (request.url === '/login') response.end('<input name="csrf" value="t0k">');
    else response.end(JSON.stringify({ items: [{ id: 7 }, { id: 8 }], status: 'confirmed' }));
  });
  const load = loadOf(
    `
target: ${target.url}/
headers: { X-User: '\${user}' }
variables: { n: { sequence: 5 }, user: 'u-\${n}' }
scenarios:
  buy:
    steps:
      - url: /login
        capture: { csrf: { regex: 'value="([^"]+)"' }, etag: { header: ETag } }
      - url: items
        capture: { id: '$.items[-1].id' }
        expect:
          status: 2xx
          headers: { content-type: application/json, etag: { matches: '^"v' } }
          contains: [items, confirmed]
          matches: '"id":\\d'
          json: { $.status: confirmed, '$.items[*].id': 7, $.none: { exists: false }, $.items: [{ id: 7 }, { id: 8 }] }
          latency: 5s
      - url: /buy/\${id}?v=\${etag}
        json: { id: '\${id}', note: 'is \${id}', user: '\${user}', money: '$\${5}' }
      - url: /form
        form: { csrf: '\${csrf}', a b: c&d }
`,
    { rate: 2, seconds: 1 },
  );
  await load.prepare();
  const { requests, arrivals } = await load.start();
  target.close();
  expect(requests.causes).toEqual({});
  expect(arrivals).toMatchObject({ due: 2, completed: 2 });
  expect(seen.filter((each) => each.includes('u-5'))).toEqual([
    'GET /login u-5 ',
    'GET /items u-5 ',
    'POST /buy/8?v=%22v1%22 u-5 {"id":8,"note":"is 8","user":"u-5","money":"${5}"}',
    'POST /form u-5 csrf=t0k&a%20b=c%26d',
  ]);
});

test('what fails is counted by what it is, and ends its scenario', async () => {
  const target = await startTarget((request, response) => {
    response.statusCode = request.url === '/teapot' ? 418 : 200;
    response.end('{"a":1}');
  });
  const step = (more: string): string => `[{ ${more} }, { url: /never }]`;
  const load = loadOf(
    `
target: ${target.url}
scenarios:
  status: { steps: ${step('url: /teapot')} }
  json: { steps: ${step('url: /, expect: { json: { $.a: 2 } }')} }
  body: { steps: ${step('url: /, expect: { contains: nothing, matches: ^b }')} }
  header: { steps: ${step('url: /, expect: { headers: { x-a: b } }')} }
  capture: { steps: ${step('url: /, capture: { x: $.b }')} }
  missing: { steps: ${step("url: '/${x}'")} }
  expected: { steps: [{ url: /teapot, expect: { status: [4xx] } }] }
`,
    { rate: 200, seconds: 1 },
  );
  await load.prepare();
  const { requests, steps } = await load.start();
  target.close();
  expect(Object.keys(requests.causes).toSorted()).toEqual([
    '`${x}` has no value',
    'body does not contain `nothing`',
    'body does not match `^b`',
    'header x-a',
    'json $.a',
    'nothing to capture as x',
    'status 418',
  ]);
  expect(steps.filter(({ step: name }) => name.endsWith('/never')).map(({ sent }) => sent)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(steps.find(({ scenario }) => scenario === 'expected')).toMatchObject({ errors: 0 });
  expect(steps.find(({ scenario, step: name }) => scenario === 'missing' && !name.endsWith('never'))).toMatchObject({
    sent: 0,
  });
});

test('mistakes are told with their place', () => {
  const text = `rate: fast
mode: calm
thresholds: [p99]
variables: { a: { from: 3, to: 1 }, b: { env: NOWHERE } }
scenarios:
  a:
    weight: -1
    steps:
      - url: /
        json: 1
        body: x
        method: CONNECT
        headers: { 'a b': c }
        expect: { status: 99, json: { a: 1 }, matches: '(' , laten: 1s }
        think: { from: 2s, to: 1s }
        capture: { x: { json: $, header: y } }
      - {}
  b: { protocol: grpc, steps: [{ call: Hello }] }
  c: { steps: [] }
`;
  const { plan, diagnostics } = readPlan('f.yaml', text, {});
  expect(plan).toBeUndefined();
  const told = diagnostics.map(({ message, span }) => `${span!.line} ${message.split(': ')[0]}`);
  expect(told.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b))).toEqual([
    '1 rate',
    '2 mode',
    '3 thresholds[0]',
    '4 variables.a.to',
    '4 variables.b.env',
    '7 scenarios.a.weight',
    '11 scenarios.a.steps[0].body',
    '12 scenarios.a.steps[0].method',
    '13 scenarios.a.steps[0].headers.a b',
    '14 scenarios.a.steps[0].expect.json.a',
    '14 scenarios.a.steps[0].expect.laten',
    '14 scenarios.a.steps[0].expect.matches',
    '14 scenarios.a.steps[0].expect.status',
    '15 scenarios.a.steps[0].think',
    '16 scenarios.a.steps[0].capture.x',
    '17 scenarios.a.steps[1].url',
    '18 scenarios.b.steps[0].call',
    '19 scenarios.c.steps',
  ]);
  expect(readPlan('f.yaml', 'a: [').diagnostics[0]).toMatchObject({
    code: 'MZ0301',
    span: { file: 'f.yaml', line: 1 },
  });
  expect(readPlan('f.yaml', '').diagnostics[0]!.message).toBe('must be a map');
});

test('templates and JSON paths', () => {
  const values = new Map<string, unknown>([
    ['n', 3],
    ['list', [1, 2]],
  ]);
  expect(fill(template('a${n}b$${n}${list}'), values)).toBe('a3b${n}[1,2]');
  expect(fillDeep({ a: '${n}', b: ['${list}', 'x${n}'], c: null }, values)).toEqual({
    a: 3,
    b: [[1, 2], 'x3'],
    c: null,
  });
  expect(() => fill(template('${none}'), values)).toThrow(MissingVariable);
  const at = (path: string, value: unknown): unknown => select(jsonPath(path)!, value);
  expect(at('$', 1)).toEqual([1]);
  expect(at("$['a b'].c[1]", { 'a b': { c: [1, 2] } })).toEqual([2]);
  expect(at('$.a[*].b', { a: [{ b: 1 }, {}, { b: 2 }] })).toEqual([1, 2]);
  expect(at('$.constructor', {})).toEqual([]);
  for (const wrong of ['a', '$a', '$.', '$[', '$[a]', '$..a']) expect(jsonPath(wrong), wrong).toBeUndefined();
});

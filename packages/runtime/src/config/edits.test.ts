import { expect, test } from 'vitest';
import { editFile } from './edits.ts';

const ORDERS = { kind: 'VirtualService', namespace: 'shop', name: 'orders' };
const BLOCK = `# The file's own words
apiVersion: v1
kind: Service
metadata: { name: orders }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: orders   # ours
  namespace: shop
spec:
  hosts: [ "orders" ]
  http:
    # first those who ask for it
    - match:
        - headers: { beta: { exact: 'yes' } }
      route:
        - destination: { host: orders, subset: v2 }

    - route:   # everybody else
        - destination:
            host: orders
            subset: v1
          weight: 90 # most
        - weight: 10
          destination: { host: orders, subset: v2 }
---
# the end
kind: Other
`;
const edited = (
  text: string,
  ...rest: Parameters<typeof editFile> extends [string, unknown, infer E] ? [E] : never
) => {
  const result = editFile(text, ORDERS, rest[0]);
  if ('problem' in result) throw new Error(result.problem);
  return result.text;
};

test('weights are written where they are, and nothing else is touched', () => {
  const text = edited(BLOCK, { kind: 'weights', route: 1, weights: [25, 75] });
  expect(text).toBe(BLOCK.replace('weight: 90 # most', 'weight: 25 # most').replace('weight: 10', 'weight: 75'));
});

test('weights that were not written are added', () => {
  const one = BLOCK.replace('          weight: 90 # most\n', '').replace('weight: 10\n          dest', 'dest');
  const text = edited(one, { kind: 'weights', route: 1, weights: [25, 75] });
  expect(text).toBe(
    one
      .replace('            subset: v1\n', '            subset: v1\n          weight: 25\n')
      .replace(
        '- destination: { host: orders, subset: v2 }\n---',
        '- destination: { host: orders, subset: v2 }\n          weight: 75\n---',
      ),
  );
});

test('in braces, too', () => {
  const flow = `kind: VirtualService
metadata: {name: orders}
spec: {http: [{route: [{destination: {host: a}, weight: 100}, {destination: {host: b} }]}]} # one line
`;
  const text = edited(flow, { kind: 'weights', route: 0, weights: [60, 40] });
  expect(text).toBe(flow.replace('weight: 100', 'weight: 60').replace('{host: b} }', '{host: b}, weight: 40 }'));
  const faulty = edited(flow, { kind: 'fault', route: 0, fault: { abort: { percentage: 5, httpStatus: 503 } } });
  expect(faulty).toBe(
    flow.replace('{route:', '{fault: { abort: { percentage: { value: 5 }, httpStatus: 503 } }, route:'),
  );
  expect(edited(faulty, { kind: 'fault', route: 0, fault: null })).toBe(flow);
});

test('faults come before the route, change and go', () => {
  const delay = { delay: { percentage: 10, fixedDelay: '2s' } };
  const first = edited(BLOCK, { kind: 'fault', route: 1, fault: delay });
  expect(first).toBe(
    BLOCK.replace(
      '    - route:   # everybody else',
      `    - fault:
        delay:
          percentage:
            value: 10
          fixedDelay: 2s
      route:   # everybody else`,
    ),
  );
  const second = edited(first, {
    kind: 'fault',
    route: 1,
    fault: { abort: { percentage: 0.5, grpcStatus: 'UNAVAILABLE' } },
  });
  expect(second).toContain(
    '    - fault:\n        abort:\n          percentage:\n            value: 0.5\n          grpcStatus: UNAVAILABLE\n      route:   # every',
  );
  expect(second).not.toContain('delay');
  expect(edited(second, { kind: 'fault', route: 1, fault: null })).toBe(BLOCK);
  const other = edited(BLOCK, { kind: 'fault', route: 0, fault: delay });
  expect(other).toContain("beta: { exact: 'yes' } }\n      fault:\n        delay:");
  expect(edited(other, { kind: 'fault', route: 0, fault: null })).toBe(BLOCK);
});

test('a version that got nothing gets something', () => {
  const text = edited(BLOCK, { kind: 'weights', route: 0, weights: [80], added: [{ subset: 'v1', weight: 20 }] });
  const before = '        - destination: { host: orders, subset: v2 }\n\n';
  expect(text).toBe(
    BLOCK.replace(
      before,
      before.replace(
        '}\n',
        `}
          weight: 80
        - destination: { host: orders, subset: v1 }
          weight: 20
`,
      ),
    ),
  );
  const block = BLOCK.replace(
    '{ host: orders, subset: v2 }\n\n',
    '\n            host: orders\n            subset: v2\n\n',
  );
  const more = edited(block, { kind: 'weights', route: 0, weights: [80], added: [{ subset: 'v1', weight: 20 }] });
  expect(more).toContain(
    '        - destination:\n            host: orders\n            subset: v1\n          weight: 20\n\n',
  );
  const flow =
    'kind: VirtualService\nmetadata: {name: orders}\nspec: {http: [{route: [{destination: {host: a, subset: x}}]}]}\n';
  expect(edited(flow, { kind: 'weights', route: 0, weights: [50], added: [{ subset: 'y', weight: 50 }] })).toBe(
    flow.replace('x}}]', 'x}, weight: 50}, { destination: { host: a, subset: y }, weight: 50 }]'),
  );
});

test('an item of a List, with Windows line ends', () => {
  const list = [
    'kind: List',
    'items:',
    '  - kind: VirtualService',
    '    metadata: { name: orders }',
    '    spec:',
    '      http:',
    '        - route:',
    '            - destination: { host: a }',
    '              weight: 1',
    '',
  ].join('\r\n');
  expect(edited(list, { kind: 'weights', route: 0, weights: [7] })).toBe(list.replace('weight: 1', 'weight: 7'));
});

test('what is anchored is written anew, with its comments', () => {
  const anchored = `kind: VirtualService
metadata: { name: orders }
spec:
  http:
    - route: # both
        - { destination: { host: a }, weight: &half 50 }
        - { destination: { host: b }, weight: *half }
`;
  const text = edited(anchored, { kind: 'weights', route: 0, weights: [60, 40] });
  expect(text).toContain('# both');
  expect(text).toMatch(/a \}?.*weight:.* 60[^]*b \}?.*weight: 40/);
});

test('what has changed since is said', () => {
  expect(editFile(BLOCK, ORDERS, { kind: 'weights', route: 1, weights: [1, 2, 3] })).toEqual({
    problem: 'the route has 2 destinations, not 3: it has changed',
  });
  expect(editFile(BLOCK, ORDERS, { kind: 'fault', route: 4, fault: null })).toEqual({
    problem: 'there is no HTTP route 4',
  });
  expect(editFile(BLOCK, { ...ORDERS, name: 'x' }, { kind: 'fault', route: 4, fault: null })).toEqual({
    problem: 'the file has no VirtualService `x`',
  });
});

test('a route of something else than destinations is said', () => {
  const text = 'kind: VirtualService\nmetadata: { name: orders }\nspec: { http: [{ route: [1, { weight: 5 }] }] }\n';
  const edit = { kind: 'weights', route: 0, weights: [10, 90] } as const;
  expect(editFile(text, ORDERS, edit)).toEqual({ problem: 'destination 0 of the route is none' });
});

import type { TraceAnswer, TraceSpanAnswer, TracesAnswer } from '@mizzen/runtime/api/types.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { expect, test } from 'vitest';
import { explainCommand, traceLines, tracesLines } from './render.ts';

const style = styler(false);
const summary = {
  id: '4bf92f3577b34da6a3ce929d0e0e4736',
  requestId: '',
  service: 'orders.store',
  name: 'catalog:8080',
  method: 'GET',
  url: 'http://catalog:8080/products',
  status: 200,
  start: '2026-01-31T12:00:00.250Z',
  duration: 40,
  errors: 0,
  spanCount: 2,
  services: [],
  request: { method: 'GET', url: 'http://catalog:8080/it’s', pod: 'orders-0', namespace: 'store', gateway: false },
};
const span = (more: Partial<TraceSpanAnswer>): TraceSpanAnswer => ({
  id: '00f067aa0ba902b7',
  parent: '',
  service: 'orders.store',
  name: 'catalog:8080',
  kind: 'client',
  depth: 0,
  start: 0,
  duration: 40,
  status: 200,
  error: false,
  critical: [
    { start: 0, duration: 10 },
    { start: 30, duration: 10 },
  ],
  tags: { component: 'proxy' },
  events: [],
  request: null,
  ...more,
});
const trace: TraceAnswer = {
  ...summary,
  spans: [
    span({}),
    span({
      service: 'catalog.store',
      kind: 'server',
      depth: 1,
      start: 10,
      duration: 20,
      critical: [{ start: 10, duration: 20 }],
    }),
    span({
      service: 'audit',
      kind: 'internal',
      name: 'write',
      depth: 2,
      start: 12,
      duration: 0.02,
      critical: [],
      status: 0,
      error: true,
    }),
  ],
};

test('a waterfall shows what was waited for, and how to ask why', () => {
  expect(traceLines(trace, { width: 80, style, tags: false })).toEqual([
    'orders.store: GET http://catalog:8080/products',
    'trace 4bf92f3577b34da6a3ce929d0e0e4736, began 2026-01-31T12:00:00.250Z, took 40.0 ms, 2 spans',
    '',
    'orders.store → catalog:8080     40.0 ms  ████████░░░░░░░░░░░░░░░░████████    200',
    '  catalog.store ← catalog:8080  20.0 ms          ████████████████            200',
    '    audit · write                 20 µs           ░                        error',
    '',
    "why: mizzen explain 'GET http://catalog:8080/it’s' --from orders-0 -n store",
  ]);
});

test('no line is wider than the terminal', () => {
  for (const width of [60, 80, 100, 200]) {
    const lines = traceLines(trace, { width, style, tags: false }).slice(3, 6);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  }
});

test('tags stand below their spans', () => {
  expect(traceLines(trace, { width: 80, style, tags: true })[4]).toBe('    component: proxy');
});

test('a quote in an address does not end the word of a shell', () => {
  const request = { method: 'GET', url: "http://a/'", pod: 'x-0', namespace: 'y', gateway: true };
  expect(explainCommand(request)).toBe(String.raw`mizzen explain 'GET http://a/'\'''`);
});

test('a list is a table', () => {
  const kept = { traces: 2, spans: 3, bytes: 1, dropped: 0, bytesLimit: 1, ageLimitSeconds: 1 };
  const list: TracesAnswer = {
    traces: [summary, { ...summary, status: 0, errors: 1, method: '' }],
    services: [],
    kept,
  };
  expect(tracesLines(list, style)).toEqual([
    'TRACE                             BEGAN         DURATION  STATUS  SPANS  REQUEST',
    '4bf92f3577b34da6a3ce929d0e0e4736  12:00:00.250   40.0 ms     200      2  orders.store: GET http://catalog:8080/products',
    '4bf92f3577b34da6a3ce929d0e0e4736  12:00:00.250   40.0 ms   error      2  orders.store: catalog:8080',
  ]);
  expect(tracesLines({ traces: [], services: [], kept }, style)).toEqual(['no such traces']);
  expect(tracesLines({ traces: [], services: [], kept: { ...kept, traces: 0 } }, style)[0]).toMatch(/^no traces yet/);
});

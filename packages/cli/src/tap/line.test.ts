import type { RequestAnswer } from '@mizzen/runtime/api/types.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { expect, test } from 'vitest';
import { isWanted, pathPattern, requestLine, type Wanted } from './line.ts';

const request: RequestAnswer = {
  time: '2026-01-02T03:04:05.678Z',
  direction: 'inbound',
  pod: 'orders-0',
  peer: 'store/storefront',
  address: '127.0.0.1:40000',
  protocol: 'HTTP/1.1',
  method: 'POST',
  authority: 'orders:8080',
  path: '/orders/7?full=1',
  status: 503,
  flags: 'UF,URX',
  details: 'upstream_reset',
  duration: 12,
  bytesReceived: 1,
  bytesSent: 2,
  requestId: 'abc',
  traceId: '',
};
const all: Wanted = { direction: undefined, path: undefined, methods: [], statuses: [], pod: undefined };

test('a line for a request, and for a connection', () => {
  expect(requestLine(request, styler(false))).toBe(
    '03:04:05.678  in   storefront.store      POST orders:8080/orders/7?full=1  503 UF,URX  12ms  abc',
  );
  const bytes = { ...request, direction: 'outbound', peer: '', method: '', authority: '', path: '' } as const;
  expect(requestLine({ ...bytes, status: 0, flags: '', requestId: '' }, styler(false))).toBe(
    '03:04:05.678  out  127.0.0.1:40000       TCP  -  12ms  -',
  );
  expect(requestLine({ ...request, traceId: 'f00', peer: 'default/web' }, styler(false))).toMatch(
    /in {3}web {19}.* f00$/,
  );
});

test.each<[Partial<Wanted>, boolean]>([
  [{}, true],
  [{ direction: 'outbound' }, false],
  [{ pod: 'orders-1' }, false],
  [{ path: pathPattern('/ord') }, true],
  [{ path: pathPattern('/orders/7') }, true],
  [{ path: pathPattern('rders') }, false],
  [{ path: pathPattern('*/7') }, true],
  [{ path: pathPattern('/o*s') }, false],
  [{ path: pathPattern('/orders/.') }, false],
  [{ methods: ['GET', 'POST'] }, true],
  [{ methods: ['GET'] }, false],
  [{ statuses: ['404', '5xx'] }, true],
  [{ statuses: ['503'] }, true],
  [{ statuses: ['500', '4xx'] }, false],
])('%o: %s', (wanted, expected) => {
  expect(isWanted(request, { ...all, ...wanted })).toBe(expected);
});

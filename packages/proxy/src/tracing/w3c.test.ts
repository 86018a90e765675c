import { expect, test } from 'vitest';
import { Headers } from '../http/headers.ts';
import { contextOfW3c } from './w3c.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const of = (traceparent: string): ReturnType<typeof contextOfW3c> =>
  contextOfW3c(new Headers(['traceparent', traceparent, 'tracestate', 'a=1', 'tracestate', 'b=2']));

test('a context is what its four parts say', () => {
  const context = { version: '00', traceId: TRACE, spanId: SPAN, sampled: true, state: 'a=1,b=2' };
  expect(of(`00-${TRACE}-${SPAN}-01`)).toEqual(context);
  expect(of(`00-${TRACE}-${SPAN}-02`)).toEqual({ ...context, sampled: false });
  expect(of(`CC-${TRACE.toUpperCase()}-${SPAN.toUpperCase()}-0F`)).toEqual({ ...context, version: 'CC' });
  expect(of(`00-${'0'.repeat(31)}1-1${'0'.repeat(15)}-00`)).toMatchObject({ spanId: `1${'0'.repeat(15)}` });
  expect(contextOfW3c(new Headers(['tracestate', 'a=1']))).toBeUndefined();
});

test('what is not four parts of hexadecimal digits, or names nothing, is no context', () => {
  const bad = [
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-0`,
    `0-0${TRACE}-${SPAN}-01`,
    `00_${TRACE}-${SPAN}-01`,
    `00-${TRACE}_${SPAN}-01`,
    `00-${TRACE}-${SPAN}_01`,
    `0g-${TRACE}-${SPAN}-01`,
    `00-${TRACE.slice(1)}G-${SPAN}-01`,
    `00-${TRACE}-:${SPAN.slice(1)}-01`,
    `00-${TRACE}-${SPAN}-0/`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
  ];
  for (const each of bad) expect(of(each), each).toBe('bad');
});

import type { Span } from '../span.ts';

/** A span of trace `trace` (any number), from `start` to `end` in microseconds. */
export function span(trace: number, id: number, start: number, end: number, more: Partial<Span> = {}): Span {
  return {
    traceId: hex(trace, 32),
    id: hex(id, 16),
    parentId: '',
    service: 'web.default',
    name: 'get',
    kind: 'client',
    start,
    duration: end - start,
    error: false,
    status: 200,
    tags: {},
    events: [],
    ...more,
  };
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

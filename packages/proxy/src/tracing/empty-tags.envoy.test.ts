/** Tags without a value beside real Envoy: of a proxy in no zone, of empty fields, and custom ones. */
import { beforeAll, expect, test } from 'vitest';
import { observeTraces, request, type TraceCase, type TraceSeen } from './testing/beside.ts';

const tags = {
  customTags: [
    { tag: 'empty-header', requestHeader: { name: 'x-empty' } },
    { tag: 'empty-format', value: '%REQ(x-empty)%' },
    { tag: 'said', literal: { value: 'yes' } },
    { tag: 'http.protocol', requestHeader: { name: 'x-empty' } },
    { tag: 'component', value: '%REQ(x-empty)%' },
  ],
};
const ask = [
  request('/plain'),
  request('/fields', 'x-empty: ', 'user-agent: ', 'content-type: application/grpc', 'grpc-timeout: '),
  request('/grpc', 'content-type: application/grpc', 'x-client-trace-id: '),
  request('/failed', 'x-say: 503'),
];
const CASES: readonly TraceCase[] = [
  { name: 'Zipkin', tracing: tags, ask },
  { name: 'Zipkin with spans of attempts', tracing: { ...tags, spawnUpstreamSpan: true }, ask },
  { name: 'OTLP over HTTP', tracing: tags, otel: {}, ask },
  { name: 'OTLP over gRPC', tracing: tags, otel: {}, grpc: true, ask },
];

let seen: { theirs: TraceSeen; ours: TraceSeen };
beforeAll(async () => {
  seen = await observeTraces(CASES, { id: 'tester', cluster: 'testers' });
}, 240_000);

test.each(CASES.map(({ name }) => name))('as Envoy: %s', (name) => {
  expect(seen.ours.answers[name]).toEqual(seen.theirs.answers[name]);
});

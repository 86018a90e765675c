import { encode } from '@mizzen/xds/binary/index.ts';
import { expect, test } from 'vitest';
import { otlpBytes } from './otlp-bytes.ts';
import { otlpJson, type SpanToExport } from './otlp-json.ts';

const source = {
  resource: new Map([
    ['service.name', 'caf\u00e9'],
    ['empty', ''],
  ]),
  scope: { name: 'mizzen', version: '0.1.0' },
};
const span: SpanToExport = {
  name: 'egress shop',
  kind: 'CLIENT',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: '00f067aa0ba902b7',
  parentId: 'b7ad6b7169203331',
  state: 'rojo=00f067aa0ba902b7',
  start: 1_790_000_000_123.456,
  end: 1_790_000_000_999.999,
  tags: new Map([
    ['http.url', `http://shop/${'long/'.repeat(4000)}`],
    ['user_agent', '\u00e9\u{1f40c}'],
    ['downstream_cluster', ''],
  ]),
  events: [{ time: 1_790_000_000_124, name: 'first_upstream_tx_byte_sent' }],
  failed: true,
};
const plain: SpanToExport = { ...span, kind: 'SERVER', parentId: '', state: '', name: '', events: [], failed: false };

test('spans in binary are what their JSON becomes', () => {
  const times = [0.001, 4_294_967.295, 4_294_967.296, 4_294_967_296, 1_790_000_000_123.001, 4_102_444_800_000];
  const spans = [span, plain, ...times.map((start) => ({ ...plain, tags: new Map<string, string>(), start }))];
  const expected = encode('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest', otlpJson(source, spans));
  expect(otlpBytes(source, spans).toString('hex')).toBe(Buffer.from(expected).toString('hex'));
});

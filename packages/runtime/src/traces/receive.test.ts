import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Client, credentials, status } from '@grpc/grpc-js';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as BinaryExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { decode } from '@mizzen/xds/binary/index.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { divertHttp2 } from '../api/http2.ts';
import { OtlpGrpc } from './grpc.ts';
import { OTLP_PATH, receiveSpans, ZIPKIN_PATH } from './receive.ts';
import { TraceStore } from './store.ts';
import { waterfall } from './waterfall.ts';

let store: TraceStore;
let server: Server;
let grpc: OtlpGrpc;
let base: string;

beforeEach(async () => {
  store = new TraceStore(new ManualClock());
  server = createServer((request, response) => void receiveSpans(request.url ?? '', request, response, store));
  grpc = new OtlpGrpc(store);
  divertHttp2(server, (socket) => grpc.take(socket));
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  grpc.close();
});

/** One trace of two spans by OpenTelemetry's own SDK; returns its id. */
async function traced(exporter: SpanExporter): Promise<string> {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'orders.store' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('test');
  const root = tracer.startSpan('POST /orders', { kind: SpanKind.SERVER, startTime: new Date(1_700_000_000_000) });
  const within = trace.setSpan(context.active(), root);
  const child = tracer.startSpan('reserve', { kind: SpanKind.CLIENT, startTime: new Date(1_700_000_000_010) }, within);
  child.setAttributes({ 'http.response.status_code': 503, retried: true, share: 0.5, hosts: ['a', 'b'] });
  child.addEvent('gave up', new Date(1_700_000_000_020));
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'no stock' });
  child.end(new Date(1_700_000_000_030));
  root.end(new Date(1_700_000_000_040));
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext().traceId;
}

const seen = (id: string): unknown[] =>
  waterfall(store.get(id)?.spans ?? []).map(({ span: { traceId: _, id: __, parentId, ...rest }, depth }) => ({
    depth,
    child: parentId !== '',
    ...rest,
  }));

const common = { service: 'orders.store' };
const root = {
  ...common,
  depth: 0,
  child: false,
  name: 'POST /orders',
  kind: 'server',
  start: 1_700_000_000_000_000,
  duration: 40_000,
  error: false,
  status: 0,
  events: [],
};
const child = {
  ...common,
  depth: 1,
  child: true,
  name: 'reserve',
  kind: 'client',
  start: 1_700_000_000_010_000,
  duration: 20_000,
  error: true,
  status: 503,
  events: [{ time: 1_700_000_000_020_000, name: 'gave up' }],
};

test.each([
  ['OTLP, JSON', () => new JsonExporter({ url: base + OTLP_PATH })],
  ['OTLP, JSON, packed', () => new JsonExporter({ url: base + OTLP_PATH, compression: CompressionAlgorithm.GZIP })],
  ['OTLP, binary', () => new BinaryExporter({ url: base + OTLP_PATH })],
  ['OTLP, binary, packed', () => new BinaryExporter({ url: base + OTLP_PATH, compression: CompressionAlgorithm.GZIP })],
  ['OTLP, gRPC', () => new GrpcExporter({ url: base })],
  ['OTLP, gRPC, packed', () => new GrpcExporter({ url: base, compression: CompressionAlgorithm.GZIP })],
])('OpenTelemetry’s own exporter: %s', async (_, exporter) => {
  expect(seen(await traced(exporter()))).toMatchObject([
    root,
    {
      ...child,
      tags: {
        'http.response.status_code': '503',
        retried: 'true',
        share: '0.5',
        hosts: '["a","b"]',
        'otel.status_description': 'no stock',
      },
    },
  ]);
});

test('OpenTelemetry’s own exporter: Zipkin', async () => {
  const spans = seen(await traced(new ZipkinExporter({ url: base + ZIPKIN_PATH })));
  expect(spans).toMatchObject([root, { ...child, tags: { error: 'no stock', hosts: 'a,b' } }]);
});

async function post(path: string, body: string | Uint8Array, headers: Record<string, string>): Promise<Response> {
  return fetch(base + path, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
}
const json = { 'content-type': 'application/json' };
const binary = { 'content-type': 'application/x-protobuf' };

test('what OTLP answers: nothing, what was left out, or what is wrong, in the form of the request', async () => {
  const good = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), startTimeUnixNano: '5000', endTimeUnixNano: '9000' };
  const body = (...spans: object[]): string => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const fine = await post(OTLP_PATH, body(good), { 'content-type': 'application/json; charset=utf-8' });
  expect([fine.status, await fine.json()]).toEqual([200, {}]);
  const part = await post(
    OTLP_PATH,
    body({ ...good, spanId: 'c'.repeat(16) }, { ...good, traceId: '0'.repeat(32) }),
    json,
  );
  expect([part.status, await part.json()]).toEqual([
    200,
    { partialSuccess: { rejectedSpans: '1', errorMessage: 'a span without the id of a trace and of itself' } },
  ]);
  expect(store.get('a'.repeat(32))).toMatchObject({ start: 5, end: 9, services: new Map([['unknown_service', 2]]) });
  const bad = await post(OTLP_PATH, '[', json);
  expect([bad.status, await bad.json()]).toEqual([400, { code: 3, message: 'the body is no JSON' }]);
  const raw = await post(OTLP_PATH, new Uint8Array([0xff]), binary);
  expect([raw.status, raw.headers.get('content-type')]).toEqual([400, 'application/x-protobuf']);
  expect(decode('google.rpc.Status', Buffer.from(await raw.arrayBuffer()))).toMatchObject({ code: 3 });
  expect((await post(OTLP_PATH, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await post(OTLP_PATH, 'x', { ...json, 'content-encoding': 'br' })).status).toBe(400);
  expect((await post(OTLP_PATH, 'no gzip', { ...json, 'content-encoding': 'gzip' })).status).toBe(400);
});

test('what OTLP leaves out of a binary report is said in binary', async () => {
  // ResourceSpans → ScopeSpans → a span with nothing in it.
  const answer = await post(OTLP_PATH, new Uint8Array([0x0a, 4, 0x12, 2, 0x12, 0]), binary);
  const text = Buffer.from('a span without the id of a trace and of itself');
  const bytes = Buffer.from([0x0a, text.length + 4, 0x08, 1, 0x12, text.length, ...text]);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
});

test('Zipkin: spans that cannot be read do not keep others out', async () => {
  const good = { traceId: 'abcdef0123456789', id: '1', timestamp: 7, duration: 3, localEndpoint: { serviceName: 'a' } };
  const bad = [
    { ...good, id: 'x' },
    { ...good, traceId: '0' },
    { ...good, timestamp: undefined },
    { ...good, duration: 'long' },
    { ...good, parentId: 'nobody' },
    null,
  ];
  const answer = await post(ZIPKIN_PATH, JSON.stringify([...bad, good]), json);
  expect([answer.status, store.kept.spans]).toEqual([202, 1]);
  await post(ZIPKIN_PATH, JSON.stringify([{ ...good, id: '2', localEndpoint: {} }]), json);
  expect(store.services()).toEqual(['a', 'unknown_service']);
  expect((await post(ZIPKIN_PATH, '{}', json)).status).toBe(400);
  expect((await post(ZIPKIN_PATH, '[]', binary)).status).toBe(415);
});

test('a report that is too long, packed or not, is not kept in memory', async () => {
  const long = Buffer.alloc(9 * 1024 * 1024, ' ');
  expect((await post(ZIPKIN_PATH, gzipSync(long), { ...json, 'content-encoding': 'gzip' })).status).toBe(413);
  expect((await post(ZIPKIN_PATH, Buffer.concat([long, long]), json)).status).toBe(413);
  expect((await post(OTLP_PATH, Buffer.concat([long, long]), json)).status).toBe(413);
});

/** What a call of a report in binary gets: details, or bytes. */
function call(body: Uint8Array): Promise<string | Buffer> {
  const client = new Client(new URL(base).host, credentials.createInsecure());
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  return new Promise<string | Buffer>((done) => {
    client.makeUnaryRequest(path, raw, raw, body, (error, answer) =>
      done(error === null ? answer! : `${status[error.code]}: ${error.details}`),
    );
  }).finally(() => client.close());
}

test('gRPC: what was left out is said, and what cannot be read or is too long is refused', async () => {
  const left = (await call(new Uint8Array([0x0a, 4, 0x12, 2, 0x12, 0]))) as Buffer;
  expect(left.toString()).toContain('a span without the id of a trace and of itself');
  expect(await call(new Uint8Array([0xff]))).toBe('INVALID_ARGUMENT: the body is no ExportTraceServiceRequest');
  expect(await call(new Uint8Array(9 * 1024 * 1024))).toMatch(/^RESOURCE_EXHAUSTED: /);
  expect(await call(new Uint8Array())).toHaveLength(0);
});

test.each([
  ['GET', 1],
  ['PUT', 1],
  ['PROPFIND', 1],
  ['PUT', 100],
])('what is no HTTP/2 stays HTTP/1, however it is cut: %s, %s at once', async (method, parts) => {
  const text = `${method} / HTTP/1.1\r\nhost: a\r\n\r\n`;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (let at = 0; at < text.length; at += parts) {
    socket.write(text.slice(at, at + parts));
    await new Promise(setImmediate);
  }
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.toString()).toMatch(/^HTTP\/1\.1 (4\d\d|200)/);
  socket.destroy();
});

test('values without an end and times beyond all numbers do no harm to what else there is', async () => {
  const span = (id: string, more: string): string =>
    `{"traceId":"${id.repeat(32)}","spanId":"${id.repeat(16)}",${more}}`;
  const times = '"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000000"';
  const deep = `${'{"arrayValue":{"values":['.repeat(50_000)}{"stringValue":"x"}${']}}'.repeat(50_000)}`;
  const spans = [
    span('a', `${times},"attributes":[{"key":"deep","value":${deep}},{"key":"flat","value":{"intValue":"1"}}]`),
    span('b', '"startTimeUnixNano":1e999,"endTimeUnixNano":1e999'),
  ];
  const answer = await fetch(`${base}${OTLP_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join()}]}]}]}`,
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } });
  expect(store.get('a'.repeat(32))?.spans[0]?.tags['flat']).toBe('1');
  expect(store.get('b'.repeat(32))).toBeUndefined();
});

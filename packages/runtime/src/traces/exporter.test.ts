import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as root from 'opentelemetry-protos/build/src/generated/root.js';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../control/clock.ts';
import { ControlProcess } from '../control/testing/control-process.ts';
import { MOST_WAITING, SpanExporter } from './exporter.ts';
import { otlpJson } from './otlp.ts';
import type { Span } from './span.ts';
import { toOtlp } from './to-otlp.ts';

/** OpenTelemetry's own message, as its exporters have it from its schema. */
interface Messages {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: {
          readonly v1: {
            readonly ExportTraceServiceRequest: {
              verify(message: object): string | null;
              fromObject(object: object): object;
              toObject(message: object, options: object): object;
            };
          };
        };
      };
    };
  };
}
const { ExportTraceServiceRequest } = (root as unknown as Messages).opentelemetry.proto.collector.trace.v1;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const span = (id: number, more: Partial<Span> = {}): Span => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  id: id.toString(16).padStart(16, '0'),
  parentId: '',
  service: 'web.default',
  name: 'GET /',
  kind: 'server',
  start: 1_796_091_602_902_001,
  duration: 1500,
  error: false,
  status: 0,
  tags: {},
  events: [],
  ...more,
});

/** Answers with `status`, and has what it answered 200 to. */
class Receiver {
  status = 200;
  asked = 0;
  readonly targets = new Set<string>();
  readonly spans: Span[] = [];
  readonly #server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      this.asked++;
      this.targets.add(`${request.method} ${request.url} ${request.headers['content-type']}`);
      if (this.status === 200) this.spans.push(...otlpJson.read(Buffer.concat(parts)).spans);
      response.writeHead(this.status).end();
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    closing.push(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get ids(): number[] {
    return this.spans.map(({ id }) => Number.parseInt(id, 16));
  }
}

function exporterTo(url: string): { exporter: SpanExporter; notices: string[] } {
  const notices: string[] = [];
  const exporter = new SpanExporter({
    url,
    interval: 20,
    version: '1',
    clock: systemClock,
    onNotice: (text) => notices.push(text),
  });
  closing.push(() => exporter.close());
  return { exporter, notices };
}

test('spans are what OpenTelemetry understands, and nothing of them is lost', () => {
  const spans = [
    span(1, { kind: 'client', tags: { 'http.status_code': '200' }, status: 200 }),
    span(2, { parentId: '0000000000000001', events: [{ time: 1_796_091_602_902_500, name: 'cr' }] }),
    span(3, { kind: 'internal', error: true, tags: { 'otel.status_description': 'it broke', a: 'b' } }),
    span(4, { kind: 'consumer', service: 'other' }),
    span(5, { kind: 'producer' }),
  ];
  const report = toOtlp(spans, '1');
  expect(ExportTraceServiceRequest.verify(ExportTraceServiceRequest.fromObject(report))).toBeNull();
  // What is no field of the schema would be missing here. Ids are hexadecimal in JSON alone, and read as base64 here.
  const understood = ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.fromObject(report), {
    longs: String,
    bytes: String,
    json: true,
  });
  expect(understood).toEqual(report);
  const read = otlpJson.read(Buffer.from(JSON.stringify(report))).spans;
  expect(read.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(spans);
});

test('what a receiver does not take waits for it, and is told of once', async () => {
  const receiver = new Receiver();
  receiver.status = 503;
  const url = await receiver.listen();
  const { exporter, notices } = exporterTo(url);
  exporter.add([span(1), span(2)]);
  await expect.poll(() => receiver.asked).toBeGreaterThan(2);
  exporter.add([span(3)]);
  receiver.status = 200;
  await expect.poll(() => receiver.ids).toEqual([1, 2, 3]);
  await expect
    .poll(() => notices)
    .toEqual([`spans cannot be sent to ${url}/v1/traces: it answers 503`, `spans are sent to ${url}/v1/traces again`]);
  expect([...receiver.targets]).toEqual(['POST /v1/traces application/json']);
});

test('what a receiver finds wrong is not sent again, and of too much the oldest goes', async () => {
  const receiver = new Receiver();
  receiver.status = 400;
  const { exporter, notices } = exporterTo(`${await receiver.listen()}/custom`);
  exporter.add([span(1)]);
  await expect.poll(() => notices.length).toBe(1);
  receiver.status = 200;
  exporter.add(Array.from({ length: MOST_WAITING + 5 }, (_, i) => span(i + 2)));
  await expect.poll(() => receiver.spans.length).toBe(MOST_WAITING);
  expect([receiver.ids[0], receiver.ids.at(-1)]).toEqual([7, MOST_WAITING + 6]);
  expect([...receiver.targets]).toEqual(['POST /custom application/json']);
});

test('a mesh sends on the spans that it gets', async () => {
  const receiver = new Receiver();
  const control = new ControlProcess({
    'mesh.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web }] }\n',
  });
  closing.push(() => control.remove());
  control.start({ otlpTraces: { url: await receiver.listen(), interval: 50 } });
  const answer = await fetch(`${await control.api()}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(toOtlp([span(9, { service: 'mine' })], '1')),
  });
  expect(answer.status).toBe(200);
  await expect.poll(() => receiver.spans).toEqual([span(9, { service: 'mine' })]);
});

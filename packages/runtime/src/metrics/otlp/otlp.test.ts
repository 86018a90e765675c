import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as root from 'opentelemetry-protos/build/src/generated/root.js';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../control/clock.ts';
import { ControlProcess } from '../../control/testing/control-process.ts';
import { toOtlp } from './convert.ts';
import { OtlpExporter } from './exporter.ts';
import { readFamilies } from './families.ts';

/** OpenTelemetry's own messages, as its exporters have them from its schema. */
interface MessageType {
  verify(message: object): string | null;
  fromObject(object: object): object;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): object;
}
interface Messages {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: { readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: MessageType } } };
    };
  };
}
const { ExportMetricsServiceRequest } = (root as unknown as Messages).opentelemetry.proto.collector.metrics.v1;

interface Point {
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
  readonly asDouble?: number | string;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}
interface Metric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly isMonotonic: boolean };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[]; readonly aggregationTemporality: string };
  readonly summary?: { readonly dataPoints: readonly Point[] };
}
interface Report {
  readonly service: string;
  readonly metrics: readonly Metric[];
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What a receiver understands of a request: a field that the schema does not have, or has otherwise, is lost. */
function understand(body: string): Report {
  const sent = JSON.parse(body) as Record<string, unknown>;
  expect(ExportMetricsServiceRequest.verify(ExportMetricsServiceRequest.fromObject(sent))).toBeNull();
  // Through the binary form, so that nothing is left but what a message can hold.
  const bytes = ExportMetricsServiceRequest.encode(ExportMetricsServiceRequest.fromObject(sent)).finish();
  const options = { longs: String, json: true } as const;
  const understood = ExportMetricsServiceRequest.toObject(ExportMetricsServiceRequest.decode(bytes), options);
  expect(understood).toEqual(sent);
  const { resourceMetrics } = understood as {
    resourceMetrics: {
      resource: { attributes: { key: string; value: { stringValue: string } }[] };
      scopeMetrics: { metrics: Metric[] }[];
    }[];
  };
  expect(resourceMetrics).toHaveLength(1);
  const [{ resource, scopeMetrics }] = resourceMetrics as [(typeof resourceMetrics)[number]];
  return {
    service: resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '',
    metrics: scopeMetrics.flatMap(({ metrics }) => metrics),
  };
}

class Receiver {
  readonly #bodies: string[] = [];
  readonly #understood: Report[] = [];
  readonly targets: string[] = [];
  status = 200;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        this.targets.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
        if (this.status === 200) this.#bodies.push(Buffer.concat(parts).toString());
        response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
      });
    });
    closing.push(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
  }

  get reports(): readonly Report[] {
    this.#understood.push(...this.#bodies.splice(0).map(understand));
    return this.#understood;
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}

const TEXT = `# a remark
# HELP requests_total What was\\nasked.
# TYPE requests_total counter
requests_total{code="200",path="a, \\"b\\" }"} 5
requests_total{code="503"} 2 1700000000000
# TYPE seconds histogram
seconds_bucket{a="x",le="0.5"} 2
seconds_bucket{a="x",le="1"} 5
seconds_bucket{a="x",le="+Inf"} 6
seconds_sum{a="x"} 4.5
seconds_count{a="x"} 6
# TYPE left gauge
left NaN
# TYPE sizes summary
sizes{quantile="0.5"} 3
sizes_sum 12
sizes_count 4
nameless_count 7
no sample at all
`;

test('Prometheus text becomes what OpenTelemetry understands', () => {
  const metrics = toOtlp(readFamilies(TEXT), 1_700_000_000_123);
  const { service, metrics: understood } = understand(
    JSON.stringify({
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'a' } }] },
          scopeMetrics: [{ scope: { name: 'mizzen', version: '1' }, metrics }],
        },
      ],
    }),
  );
  expect(service).toBe('a');
  const timeUnixNano = '1700000000123000000';
  const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
  expect(understood).toEqual([
    {
      name: 'requests_total',
      description: 'What was\nasked.',
      sum: {
        dataPoints: [
          { attributes: [text('code', '200'), text('path', 'a, "b" }')], timeUnixNano, asDouble: 5 },
          { attributes: [text('code', '503')], timeUnixNano, asDouble: 2 },
        ],
        aggregationTemporality: 2,
        isMonotonic: true,
      },
    },
    {
      name: 'seconds',
      histogram: {
        dataPoints: [
          {
            attributes: [text('a', 'x')],
            timeUnixNano,
            count: '6',
            sum: 4.5,
            bucketCounts: ['2', '3', '1'],
            explicitBounds: [0.5, 1],
          },
        ],
        aggregationTemporality: 2,
      },
    },
    { name: 'left', gauge: { dataPoints: [{ timeUnixNano, asDouble: 'NaN' }] } },
    {
      name: 'sizes',
      summary: {
        dataPoints: [{ timeUnixNano, count: '4', sum: 12, quantileValues: [{ quantile: 0.5, value: 3 }] }],
      },
    },
    { name: 'nameless_count', gauge: { dataPoints: [{ timeUnixNano, asDouble: 7 }] } },
  ]);
});

test('a receiver that fails is told of once, and reports go on', async () => {
  const receiver = new Receiver();
  receiver.status = 503;
  const notices: string[] = [];
  const url = await receiver.listen();
  const exporter = new OtlpExporter({
    url,
    interval: 20,
    version: '1',
    clock: systemClock,
    origins: () => [
      { resource: { 'service.name': 'a' }, read: () => Promise.resolve('up 1\n') },
      { resource: { 'service.name': 'gone' }, read: () => Promise.reject(new Error('it is gone')) },
      {
        resource: { 'service.name': 'broken' },
        read: () => {
          throw new Error('it cannot be told');
        },
      },
      { resource: { 'service.name': 'silent' }, read: () => Promise.resolve('') },
    ],
    onNotice: (text) => notices.push(text),
  });
  closing.push(() => exporter.close());
  await expect.poll(() => receiver.targets.length).toBeGreaterThan(2);
  receiver.status = 200;
  await expect.poll(() => notices.length).toBe(2);
  expect(notices).toEqual([
    `metrics cannot be sent to ${url}/v1/metrics: it answers 503`,
    `metrics are sent to ${url}/v1/metrics again`,
  ]);
  expect(new Set(receiver.reports.map(({ service }) => service))).toEqual(new Set(['a']));
  expect(new Set(receiver.targets)).toEqual(new Set(['POST /v1/metrics application/json']));
});

test('a mesh sends what its control plane and its workloads have', async () => {
  const receiver = new Receiver();
  const control = new ControlProcess({
    'mesh.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web }] }\n',
  });
  closing.push(() => control.remove());
  control.start({ otlpMetrics: { url: `${await receiver.listen()}/custom`, interval: 100 } });
  const services = (): string[] => [...new Set(receiver.reports.map(({ service }) => service))].toSorted();
  await expect.poll(services).toContain('istiod.istio-system');
  expect(receiver.targets[0]).toBe('POST /custom application/json');
  const names = receiver.reports.flatMap(({ metrics }) => metrics.map(({ name }) => name));
  expect(names).toEqual(expect.arrayContaining(['pilot_services', 'pilot_proxy_convergence_time']));
});

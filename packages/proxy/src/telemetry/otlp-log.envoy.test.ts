/** Access logs of OpenTelemetry: what a collector is sent is compared with what the real Envoy sends. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { decode } from '@mizzen/xds/binary/index.ts';
import type { types } from '@mizzen/xds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  HTTP2,
  observe,
  startEcho,
  TYPE,
  type BesideCase,
  type Observed,
  type Surroundings,
} from '../filter/testing/beside.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { startLogReceiver, type LogReceiver } from './testing/log-receiver.ts';

const REQUEST = 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest';
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: h', ...fields, '', ''].join('\r\n');
const say = (stringValue: string): object => ({ stringValue });
const log = (config: object): object => ({
  name: 'log',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig`,
    ...config,
  },
});
const grpcService = { envoyGrpc: { clusterName: 'grpc' }, initialMetadata: [{ key: 'x-m', value: 'v' }] };
const httpService = {
  httpUri: { uri: 'http://collector:4318/v1/logs?a', cluster: 'http', timeout: '5s' },
  requestHeadersToAdd: [{ header: { key: 'x-k', value: 'v' } }],
};
const content = {
  body: say('%REQ(:path)% %REQ(x-none)%'),
  attributes: {
    values: [
      { key: 'code', value: say('%RESPONSE_CODE%') },
      { key: 'list', value: { arrayValue: { values: [say('%REQ(x-a)%'), say('x')] } } },
      { key: 'deep', value: { kvlistValue: { values: [{ key: 'k', value: say('%PROTOCOL%%REQ(x-none)%') }] } } },
    ],
  },
  resourceAttributes: {
    values: [
      { key: 'said', value: say('%RESPONSE_CODE%') },
      { key: 'number', value: { intValue: '3' } },
    ],
  },
};
const noted = {
  customTags: [
    { tag: 'literal', literal: { value: 'L' } },
    { tag: 'header', requestHeader: { name: 'x-a', defaultValue: 'absent' } },
    { tag: 'none', requestHeader: { name: 'x-none' } },
  ],
  filterStateObjectsToLog: ['key', 'gone'],
};
const state = {
  name: 'state',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.set_filter_state.v3.Config`,
    onRequestHeaders: [
      {
        objectKey: 'key',
        factoryKey: 'envoy.string',
        formatString: { textFormatSource: { inlineString: 'st"te' } },
      },
    ],
  },
};
const detectors = [
  {
    name: 'envoy.tracers.opentelemetry.resource_detectors.static_config',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig`,
      attributes: { found: 'here' },
    },
  },
];
const tracing = {
  provider: {
    name: 'envoy.tracers.opentelemetry',
    typedConfig: {
      '@type': `${TYPE}envoy.config.trace.v3.OpenTelemetryConfig`,
      grpcService: { envoyGrpc: { clusterName: 'spans' } },
      serviceName: 'me',
    },
  },
};
/** By the log's name. */
const LOGS: Readonly<Record<string, object>> = {
  common: {
    commonConfig: { logName: 'common', grpcService, transportApiVersion: 'V3', bufferFlushInterval: '0.1s', ...noted },
    ...content,
  },
  over: {
    commonConfig: { logName: 'x', grpcService, transportApiVersion: 'V3', bufferSizeBytes: 1 },
    logName: 'over',
    statPrefix: 'over',
    ...noted,
  },
  grpc: { grpcService, logName: 'grpc', statPrefix: 'mine', ...content, ...noted },
  http: { httpService, logName: 'http', bufferFlushInterval: '0.1s', ...content, ...noted },
  bare: { grpcService, logName: 'bare' },
  detected: { httpService, logName: 'detected', bufferSizeBytes: 1, resourceDetectors: detectors },
  map: {
    grpcService,
    logName: 'map',
    body: { kvlistValue: { values: [{ key: 'k', value: say('%REQ(:method)%') }] } },
  },
  traced: { grpcService, logName: 'traced' },
  lost: {
    httpService: { httpUri: { ...httpService.httpUri, cluster: 'nobody' } },
    logName: 'lost',
    statPrefix: 'lost',
    bufferSizeBytes: 1,
  },
};
const CASES: readonly BesideCase[] = Object.entries(LOGS).map(([name, config]) => ({
  name,
  filters: [state],
  more: { accessLog: [log(config)], ...(name === 'traced' ? { tracing } : {}) },
  ask: [get('/p', 'x-a: \xc3\xa9', 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), get('/q')],
}));

interface Seen {
  readonly resource: object;
  readonly records: object[];
  readonly headers: Readonly<Record<string, unknown>>;
}
const sides: { readonly seen: Map<string, Seen>; readonly observed: Observed }[] = [];

let seen = new Map<string, Seen>();
/** The trace that the first request belongs to. */
const GIVEN = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex').toString('base64');
const PASSED = /^(x-m|x-k|content-type|te|:path|:authority|host|x-envoy-internal)$/;
function take(bytes: Buffer, headers: Readonly<Record<string, unknown>>, path: string): void {
  const { resourceLogs = [] } = decode(REQUEST, bytes) as types.otlpLogsService.ExportLogsServiceRequest;
  for (const { resource, instrumentationLibraryLogs = [] } of resourceLogs) {
    const attributes = resource?.attributes ?? [];
    const name = attributes.find(({ key }) => key === 'log_name')?.value?.stringValue ?? '';
    const told = Object.fromEntries(Object.entries(headers).filter(([key]) => PASSED.test(key)));
    const one = seen.get(name) ?? { resource: attributes, records: [], headers: { ...told, path } };
    seen.set(name, one);
    for (const record of instrumentationLibraryLogs.flatMap(({ logs = [] }) => logs))
      one.records.push({
        ...record,
        timeUnixNano: /^\d{19}$/.test(String(record.timeUnixNano)),
        spanId: record.spanId?.length,
        traceId: record.traceId === GIVEN ? GIVEN : record.traceId?.length,
        // Envoy's tags have no order.
        attributes: record.attributes?.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1)),
      });
  }
}

let receiver: LogReceiver;
let http: Server;
beforeAll(async () => {
  receiver = await startLogReceiver();
  http = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      take(Buffer.concat(parts), request.headers, request.url ?? '');
      response.end();
    });
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const around: Surroundings = {
    clusters: { grpc: receiver.port, spans: 1, http: (http.address() as AddressInfo).port, nobody: 1 },
    clusterOptions: { grpc: HTTP2, spans: HTTP2 },
    logFormat: '',
    statsFilter: 'open_telemetry_access_log',
    // They come with the answers to what is sent, after the records.
    counted: (stats) => {
      const written = Object.entries(stats).filter(([name]) => name.endsWith('.logs_written'));
      return written.reduce((sum, [, count]) => sum + count, 0) >= 2 * (Object.keys(LOGS).length - 1);
    },
    arrived: () => {
      for (const { messages, headers } of receiver.streams)
        for (const message of messages.splice(0)) take(message, headers, '');
      return Object.keys(LOGS).every((name) => name === 'lost' || (seen.get(name)?.records.length ?? 0) >= 2);
    },
  };
  const echo = await startEcho();
  const side = async (start: Parameters<typeof observe>[3]): Promise<void> => {
    receiver.streams.length = 0;
    seen = new Map();
    const observed = await observe(CASES, echo.port, around, start);
    sides.push({ seen, observed });
  };
  await side(async (config) => {
    const envoy = await startEnvoy(config);
    return { ...envoy, admin: envoy.adminPort };
  });
  await side(async (config) => {
    const admin = await freePort();
    const address = { socketAddress: { address: '127.0.0.1', portValue: admin } };
    return { ...(await startProxy({ ...config, admin: { address } })), admin };
  });
  await echo.stop();
}, 60_000);
afterAll(async () => {
  await receiver.stop();
  http.close();
});

test.each(Object.keys(LOGS).filter((name) => name !== 'lost'))('%s', (name) => {
  const [theirs, ours] = sides;
  expect(theirs!.seen.get(name)?.records).toHaveLength(2);
  expect(ours!.seen.get(name)).toEqual(theirs!.seen.get(name));
});
test('counters', () => {
  const [theirs, ours] = sides;
  expect(theirs!.observed.stats).toHaveProperty(['access_logs.open_telemetry_access_log.lost.logs_dropped'], 2);
  expect(ours!.observed.stats).toEqual(theirs!.observed.stats);
});

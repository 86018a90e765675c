/** What collectors get besides spans and records, beside real Envoy: the heads of the requests that bring them. */
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { ask, startRaw, TYPE } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

const field = (key: string, header: object, more: object = {}): object => ({ header: { key, ...header }, ...more });
const FIELDS = [
  field('X-Key', { value: 'abc' }),
  field('x-a', { value: 'first' }),
  field('x-a', { value: 'second' }, { appendAction: 'ADD_IF_ABSENT' }),
  field('x-empty', { value: '' }),
  field('x-raw', { rawValue: 'YWJj' }),
  field('x-protocol', { value: '%PROTOCOL%' }),
  field('x-year', { value: '%START_TIME(%Y)%' }),
  field('x-percent', { value: '100%%' }),
];
const OWN = [
  field('host', { value: 'y' }),
  field('content-type', { value: 'text/x' }),
  field('user-agent', { value: 'me' }),
];
const PSEUDO = [
  field(':path', { value: '/otel-pseudo' }),
  field(':method', { value: 'PUT' }),
  field(':authority', { value: 'z' }),
  field(':scheme', { value: 'https' }),
  field(':other', { value: 'x' }),
];
const service = (uri: string, timeout: string, ...requestHeadersToAdd: readonly object[]): object => ({
  httpUri: { uri, cluster: 'collector', timeout },
  requestHeadersToAdd,
});
const tracer = (type: string, config: object): object => ({
  tracing: { provider: { name: type, typedConfig: { '@type': `${TYPE}envoy.config.trace.v3.${type}`, ...config } } },
});
const zipkin = (config: object): object => tracer('ZipkinConfig', { collectorEndpointVersion: 'HTTP_JSON', ...config });
const otel = (httpService: object): object => tracer('OpenTelemetryConfig', { httpService });
const log = (httpService: object): object => ({
  accessLog: [
    {
      name: 'otel',
      typedConfig: {
        '@type': `${TYPE}envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig`,
        logName: 'log',
        bufferSizeBytes: 1,
        disableBuiltinLabels: true,
        httpService,
      },
    },
  ],
});

/** By the path that they post to. */
const MANAGERS: Readonly<Record<string, object>> = {
  '/zipkin': zipkin({ collectorCluster: 'collector', collectorEndpoint: '/zipkin' }),
  '/zipkin-service': zipkin({ collectorService: service('http://col:9411/zipkin-service', '1s', ...FIELDS) }),
  '/zipkin-path': zipkin({ collectorService: service('/zipkin-path', '0s') }),
  '/zipkin-own': zipkin({ collectorService: service('https://u@col/zipkin-own', '1s', ...OWN) }),
  '/otel': otel(service('http://col/otel', '1s', ...FIELDS)),
  '/otel-bare': otel(service('col/otel-bare', '0s')),
  '/otel-own': otel(service('http://col/otel-own', '1s', ...OWN)),
  '/otel-pseudo': otel(service('http://col/other', '1s', ...PSEUDO)),
  '/log': log(service('http://col/log', '1s', ...FIELDS)),
  '/log-own': log(service('http://col/log-own', '1s', ...OWN)),
};

async function headsFrom(
  start: (config: object) => Promise<{ stop(): Promise<void> }>,
): Promise<Readonly<Record<string, string>>> {
  const up = await startRaw(() => 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  const heads = new Map<string, string>();
  const collector = await startRaw((request) => {
    const head = request.slice(0, request.indexOf('\r\n\r\n'));
    // Each says itself what it is.
    heads.set(head.split(' ')[1]!, head.replace(/(?<=user-agent: OTel-OTLP-Exporter-).*/, 'SDK'));
    return 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
  });
  const paths = Object.keys(MANAGERS);
  const ports: number[] = [];
  for (const _ of paths) ports.push(await freePort());
  const listeners = paths.map((path, i) =>
    listener(ports[i]!, [{ filters: [hcm([routeTo('up')], { statPrefix: `c${i}`, ...MANAGERS[path] })] }]),
  );
  const proxy = await start({
    ...bootstrap(listeners, [staticCluster('up', [up.port]), staticCluster('collector', [collector.port])]),
    node: { id: 'tester', cluster: 'testers' },
    layeredRuntime: {
      layers: [
        {
          name: 'static',
          staticLayer: { 'tracing.zipkin.min_flush_spans': 1, 'tracing.opentelemetry.min_flush_spans': 1 },
        },
      ],
    },
  });
  try {
    for (const port of ports) await ask(port, 'GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
    while (heads.size < paths.length) await wait(25);
    return Object.fromEntries(paths.map((path) => [path, heads.get(path) ?? '']));
  } finally {
    await proxy.stop();
    await collector.stop();
    await up.stop();
  }
}

test('collectors are called as Envoy calls them', { timeout: 240_000 }, async () => {
  const theirs = await headsFrom(startEnvoy);
  expect(theirs['/zipkin-service']).toContain('\r\nx-key: abc\r\n');
  expect(await headsFrom(startWithAdmin)).toEqual(theirs);
});

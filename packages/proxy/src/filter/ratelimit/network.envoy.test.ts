/** Global rate limits on connections beside real Envoy: what client and service see, log lines and counters. */
import { beforeAll, expect, test } from 'vitest';
import { HTTP2, observeBoth, TYPE, type BesideCase, type Observed } from '../testing/beside.ts';
import { startGrpc } from '../testing/grpc-server.ts';

const entry = (key: string, value: string): object => ({ key, value });
const limit = (name: string, descriptors: readonly object[], more: object = {}): BesideCase => ({
  name,
  filters: [],
  network: [
    {
      name: 'envoy.filters.network.ratelimit',
      typedConfig: {
        '@type': `${TYPE}envoy.extensions.filters.network.ratelimit.v3.RateLimit`,
        statPrefix: 'tcp',
        domain: 'shop',
        timeout: '3s',
        descriptors,
        rateLimitService: { transportApiVersion: 'V3', grpcService: { envoyGrpc: { clusterName: 'limits' } } },
        ...more,
      },
    },
  ],
  ask: ['GET / HTTP/1.1\r\nhost: h\r\n\r\n'],
});

const CASES: readonly BesideCase[] = [
  limit('within', [{ entries: [entry('a', 'ok')] }]),
  limit('over', [{ entries: [entry('a', 'over'), entry('b', 'c')] }, { entries: [entry('d', 'e')] }]),
  limit('with operators', [{ entries: [entry('from', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%')] }]),
  limit('with an operator that says nothing', [{ entries: [entry('no', 'a%REQ(x)%b'), entry('none', '%REQ(x)%')] }]),
  limit('an error', [{ entries: [entry('a', 'error')] }]),
  limit('an error that denies', [{ entries: [entry('a', 'error')] }], { failureModeDeny: true }),
  limit('with a limit', [
    { entries: [entry('a', 'ok')], limit: { requestsPerUnit: 5, unit: 'MINUTE' }, hitsAddend: 3 },
  ]),
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  let notes: string[] = [];
  const types = {
    request: 'envoy.service.ratelimit.v3.RateLimitRequest',
    answer: 'envoy.service.ratelimit.v3.RateLimitResponse',
  };
  const service = await startGrpc(types, (request) => {
    notes.push(JSON.stringify(request));
    const asked = JSON.stringify(request);
    if (asked.includes('"error"')) return { status: 14 };
    return {
      message: {
        overallCode: asked.includes('"over"') ? 'OVER_LIMIT' : 'OK',
        dynamicMetadata: { seen: 1 },
      },
    };
  });
  try {
    ({ theirs, ours } = await observeBoth(CASES, {
      clusters: { limits: service.port },
      clusterOptions: { limits: HTTP2 },
      noted: () => {
        const taken = notes;
        notes = [];
        return taken;
      },
      logFormat: '%RESPONSE_CODE% %DYNAMIC_METADATA(envoy.filters.network.ratelimit)%',
      statsFilter: '^ratelimit\\.tcp',
    }));
  } finally {
    await service.stop();
  }
}, 60_000);

test.each(CASES.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
  expect(ours.answers[i]).toEqual(theirs.answers[i]);
});
test('access log', () => {
  expect(ours.log).toEqual(theirs.log);
});
test('counters', () => {
  expect(ours.stats).toEqual(theirs.stats);
});

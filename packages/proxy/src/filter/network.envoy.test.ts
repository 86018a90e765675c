/** Filters of connections beside real Envoy: what client and service see, and counters. */
import { beforeAll, describe, expect, test } from 'vitest';
import { HTTP2, observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';
import { startGrpc } from './testing/grpc-server.ts';

const network = (type: string, config: object): object => ({
  name: `envoy.filters.network.${type.split('.')[0]}`,
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.network.${type}`, ...config },
});
const authorize = (statPrefix: string, cluster: string, config: object = {}): object =>
  network('ext_authz.v3.ExtAuthz', {
    statPrefix,
    transportApiVersion: 'V3',
    grpcService: { envoyGrpc: { clusterName: cluster }, timeout: '3s' },
    ...config,
  });
const limit = (statPrefix: string, maxTokens: number, config: object = {}): object =>
  network('local_ratelimit.v3.LocalRateLimit', {
    statPrefix,
    tokenBucket: { maxTokens, fillInterval: '3600s' },
    ...config,
  });
const get = 'GET / HTTP/1.1\r\nhost: shop.local\r\n\r\n';

const CASES: readonly BesideCase[] = [
  { name: 'allowed', filters: [], network: [authorize('ok', 'allow')], ask: [get] },
  { name: 'denied', filters: [], network: [authorize('no', 'deny')], ask: [get] },
  { name: 'nobody to ask', filters: [], network: [authorize('dead', 'dead')], ask: [get] },
  {
    name: 'failure lets through',
    filters: [],
    network: [authorize('open', 'dead', { failureModeAllow: true })],
    ask: [get],
  },
  {
    name: 'one after the other',
    filters: [],
    network: [authorize('first', 'allow', { includeTlsSession: true }), authorize('second', 'deny')],
    ask: [get],
  },
  { name: 'two connections', filters: [], network: [limit('two', 2)], ask: [get, get, get, get] },
  {
    name: 'a bucket for two filters',
    filters: [],
    network: [limit('shared', 3, { shareKey: 'k' }), limit('shared-too', 3, { shareKey: 'k' })],
    ask: [get, get],
  },
  {
    name: 'others of that name, and of that size',
    filters: [],
    network: [limit('size', 2, { shareKey: 'k' }), limit('name', 3, { shareKey: 'l' }), limit('none', 3)],
    ask: [get, get, get],
  },
  {
    name: 'no limit at the moment',
    filters: [],
    network: [limit('off', 1, { runtimeEnabled: { defaultValue: false, runtimeKey: 'k' } })],
    ask: [get, get],
  },
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  let notes: string[] = [];
  const types = { request: 'envoy.service.auth.v3.CheckRequest', answer: 'envoy.service.auth.v3.CheckResponse' };
  const answering = (code: number): ReturnType<typeof startGrpc> =>
    startGrpc(types, (request) => {
      notes.push(JSON.stringify(request, undefined, 1).replaceAll(/(?<="portValue": )\d+/g, 'PORT'));
      return { message: { status: { code } } };
    });
  const allow = await answering(0);
  const deny = await answering(7);
  try {
    ({ theirs, ours } = await observeBoth(CASES, {
      clusters: { allow: allow.port, deny: deny.port, dead: 1 },
      clusterOptions: { allow: HTTP2, deny: HTTP2, dead: HTTP2 },
      noted: () => {
        const taken = notes;
        notes = [];
        return taken;
      },
      logFormat: '%RESPONSE_CODE%',
      // Connections that are gone when Envoy is asked are not active any more; when it notices is its own affair.
      statsFilter: '^(ext_authz|local_rate_limit)\\.(?!.*active)',
    }));
  } finally {
    await allow.stop();
    await deny.stop();
  }
}, 120_000);

describe('filters of connections', () => {
  test.each(CASES.flatMap(({ name, ask }, i) => ask.map((_, j) => [`${name}: ${j}`, i, j] as const)))(
    '%s',
    (_name, i, j) => {
      expect(ours.answers[i]![j]).toBe(theirs.answers[i]![j]);
    },
  );
  test('counters', () => {
    expect(Object.keys(theirs.stats).length).toBeGreaterThan(8);
    expect(ours.stats).toEqual(theirs.stats);
  });
});

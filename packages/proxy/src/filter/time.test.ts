/** What filters do over time, on a clock that is moved by hand. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Headers } from '../http/headers.ts';
import { CompileContext } from '../program/context.ts';
import { OfflineStream } from '../program/offline-stream.ts';
import { testDeps } from '../program/testing/deps.ts';
import type { CompileDeps, HttpFetch } from '../program/types.ts';
import type { Values } from '../telemetry/collect.ts';
import { GrpcCalls } from '../telemetry/grpc-calls.ts';
import { ResponseFlag, type ConnectionInfo } from '../types.ts';
import { faultFilter } from './fault.ts';
import { jwtFilter } from './jwt/filter.ts';
import { localRateLimitFilter } from './local-ratelimit.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { good, jwks } from './testing/tokens.ts';

const connection: ConnectionInfo = {
  id: 1,
  directRemoteAddress: '127.0.0.1',
  remotePort: 1,
  localAddress: '127.0.0.1',
  localPort: 2,
  tls: undefined,
  requestedServerName: '',
  applicationProtocol: '',
};
const stream = (...flat: string[]): OfflineStream =>
  new OfflineStream(
    { method: 'GET', path: '/', authority: 'h', scheme: 'http', headers: new Headers(flat) },
    connection,
    undefined,
    testDeps.random,
  );
const scope = { name: 'f', counter: () => ({ value: 0 }), place: { resource: 'l', path: [] } };

test('a delay takes as long as it says, and an abort comes after it', async () => {
  const clock = new ManualClock();
  const context = new CompileContext('t', 'l', { ...testDeps, clock });
  const filter = faultFilter(
    context,
    {
      delay: { fixedDelay: '2s', percentage: { numerator: 100 } },
      abort: { httpStatus: 503, percentage: { numerator: 100 } },
      maxActiveFaults: 1,
    },
    scope,
    [],
  );
  const one = stream();
  const result = filter.onRequest!(one);
  expect(result).toBeInstanceOf(Promise);
  // The only fault there may be is busy: the next request passes.
  const other = stream();
  expect(filter.onRequest!(other)).toBeUndefined();
  clock.advance(1999);
  expect(one.reply).toBeUndefined();
  clock.advance(1);
  expect(await result).toBe('stop');
  expect(one.reply).toMatchObject({ status: 503, body: 'fault filter abort', details: 'fault_filter_abort' });
  expect(one.info.responseFlags).toBe(ResponseFlag.DI | ResponseFlag.FI);
});

test('a token bucket fills with time', () => {
  const clock = new ManualClock();
  const context = new CompileContext('t', 'l', { ...testDeps, clock });
  const always = { defaultValue: { numerator: 100 } };
  const filter = localRateLimitFilter(
    context,
    {
      statPrefix: 's',
      tokenBucket: { maxTokens: 2, tokensPerFill: 2, fillInterval: '1s' },
      filterEnabled: always,
      filterEnforced: always,
    },
    scope,
    [],
  );
  const ask = (): unknown => filter.onRequest!(stream());
  expect([ask(), ask(), ask()]).toEqual([undefined, undefined, 'stop']);
  clock.advance(500);
  expect([ask(), ask()]).toEqual([undefined, 'stop']);
  clock.advance(10_000);
  expect([ask(), ask(), ask()]).toEqual([undefined, undefined, 'stop']);
});

test('remote keys are fetched once for all who wait, kept, and fetched again when they are old', async () => {
  const clock = new ManualClock();
  const fetched: HttpFetch[] = [];
  let answer = { status: 200, body: Buffer.from(jwks.inlineString) };
  const fetch = (request: HttpFetch): Promise<typeof answer> => {
    fetched.push(request);
    return Promise.resolve(answer);
  };
  const context = new CompileContext('t', 'l', { ...testDeps, clock, fetch });
  const filter = jwtFilter(
    context,
    {
      providers: {
        p: {
          issuer: 'issuer',
          remoteJwks: { httpUri: { cluster: 'keys', uri: 'https://keys/jwks', timeout: '3s' }, cacheDuration: '60s' },
        },
      },
      rules: [{ match: { prefix: '/' }, requires: { providerName: 'p' } }],
    },
    scope,
    [],
  );
  expect(context.nacks).toEqual([]);
  const ask = () => {
    const one = stream('authorization', `Bearer ${good}`);
    return { one, result: filter.onRequest!(one) };
  };
  const [first, second] = [ask(), ask()];
  expect(await Promise.all([first.result, second.result])).toEqual([undefined, undefined]);
  expect(fetched).toEqual([{ cluster: 'keys', uri: 'https://keys/jwks', timeout: 3000 }]);
  expect(ask().result).toBeUndefined();
  clock.advance(60_000);
  answer = { status: 500, body: Buffer.alloc(0) };
  const late = ask();
  expect(await late.result).toBe('stop');
  expect(late.one.reply).toMatchObject({ status: 401, body: 'Jwks remote fetch is failed' });
  answer = { status: 200, body: Buffer.from(jwks.inlineString) };
  expect(await ask().result).toBeUndefined();
  expect(fetched).toHaveLength(3);
});

test('keys that are fetched in the background never make a request wait again', async () => {
  const clock = new ManualClock();
  let count = 0;
  const fetch = (): Promise<{ status: number; body: Buffer }> => {
    count++;
    return count === 2
      ? Promise.reject(new Error('down'))
      : Promise.resolve({ status: 200, body: Buffer.from(jwks.inlineString) });
  };
  const context = new CompileContext('t', 'l', { ...testDeps, clock, fetch });
  const filter = jwtFilter(
    context,
    {
      providers: {
        p: { remoteJwks: { httpUri: { cluster: 'keys', uri: 'http://keys/' }, cacheDuration: '60s', asyncFetch: {} } },
      },
      rules: [{ match: { prefix: '/' }, requires: { providerName: 'p' } }],
    },
    scope,
    [],
  );
  const ask = (): unknown => filter.onRequest!(stream('authorization', `Bearer ${good}`));
  expect(await ask()).toBeUndefined();
  const settle = (): Promise<void> => new Promise((done) => setImmediate(done));
  await settle();
  clock.advance(55_000);
  expect(count).toBe(2);
  await settle();
  clock.advance(1000);
  expect(count).toBe(3);
  expect(ask()).toBeUndefined();
});

/** Asks for keys as a filter with a provider of remote keys does. */
function asking(remoteJwks: object, clock: ManualClock, fetch: CompileDeps['fetch']): () => unknown {
  const context = new CompileContext('t', 'l', { ...testDeps, clock, fetch });
  const filter = jwtFilter(
    context,
    {
      providers: { p: { remoteJwks: { httpUri: { cluster: 'keys', uri: 'http://keys/' }, ...remoteJwks } } },
      rules: [{ match: { prefix: '/' }, requires: { providerName: 'p' } }],
    },
    scope,
    [],
  );
  expect(context.nacks).toEqual([]);
  return () => filter.onRequest!(stream('authorization', `Bearer ${good}`));
}
const settle = (): Promise<void> => new Promise((done) => setImmediate(done));

test('however many requests find no keys, they are fetched by one at a time', async () => {
  const clock = new ManualClock();
  let count = 0;
  const ask = asking({ asyncFetch: {} }, clock, () => {
    count++;
    return Promise.resolve({ status: 404, body: Buffer.alloc(0) });
  });
  for (let i = 0; i < 20; i++) expect(await Promise.all([ask(), ask(), ask()])).toEqual(['stop', 'stop', 'stop']);
  expect(count).toBe(20);
  expect(clock.waiting).toBe(1);
  clock.advance(1000);
  await settle();
  expect(count).toBe(21);
  expect(clock.waiting).toBe(1);
});

test('keys of a filter that is gone are fetched no more', async () => {
  const clock = new ManualClock();
  let count = 0;
  const begin = async (): Promise<void> => {
    const ask = asking({ asyncFetch: {}, cacheDuration: '60s' }, clock, () => {
      count++;
      return Promise.resolve({ status: 200, body: Buffer.from(jwks.inlineString) });
    });
    expect(await ask()).toBeUndefined();
    clock.advance(55_000);
    await settle();
    expect(count).toBe(2);
  };
  await begin();
  await settle();
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  clock.advance(55_000);
  await settle();
  expect(count).toBe(2);
  expect(clock.waiting).toBe(0);
});

test('who sends requests does not choose how many counters there are', () => {
  const counters = new Set<string>();
  const counting = {
    ...scope,
    counter: (name: string) => {
      counters.add(name);
      return { value: 0 };
    },
  };
  const fault = { abort: { httpStatus: 503, percentage: { numerator: 100 } } };
  const filter = faultFilter(new CompileContext('t', 'l', testDeps), fault, counting, []);
  const calls = new GrpcCalls();
  for (let i = 0; i < 3000; i++) {
    const one = stream('x-envoy-downstream-service-cluster', `service-${i}`);
    expect(filter.onRequest!(one)).toBe('stop');
    filter.onEnd!(one);
    calls.get(`service.method-${i}.`).chargeStatus('0');
    calls.get('service.method-0.').chargeStatus(`${i}`);
  }
  expect([...counters].filter((name) => name.includes('service-'))).toHaveLength(1000);
  const values: Values = new Map();
  calls.addTo(values, 'c');
  expect([...values.keys()].filter((name) => name.endsWith('.success'))).toHaveLength(1001);
  expect(values.get('c.grpc.success')).toBe(2000);
  expect([...values.keys()].filter((name) => name.startsWith('c.grpc.service.method-0.')).length).toBeLessThan(110);
});

test('a bucket that is never filled again is refused', () => {
  const context = new CompileContext('t', 'l', testDeps);
  const tokenBucket = { maxTokens: 1, tokensPerFill: 0, fillInterval: '1s' };
  localRateLimitFilter(context, { statPrefix: 's', tokenBucket }, scope, []);
  expect(JSON.stringify(context.nacks)).toContain('tokensPerFill');
});

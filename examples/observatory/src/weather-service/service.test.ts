import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@mizzen/testkit';
import { afterEach, expect, test } from 'vitest';
import { type Cache, memory, redis, SECONDS } from './cache.ts';
import { offline, type Provider, wttr } from './providers.ts';
import { weatherService } from './service.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const noon = (): Date => new Date('2026-07-01T12:30:00Z');

function service(cache: Cache, provider: Provider = offline(noon)) {
  const app = weatherService({ provider, cache, version: '1.2.3', city: 'Berlin', log: () => {} });
  return async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, text, json: (isJson ? JSON.parse(text) : {}) as Record<string, unknown> };
  };
}

/** wttr.in, as far as it matters here. */
async function fakeWttr(status: number, body: unknown) {
  const asked: { url: string; id: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', id: request.headers['x-request-id'] as string | undefined });
    response.statusCode = status;
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanups.push(() => server.close());
  return { asked, provider: wttr(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1000) };
}

test('without a network the weather is steady for an hour, and each city has its own', async () => {
  const ask = service(memory());
  const { json } = await ask('/api/weather');
  expect(json).toEqual({
    city: 'Berlin',
    temperature_c: expect.any(Number) as number,
    humidity_percent: expect.any(Number) as number,
    wind_kph: expect.any(Number) as number,
    condition: expect.any(String) as string,
    provider: 'offline',
    cached: false,
    version: '1.2.3',
  });
  const again = await offline(() => new Date('2026-07-01T12:59:59Z')).weather('berlin', {});
  expect(again.temperature_c).toBe(json['temperature_c']);
  const cities = ['Berlin', 'Paris', 'Rome', 'Oslo', 'Lima', 'Cairo'];
  const temperatures = await Promise.all(
    cities.map(async (city) => (await offline(noon).weather(city, {})).temperature_c),
  );
  expect(new Set(temperatures).size).toBeGreaterThan(3);
  for (const each of temperatures) expect(each).toBeGreaterThan(15);
});

test('an answer is kept for ten minutes', async () => {
  let now = 1;
  const ask = service(memory(() => now));
  const cached = async (path = '/api/weather'): Promise<unknown> => (await ask(path)).json['cached'];
  expect(await cached()).toBe(false);
  now += 599_000;
  expect(await cached('/api/weather?city=BERLIN')).toBe(true);
  expect(await cached('/api/weather?city=Paris')).toBe(false);
  now += 2_000;
  expect(await cached()).toBe(false);
});

test('hits and misses are counted', async () => {
  const ask = service(memory());
  const count = async (name: string): Promise<number> =>
    Number(new RegExp(`^weather_service_cache_${name}_total (\\d+)$`, 'm').exec((await ask('/metrics')).text)?.[1]);
  const before = [await count('hits'), await count('misses')];
  for (const city of ['A', 'A', 'A', 'B']) await ask(`/api/weather?city=${city}`);
  expect([await count('hits'), await count('misses')]).toEqual([before[0]! + 2, before[1]! + 2]);
  const { text } = await ask('/metrics');
  expect(text).toContain('weather_service_http_requests_total{endpoint="/api/weather",method="GET",status="200"}');
  expect(text).toContain('# TYPE weather_service_http_request_duration_seconds histogram');
});

test('wttr.in is asked for the city, with the headers of the trace', async () => {
  const current = { temp_C: '21', humidity: '40', windspeedKmph: '9', weatherDesc: [{ value: 'Sunny ' }] };
  const { asked, provider } = await fakeWttr(200, { current_condition: [current] });
  const { json } = await service(memory(), provider)('/api/weather?city=S%C3%A3o%20Paulo', { 'x-request-id': 'abc' });
  expect(json).toMatchObject({
    city: 'São Paulo',
    temperature_c: 21,
    humidity_percent: 40,
    wind_kph: 9,
    condition: 'Sunny',
  });
  expect(asked).toEqual([{ url: '/S%C3%A3o%20Paulo?format=j1', id: 'abc' }]);
});

test.each([
  ['an error', 503, {}],
  ['something else', 200, { nothing: true }],
  ['half of it', 200, { current_condition: [{ temp_C: '21' }] }],
])('when wttr.in answers with %s, that is a 502, and nothing is kept', async (_what, status, body) => {
  const { asked, provider } = await fakeWttr(status, body);
  const ask = service(memory(), provider);
  expect(await ask('/api/weather')).toMatchObject({
    status: 502,
    json: { error: 'wttr.in did not say how the weather is' },
  });
  await ask('/api/weather');
  expect(asked).toHaveLength(2);
});

test('what is nothing here is 404, and counted under one label', async () => {
  const ask = service(memory());
  expect((await ask('/api/weather/1')).status).toBe(404);
  expect((await ask(`/api/weather?city=${'x'.repeat(81)}`)).status).toBe(400);
  expect((await ask('/metrics')).text).toContain('endpoint="other",method="GET",status="404"');
});

test('only GET is answered, and other methods are counted by their path', async () => {
  const app = weatherService({
    provider: offline(noon),
    cache: memory(),
    version: '1.2.3',
    city: 'Berlin',
    log: () => {},
  });
  for (const path of ['/api/weather', '/health', '/metrics']) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await app.request(path, { method });
      expect([method, path, status, headers.get('allow')]).toEqual([method, path, 405, 'GET, HEAD']);
    }
    expect((await app.request(path, { method: 'HEAD' })).status).toBe(200);
  }
  expect((await service(memory())('/metrics')).text).toContain(
    'weather_service_http_requests_total{endpoint="/api/weather",method="POST",status="405"}',
  );
});

test('Redis shares the cache; without it each keeps the weather itself, and says once what is wrong', async () => {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-weather-redis-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = new Promise((done) => server.once('exit', done));
  cleanups.push(() => server.kill('SIGKILL'));
  const said: string[] = [];
  const connect = (): Cache => {
    const cache = redis(`redis://127.0.0.1:${port}`, ({ message }) => said.push(message));
    cleanups.push(() => cache.close());
    return cache;
  };
  const cache = connect();
  const one = service(cache);
  const other = service(connect());
  await expect.poll(async () => (await one('/health')).json['status']).toBe('healthy');
  await expect.poll(async () => (await other('/health')).json['status']).toBe('healthy');
  expect((await one('/health')).json['dependencies']).toEqual({ cache: 'redis: healthy', provider: 'offline' });
  expect((await one('/api/weather')).json['cached']).toBe(false);
  expect((await other('/api/weather')).json['cached']).toBe(true);
  expect(SECONDS).toBe(600);
  expect(await cache.get('weather:offline:berlin')).toContain('"city":"Berlin"');
  server.kill('SIGKILL');
  await ended;
  await expect.poll(async () => (await one('/health')).json['status']).toBe('degraded');
  // What it has asked for itself; the other one only knew it from Redis.
  expect(await one('/api/weather')).toMatchObject({ status: 200, json: { cached: true } });
  expect(await other('/api/weather')).toMatchObject({ status: 200, json: { cached: false } });
  expect(await other('/api/weather')).toMatchObject({ status: 200, json: { cached: true } });
  const before = said.length;
  expect(before).toBeGreaterThan(0);
  for (let i = 0; i < 20; i++) await one('/health').then(() => one('/api/weather'));
  expect(said.length - before).toBeLessThan(10);
});

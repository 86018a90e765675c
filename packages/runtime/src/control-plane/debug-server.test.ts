import { request } from 'node:http';
import type { DebugSource } from '@mizzen/control-plane';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DebugServer } from './debug-server.ts';

const EMPTY: DebugSource = { proxies: () => [], endpoints: () => [] };

let source: DebugSource;
let server: DebugServer;
let port: number;

beforeEach(async () => {
  source = EMPTY;
  server = new DebugServer(0, {
    proxies: () => source.proxies(),
    endpoints: () => source.endpoints(),
    metrics: () => 'pilot_services 3\n',
    workloadMetrics: () => 'istio_requests_total{} 1\n',
  });
  port = await server.listen();
});
afterEach(() => server.close());

function ask(
  path: string,
  { method = 'GET', ...headers }: Readonly<Record<string, string>> = {},
): Promise<readonly [status: number, code: string | undefined]> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () => {
        const { error } = JSON.parse(text) as { readonly error?: { readonly code: string } };
        resolve([response.statusCode ?? 0, error?.code]);
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('only this machine reads, by a name of its own, and nothing can be changed', async () => {
  expect(await ask('/ready')).toEqual([200, undefined]);
  expect(await ask('/debug/syncz', { host: `evil.example:${port}` })).toEqual([403, 'bad-host']);
  expect(await ask('/debug/syncz', { host: 'localhost:1' })).toEqual([403, 'bad-host']);
  expect(await ask('/debug/syncz', { origin: 'http://evil.example' })).toEqual([403, 'bad-origin']);
  expect(await ask('/debug/syncz', { 'sec-fetch-site': 'cross-site' })).toEqual([403, 'bad-origin']);
  expect(await ask('/debug/syncz', { method: 'POST' })).toEqual([405, 'method-not-allowed']);
});

test.each(['//', 'http://', 'http://[/', '/\\'])(
  'what is no address (`%s`) is a bad request, no crash',
  async (path) => {
    expect(await ask(path)).toEqual([400, 'bad-target']);
    expect(await ask('/ready')).toEqual([200, undefined]);
  },
);

test.each([
  ['/metrics', 'pilot_services 3\n'],
  ['/metrics/workloads', 'istio_requests_total{} 1\n'],
])('metrics come as text: %s', async (path, text) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await answer.text()).toBe(text);
});

test('a page that fails is an answer, no crash', async () => {
  source = {
    ...EMPTY,
    endpoints: () => {
      throw new Error('a fault');
    },
  };
  expect(await ask('/debug/endpointz')).toEqual([500, 'internal']);
  expect(await ask('/debug/syncz')).toEqual([200, undefined]);
});

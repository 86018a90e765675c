import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '@mizzen/testkit';
import { MetricsServer } from './metrics-server.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function application(status: number, body: string): Promise<number> {
  const server: Server = createServer((request, response) => {
    response.statusCode = request.url === '/own/metrics?all' ? status : 404;
    response.end(body);
  });
  open.push(server);
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)));
}

function fetchText(
  port: number,
  path = '/stats/prometheus',
  accept = '',
): Promise<{ status: number; body: string; type: string }> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, headers: { accept }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      const type = response.headers['content-type'] ?? '';
      response.on('end', () => resolve({ status: response.statusCode!, body, type }));
    }).on('error', reject);
  });
}

async function serve(applicationPort?: number): Promise<number> {
  const port = await freePort();
  const application =
    applicationPort === undefined
      ? undefined
      : { address: '127.0.0.1', port: applicationPort, path: '/own/metrics?all' };
  const server = new MetricsServer(
    { address: '127.0.0.1', port, application },
    () => 'own 1\n',
    () => undefined,
  );
  open.push(server);
  return port;
}

test('the application comes behind the proxy, without an end of its own', async () => {
  const port = await serve(await application(200, 'app{a="b"} 2\n# EOF\n'));
  const { status, body, type } = await fetchText(port);
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  expect(body).toContain('own 1\napp{a="b"} 2\n');
  expect(body).not.toContain('EOF');
  expect(body).toContain('istio_agent_scrape_failures_total{type="application"} 0\n');
});

test.each([
  ['answers with an error', () => application(500, 'no')],
  ['is not there', freePort],
])('an application that %s is left out, and counted', async (_name, start) => {
  const port = await serve(await start());
  const { status, body } = await fetchText(port);
  expect(status).toBe(200);
  expect(body).toContain('own 1\n');
  expect(body).not.toContain('no\n');
  expect((await fetchText(port)).body).toContain('istio_agent_scrape_failures_total{type="application"} 2\n');
});

test('the proxy alone, where that is asked for', async () => {
  const port = await freePort();
  const place = { address: '127.0.0.1', port, proxyOnly: true };
  open.push(
    new MetricsServer(
      place,
      () => 'own 1\n',
      () => undefined,
    ),
  );
  expect((await fetchText(port)).body).toBe('own 1\n');
});

const OPEN = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

test('OpenMetrics for who asks for it, with one end', async () => {
  const port = await serve(await application(200, '# app\n# TYPE app counter\napp{a="b"} 2\n# EOF\n'));
  const { body, type } = await fetchText(port, '/stats/prometheus', OPEN);
  expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(body).toContain('# TYPE istio_agent_scrapes counter\nistio_agent_scrapes_total 1\n');
  expect(body).toMatch(/own 1\n# TYPE app unknown\napp\{a="b"\} 2\n# EOF\n$/);
});

test('text where the application says what OpenMetrics does not have', async () => {
  const port = await serve(await application(200, 'app { a = "b" } 2\n'));
  const { body, type } = await fetchText(port, '/stats/prometheus', OPEN);
  expect(type).toMatch(/^text\/plain/);
  expect(body).toMatch(/own 1\napp \{ a = "b" \} 2\n$/);
});

test('there is nothing else', async () => {
  expect((await fetchText(await serve(), '/stats')).status).toBe(404);
});

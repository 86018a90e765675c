import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from './lib/engines.ts';
import { type Answer, type Mesh, send, up } from './lib/mesh.ts';

const PORTS = { 'time-service': 5001, 'system-info-service': 5002, 'weather-service': 5003, 'dashboard-service': 5000 };
type Name = keyof typeof PORTS;

/** What is built is kept from one mesh to the next, as for a person. */
const stateDir = mkdtempSync(join(tmpdir(), 'mizzen-observatory-'));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
/** The first start downloads Python packages. */
const BUILD_MS = 240_000;

interface Observatory {
  readonly mesh: Mesh;
  readonly metrics: (name: Name) => Promise<Answer>;
}

async function start(engine: Engine = 'embedded', env: Record<string, string> = {}): Promise<Observatory> {
  const metricsPort = await freePort();
  const args = ['examples/observatory', '--gateway-port', `9464=${metricsPort}`];
  const onEnvoy = ['dashboard-service', 'weather-service'];
  const mesh = await up(args, { engine, onEnvoy, stateDir, env, readyMs: BUILD_MS });
  return {
    mesh,
    metrics: (name) => send(metricsPort, '/metrics', { headers: { host: `${name}:${PORTS[name]}` } }),
  };
}

interface Body {
  readonly time: string;
  readonly status: string;
  readonly services: Readonly<
    Record<string, { readonly status: string; readonly data: { readonly cached?: boolean } }>
  >;
}
const parse = (answer: Answer): Body => JSON.parse(answer.body) as Body;
/** The value of a series; NaN when there is none. */
function value(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1));
}

describe.each<Engine>(['embedded', 'mixed'])('the observatory, %s', (engine) => {
  let mesh: Mesh;
  let metrics: Observatory['metrics'];
  beforeAll(async () => {
    ({ mesh, metrics } = await start(engine));
  }, BUILD_MS);
  afterAll(() => mesh.kill('SIGINT'));
  const curl = (from: string, url: string) => mesh.mizzen('curl', '--from', from, '-n', 'observatory', '-i', url);

  it('shows the page, the time, and all three together', async () => {
    expect(await mesh.get('/')).toMatchObject({ status: 200, body: expect.stringContaining('/api/time-proxy') });
    const asked = Date.now();
    const time = await mesh.get('/api/time-proxy');
    expect(time.status).toBe(200);
    // It tells seconds.
    expect(Date.parse(parse(time).time)).toBeGreaterThan(asked - 1000);
    expect(Date.parse(parse(time).time)).toBeLessThanOrEqual(Date.now());
    const all = await mesh.get('/api/aggregate');
    expect(all.status).toBe(200);
    expect(parse(all)).toMatchObject({
      status: 'healthy',
      services: {
        'time-service': { status: 'ok', data: { service: 'time-service', timezone: expect.any(String) } },
        'system-info-service': { status: 'ok', data: { cpu: { count: expect.any(Number) }, platform: 'Linux' } },
        'weather-service': { status: 'ok', data: { city: 'Berlin', provider: 'offline' } },
      },
    });
  });

  it('says how healthy it is, with dependencies and version', async () => {
    expect(parse(await mesh.get('/health'))).toEqual({
      status: 'healthy',
      service: 'dashboard-service',
      version: '1.0.0',
      dependencies: { 'time-service': 'healthy', 'system-info-service': 'healthy', 'weather-service': 'healthy' },
    });
  });

  it('keeps the weather for a while', async () => {
    await mesh.get('/api/aggregate');
    const before = (await metrics('weather-service')).body;
    expect(parse(await mesh.get('/api/aggregate')).services['weather-service']?.data.cached).toBe(true);
    const after = (await metrics('weather-service')).body;
    const hits = 'weather_service_cache_hits_total';
    expect(value(after, hits) - value(before, hits)).toBe(1);
    expect(value(after, 'weather_service_cache_misses_total')).toBe(1);
  });

  it.each(Object.keys(PORTS) as Name[])('%s counts its requests by endpoint, method and status', async (name) => {
    const prefix = name.replaceAll('-', '_');
    const endpoint = {
      'time-service': '/api/time',
      'system-info-service': '/api/sysinfo',
      'weather-service': '/api/weather',
      'dashboard-service': '/api/aggregate',
    }[name];
    const counted = async (): Promise<number[]> => {
      const { status, body } = await metrics(name);
      expect(status).toBe(200);
      return [
        value(body, `${prefix}_http_requests_total{endpoint="${endpoint}",method="GET",status="200"}`),
        value(body, `${prefix}_http_request_duration_seconds_count{endpoint="${endpoint}",method="GET"}`),
        value(body, `${prefix}_http_request_duration_seconds_bucket{endpoint="${endpoint}",method="GET",le="+Inf"}`),
      ].filter((each) => !Number.isNaN(each));
    };
    const before = await counted();
    await mesh.get('/api/aggregate');
    await mesh.get('/api/aggregate');
    // Clients differ in how they order labels, so a bucket may go by another name.
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(await counted()).toEqual(before.map((each) => each + 2));
  });

  it('measures its upstreams', async () => {
    const { body } = await metrics('dashboard-service');
    for (const upstream of ['time-service', 'system-info-service', 'weather-service']) {
      const series = `dashboard_service_upstream_request_duration_seconds_count{status="200",upstream="${upstream}"}`;
      expect([upstream, value(body, series)]).toEqual([upstream, expect.any(Number)]);
      expect(value(body, series)).toBeGreaterThan(0);
    }
  });

  it('lets in whom it should', async () => {
    expect(await mesh.get('/metrics')).toMatchObject({ status: 404 });
    expect((await curl('weather-service', 'http://time-service:5001/api/time')).stdout).toContain('403');
    expect((await curl('dashboard-service', 'http://time-service:5001/api/time')).stdout).toContain('200 OK');
    expect((await curl('dashboard-service', 'http://time-service:5001/metrics')).stdout).toContain('403');
    expect((await curl('weather-service', 'http://example.com/')).stdout).toContain('502');
  });

  it('does without what is down, and notices when it is back', async () => {
    expect((await mesh.mizzen('scale', 'weather-service=0', 'time-service=0', '-n', 'observatory')).status).toBe(0);
    await expect
      .poll(async () => parse(await mesh.get('/api/aggregate')), { interval: 200 })
      .toMatchObject({
        status: 'degraded',
        services: {
          'time-service': { status: 'unavailable', error: 'it answered 503' },
          'system-info-service': { status: 'ok' },
          'weather-service': { status: 'unavailable', error: 'it answered 503' },
        },
      });
    expect(await mesh.get('/api/aggregate')).toMatchObject({ status: 200 });
    expect(await mesh.get('/api/time-proxy')).toMatchObject({
      status: 503,
      body: '{"error":"time-service is unavailable: it answered 503"}',
    });
    expect(parse(await mesh.get('/health'))).toMatchObject({
      status: 'degraded',
      dependencies: { 'time-service': 'unavailable', 'system-info-service': 'healthy' },
    });
    await mesh.mizzen('scale', 'weather-service=1', 'time-service=1', '-n', 'observatory');
    await expect.poll(async () => parse(await mesh.get('/api/aggregate')).status, { interval: 200 }).toBe('healthy');
  });
});

it(
  'starts again without a network; without Go all but the time is there',
  async () => {
    const bin = mkdtempSync(join(tmpdir(), 'mizzen-path-'));
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    symlinkSync(python, join(bin, 'python3'));
    const nowhere = 'http://127.0.0.1:9/';
    const offline = { PATH: bin, PIP_INDEX_URL: nowhere, PIP_RETRIES: '0', GOPROXY: 'off' };
    symlinkSync(process.execPath, join(bin, 'node'));
    const { mesh } = await start('embedded', offline);
    try {
      expect(mesh.output()).toContain('time-service.observatory Failed: `go` is not installed 0/1\n');
      expect(mesh.output().match(/is not installed/g)).toHaveLength(1);
      expect(parse(await mesh.get('/api/aggregate'))).toMatchObject({
        status: 'degraded',
        services: { 'time-service': { status: 'unavailable' }, 'system-info-service': { status: 'ok' } },
      });
    } finally {
      await mesh.kill('SIGINT');
      rmSync(bin, { recursive: true });
    }
  },
  BUILD_MS,
);

it('without Go and Python the rest runs', async () => {
  const bin = mkdtempSync(join(tmpdir(), 'mizzen-path-'));
  const fresh = mkdtempSync(join(tmpdir(), 'mizzen-observatory-fresh-'));
  symlinkSync(process.execPath, join(bin, 'node'));
  // Nothing that could be run.
  mkdirSync(join(bin, 'go'));
  const mesh = await up(['examples/observatory'], { stateDir: fresh, env: { PATH: bin }, readyMs: 60_000 });
  try {
    expect(mesh.output()).toContain('time-service.observatory Failed: `go` is not installed 0/1\n');
    for (const name of ['system-info-service', 'dashboard-service']) {
      expect(mesh.output()).toContain(`${name}.observatory Failed: \`python3\` is not installed 0/1\n`);
    }
    expect(mesh.output()).toContain('weather-service.observatory running 1/1\n');
    expect(await mesh.get('/')).toMatchObject({ status: 503, body: 'no healthy upstream' });
  } finally {
    await mesh.stop();
    rmSync(bin, { recursive: true });
  }
}, 90_000);

describe('the dashboard and a slow upstream', () => {
  it('waits 3 s for each, 2 s for the time alone', async () => {
    // Headers at once, then a byte now and then: no single step takes long.
    let [open, most] = [0, 0];
    const slow = createServer((_request, response) => {
      most = Math.max(most, ++open);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
      const timer = setInterval(() => response.write(' '), 300);
      response.on('close', () => {
        open--;
        clearInterval(timer);
      });
    });
    await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const port = await freePort();
    const python = join(stateDir, 'build/observatory.dashboard-service/dashboard-service/bin/python');
    const child = spawn(python, ['dashboard_service.py'], {
      cwd: join(repositoryRoot, 'examples/observatory/src/python'),
      env: {
        PORT: String(port),
        PYTHONDONTWRITEBYTECODE: '1',
        TIME_SERVICE_URL: url,
        SYSTEM_INFO_SERVICE_URL: url,
        WEATHER_SERVICE_URL: url,
      },
      stdio: 'ignore',
    });
    try {
      await expect
        .poll(() =>
          send(port, '/health/live').then(
            ({ status }) => status,
            () => 0,
          ),
        )
        .toBe(200);
      const timed = async (path: string): Promise<{ status: number; body: string; seconds: number }> => {
        const started = performance.now();
        const { status, body } = await send(port, path);
        return { status, body, seconds: (performance.now() - started) / 1000 };
      };
      const all = await timed('/api/aggregate');
      expect(all.status).toBe(503);
      expect(JSON.parse(all.body)).toMatchObject({
        status: 'unavailable',
        services: { 'time-service': { error: 'no answer within 3 s' } },
      });
      // All three at the same time.
      expect(most).toBe(3);
      expect(all.seconds).toBeGreaterThan(2.9);
      const time = await timed('/api/time-proxy');
      expect(time).toMatchObject({ status: 503, body: expect.stringContaining('no answer within 2 s') });
      expect(time.seconds).toBeGreaterThan(1.9);
      const { body } = await send(port, '/metrics');
      const series =
        'dashboard_service_upstream_request_duration_seconds_count{status="timeout",upstream="time-service"}';
      expect(value(body, series)).toBe(2);
    } finally {
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await gone;
      slow.closeAllConnections();
      slow.close();
    }
  });
});

it('the time service passes its own tests', () => {
  const cwd = join(repositoryRoot, 'examples/observatory/src/time-service');
  expect(execFileSync('go', ['vet', '.'], { cwd, encoding: 'utf8' })).toBe('');
  expect(execFileSync('go', ['test', '.'], { cwd, encoding: 'utf8' })).toContain('ok');
}, 120_000);

import { Hono } from 'hono';
import type { Cache } from './cache.ts';
import { metrics } from './metrics.ts';
import type { Provider, Weather } from './providers.ts';

/** Headers that tie a request to the one that caused it; passed on to whoever is asked. */
const TRACE = [
  'x-request-id',
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
];

const OTHER_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export interface Options {
  readonly provider: Provider;
  readonly cache: Cache;
  readonly version: string;
  readonly city: string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** All that the service answers. */
export function weatherService({ provider, cache, version, city: usual, log }: Options): Hono {
  const app = new Hono();

  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    const known = c.res.status !== 404 && c.req.path !== '/metrics';
    if (c.req.path === '/metrics') return;
    const took = performance.now() - started;
    metrics.count(known ? c.req.path : 'other', c.req.method, c.res.status, took);
    if (c.req.path.startsWith('/api/')) {
      const { method, path } = c.req;
      log({ method, path, status: c.res.status, request_id: c.req.header('x-request-id') });
    }
  });

  app.get('/api/weather', async (c) => {
    const city = c.req.query('city')?.trim() || usual;
    if (city.length > 80) return c.json({ error: 'no city has such a long name' }, 400);
    const key = `weather:${provider.name}:${city.toLowerCase()}`;
    const kept = await cache.get(key);
    if (kept !== undefined) {
      metrics.hits.inc();
      return c.json({ ...(JSON.parse(kept) as Weather), provider: provider.name, cached: true, version });
    }
    metrics.misses.inc();
    const headers: Record<string, string> = {};
    for (const name of TRACE) {
      const value = c.req.header(name);
      if (value !== undefined) headers[name] = value;
    }
    let weather: Weather;
    try {
      weather = await provider.weather(city, headers);
    } catch (error) {
      log({ level: 'error', provider: provider.name, error: String(error) });
      return c.json({ error: `${provider.name} did not say how the weather is` }, 502);
    }
    await cache.set(key, JSON.stringify(weather));
    return c.json({ ...weather, provider: provider.name, cached: false, version });
  });

  app.get('/health', async (c) => {
    let kept = 'healthy';
    try {
      await cache.check();
    } catch {
      kept = 'unhealthy';
    }
    // Without its cache it still answers, so it is no less ready.
    return c.json({
      status: kept === 'healthy' ? 'healthy' : 'degraded',
      service: 'weather-service',
      version,
      dependencies: { cache: `${cache.name}: ${kept}`, provider: provider.name },
    });
  });

  app.get('/metrics', async (c) =>
    c.text(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  );
  app.on(OTHER_METHODS, ['/api/weather', '/health', '/metrics'], (c) =>
    c.json({ error: 'only GET is answered' }, 405, { allow: 'GET, HEAD' }),
  );
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  return app;
}

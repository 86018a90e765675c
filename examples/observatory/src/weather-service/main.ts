/** weather-service: GET /api/weather?city=…, /health and /metrics. */
import { serve } from '@hono/node-server';
import { memory, redis } from './cache.ts';
import { offline, wttr } from './providers.ts';
import { weatherService } from './service.ts';

const setting = (name: string, fallback: string): string => process.env[name] || fallback;
const log = (entry: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), service: 'weather-service', ...entry })}\n`);
};

const chosen = setting('WEATHER_PROVIDER', 'offline');
if (chosen !== 'offline' && chosen !== 'wttr') throw new Error(`WEATHER_PROVIDER is offline or wttr, not ${chosen}`);
const provider = chosen === 'wttr' ? wttr(setting('WTTR_URL', 'http://wttr.in'), 2500) : offline(() => new Date());

const { REDIS_URL } = process.env;
const cache = REDIS_URL ? redis(REDIS_URL, (error) => log({ level: 'warning', redis: error.message })) : memory();

const app = weatherService({
  provider,
  cache,
  version: setting('VERSION', '1.0.0'),
  city: setting('WEATHER_CITY', 'Berlin'),
  log,
});
const port = Number(setting('PORT', '5003'));
const hostname = setting('HOST', '127.0.0.1');
const server = serve({ fetch: app.fetch, port, hostname }, () => log({ listening: `${hostname}:${port}` }));
const stop = (): void => {
  server.close(() => {
    cache.close();
    process.exit(0);
  });
  if ('closeIdleConnections' in server) server.closeIdleConnections();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

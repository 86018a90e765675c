import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const registry = new Registry();
collectDefaultMetrics({ register: registry });

const requests = new Counter({
  name: 'weather_service_http_requests_total',
  help: 'Requests answered.',
  labelNames: ['endpoint', 'method', 'status'],
  registers: [registry],
});
const seconds = new Histogram({
  name: 'weather_service_http_request_duration_seconds',
  help: 'Time to answer.',
  labelNames: ['endpoint', 'method'],
  registers: [registry],
});

export const metrics = {
  registry,
  hits: new Counter({
    name: 'weather_service_cache_hits_total',
    help: 'Answers from the cache.',
    registers: [registry],
  }),
  misses: new Counter({
    name: 'weather_service_cache_misses_total',
    help: 'Answers that the provider was asked for.',
    registers: [registry],
  }),
  count(endpoint: string, method: string, status: number, milliseconds: number): void {
    requests.inc({ endpoint, method, status });
    seconds.observe({ endpoint, method }, milliseconds / 1000);
  },
};

/** microservice-1: GET /api/greet, with /health and /metrics. Listens on PORT, 3000 by default. */
import { createServer } from 'node:http';
import { Counter, Histogram, Registry } from 'prom-client';

const port = Number(process.env['PORT'] ?? 3000);
// Under a mesh on one machine HOST stays unset: only the sidecar should reach it. In a container it is 0.0.0.0.
const host = process.env['HOST'] ?? '127.0.0.1';

const registry = new Registry();
const requests = new Counter({
  name: 'microservice_1_http_requests_total',
  help: 'Requests answered.',
  labelNames: ['endpoint', 'method', 'status'],
  registers: [registry],
});
const seconds = new Histogram({
  name: 'microservice_1_http_request_duration_seconds',
  help: 'Time to answer.',
  labelNames: ['endpoint', 'method'],
  registers: [registry],
});

const server = createServer((request, response) => {
  const started = performance.now();
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const method = request.method ?? 'GET';
  const answer = (status: number, body: unknown): void => {
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
    // Unknown paths share one label, or a scanner could make as many series as it likes.
    const endpoint = status === 404 ? 'other' : pathname;
    requests.inc({ endpoint, method, status });
    seconds.observe({ endpoint, method }, (performance.now() - started) / 1000);
    // The sidecar gives every request an id and a trace; with them in the log, one line leads to the other.
    const { 'x-request-id': request_id, traceparent } = request.headers;
    if (endpoint === '/api/greet') {
      process.stdout.write(`${JSON.stringify({ method, path: pathname, status, request_id, traceparent })}\n`);
    }
  };
  if (pathname === '/metrics') {
    void registry.metrics().then((text) => {
      response.setHeader('content-type', registry.contentType);
      response.end(text);
    });
  } else if (pathname === '/health') answer(200, { status: 'healthy', version: process.env['VERSION'] ?? 'v1' });
  else if (pathname !== '/api/greet') answer(404, { error: 'not found' });
  else if (method !== 'GET') answer(405, { error: 'only GET is answered' });
  else answer(200, { message: 'Hello from Microservice 1!' });
});

server.listen(port, host, () => process.stdout.write(`listening on ${host}:${port}\n`));
process.once('SIGTERM', () => server.close());

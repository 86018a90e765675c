import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { pino, type Logger } from 'pino';
import * as v from 'valibot';
import type { Metrics } from './metrics.ts';
import type { Operation } from './openapi.ts';
import { Problem } from './problem.ts';
import { setting } from './settings.ts';
import { variant, version } from './version.ts';

/** Something that a service works with, as its health tells of it. */
export interface Dependency {
  /** Resolves when it answers. */
  readonly check: () => Promise<void>;
  /** Whether the service can do nothing without it. Without another one it is degraded: it works, and something waits. */
  readonly required: boolean;
}

export interface Lifecycle {
  /** Ends what the service does by itself (consumers, relays) after the piece under way; runs beside the last requests. */
  readonly drain?: () => Promise<void>;
  /** Runs after the last request. */
  readonly close?: () => Promise<void>;
}

export interface Service {
  readonly app: Hono;
  readonly log: Logger;
  /** Starts listening on PORT and stops cleanly on SIGTERM. */
  readonly start: (lifecycle?: Lifecycle) => void;
}

const CHECK_MS = 2000;
/** Kubernetes waits longer than this before it ends a process (terminationGracePeriodSeconds). */
const LAST_REQUESTS_MS = 7000;

/**
 * What every service of the store has: health, metrics, an OpenAPI document, structured logs and problem details.
 * `dependencies` is read with each question about its health.
 */
export function createService(
  name: string,
  operations: readonly Operation[],
  dependencies: () => Readonly<Record<string, Dependency>> = () => ({}),
): Service {
  const port = Number(setting('PORT'));
  const log = pino({ base: { service: name, version, variant }, level: process.env.LOG_LEVEL ?? 'info' });
  let loaded: Promise<Metrics> | undefined;
  // With the first request: a service does not need them to start.
  const metrics = (): Promise<Metrics> => (loaded ??= import('./metrics.ts').then((module) => module.createMetrics()));
  const app = new Hono();
  let stopping = false;

  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    const took = (performance.now() - started) / 1000;
    const { method, path } = c.req;
    if (path.startsWith('/health') || path === '/metrics') return;
    const { requests, seconds } = await metrics();
    const route = c.req.routePath;
    requests.inc({ method, route, status: c.res.status });
    seconds.observe({ method, route }, took);
    const request_id = c.req.header('x-request-id');
    log.info({ method, path, status: c.res.status, milliseconds: Math.round(took * 1e4) / 10, request_id }, 'request');
  });
  app.onError((error, c) => {
    if (error instanceof Problem) return error.response(c.req.path);
    log.error({ err: error, path: c.req.path }, 'failed');
    return new Problem(500, 'Internal Server Error', 'something went wrong here; the log has the details').response(
      c.req.path,
    );
  });
  app.notFound((c) =>
    new Problem(404, 'Not Found', `${c.req.method} ${c.req.path} is nothing here`).response(c.req.path),
  );

  const about = { service: name, version, ...(variant === undefined ? {} : { variant }) };
  app.get('/health/live', (c) => c.json({ status: 'ok', ...about }));
  app.get('/health/ready', async (c) => {
    if (stopping) return new Problem(503, 'Service Unavailable', 'it is stopping').response(c.req.path);
    const { status, states } = await health(dependencies());
    if (status !== 'unavailable') return c.json({ status: 'ready' });
    const [missing] = Object.entries(states).filter(([, state]) => state.required && state.status === 'down');
    const detail = missing === undefined ? 'something is missing' : `${missing[0]}: ${missing[1].error}`;
    return new Problem(503, 'Service Unavailable', detail).response(c.req.path);
  });
  app.get('/health', async (c) => {
    const { status, states } = await health(dependencies());
    return c.json({ status, ...about, dependencies: states }, status === 'unavailable' ? 503 : 200);
  });
  app.get('/openapi.json', async (c) => {
    const { describe } = await import('./openapi.ts');
    const { commonOperations } = await import('./common-operations.ts');
    return c.json(await describe(`store: ${name}`, [...operations, ...commonOperations]));
  });
  app.get('/metrics', async (c) => {
    const { registry } = await metrics();
    return c.text(await registry.metrics(), 200, { 'content-type': registry.contentType });
  });

  function start({ drain = async () => {}, close = async () => {} }: Lifecycle = {}): void {
    const hostname = setting('HOST', '127.0.0.1');
    const server = serve({ fetch: app.fetch, port, hostname }, () => log.info({ port }, 'listening')) as Server;
    const stop = async (): Promise<void> => {
      if (stopping) return;
      stopping = true;
      const closed = new Promise((done) => server.close(done));
      // A connection is idle only once its last answer is out; clients would hold it open for long.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const late = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS);
      await Promise.all([closed, drain()]);
      clearInterval(idle);
      clearTimeout(late);
      await close();
      log.info('stopped');
      process.exit(0);
    };
    const stopOrFail = (): void =>
      void stop().catch((error: unknown) => {
        log.error({ err: error }, 'did not stop cleanly');
        process.exit(1);
      });
    process.on('SIGTERM', stopOrFail);
    process.on('SIGINT', stopOrFail);
  }
  return { app, log, start };
}

interface State {
  readonly status: 'up' | 'down';
  readonly required: boolean;
  readonly error?: string;
}

async function health(
  dependencies: Readonly<Record<string, Dependency>>,
): Promise<{ status: 'ok' | 'degraded' | 'unavailable'; states: Record<string, State> }> {
  const entries = await Promise.all(
    Object.entries(dependencies).map(async ([name, { check, required }]): Promise<[string, State]> => {
      try {
        await within(CHECK_MS, check());
        return [name, { status: 'up', required }];
      } catch (error) {
        return [name, { status: 'down', required, error: said(error) }];
      }
    }),
  );
  const down = entries.filter(([, state]) => state.status === 'down');
  const status = down.some(([, { required }]) => required) ? 'unavailable' : down.length > 0 ? 'degraded' : 'ok';
  return { status, states: Object.fromEntries(entries) };
}

/** Several addresses that were tried in vain make an error without a message of its own. */
function said(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(said).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Parses a request's JSON body by a schema; throws a Problem that lists what is wrong with it. */
export async function body<S extends v.GenericSchema>(
  request: { json(): Promise<unknown> },
  schema: S,
): Promise<v.InferOutput<S>> {
  let json: unknown;
  try {
    json = await request.json();
  } catch {
    throw new Problem(400, 'Bad Request', 'the body is not JSON');
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const errors = result.issues.map((issue) => ({ field: v.getDotPath(issue) ?? '', message: issue.message }));
  throw new Problem(422, 'Unprocessable Content', 'the body does not fit', { errors });
}

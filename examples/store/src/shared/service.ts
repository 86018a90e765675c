import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { pino, type Logger } from 'pino';
import * as v from 'valibot';
import type { Metrics } from './metrics.ts';
import { Problem } from './problem.ts';
import { setting } from './settings.ts';

export interface Service {
  readonly app: Hono;
  readonly log: Logger;
  /** Starts listening on PORT and stops cleanly on SIGTERM; `close` runs after the last request. */
  readonly start: (close?: () => void | Promise<void>) => void;
}

/**
 * What every service of the store has: health, metrics, structured logs and problem details.
 * `ready` says whether it can do its work (a database that answers, say).
 */
export function createService(name: string, ready: () => Promise<void> | void = () => {}): Service {
  const log = pino({ base: { service: name, version: process.env.VERSION }, level: process.env.LOG_LEVEL ?? 'info' });
  let loaded: Promise<Metrics> | undefined;
  // With the first request: a service does not need them to start.
  const metrics = (): Promise<Metrics> => (loaded ??= import('./metrics.ts').then((module) => module.createMetrics()));
  const app = new Hono();

  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    const took = (performance.now() - started) / 1000;
    const { method, path } = c.req;
    if (path.startsWith('/health/') || path === '/metrics') return;
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

  app.get('/health/live', (c) => c.json({ status: 'ok', service: name, version: process.env.VERSION }));
  app.get('/health/ready', async (c) => {
    try {
      await ready();
      return c.json({ status: 'ready' });
    } catch (error) {
      return new Problem(503, 'Service Unavailable', error instanceof Error ? error.message : String(error)).response(
        c.req.path,
      );
    }
  });
  app.get('/metrics', async (c) => {
    const { registry } = await metrics();
    return c.text(await registry.metrics(), 200, { 'content-type': registry.contentType });
  });

  function start(close: () => void | Promise<void> = () => {}): void {
    const port = Number(setting('PORT'));
    const hostname = setting('HOST', '127.0.0.1');
    const server = serve({ fetch: app.fetch, port, hostname }, () => log.info({ port }, 'listening'));
    const stop = (): void => {
      server.close(async () => {
        await close();
        log.info('stopped');
        process.exit(0);
      });
      if ('closeIdleConnections' in server) server.closeIdleConnections();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  }
  return { app, log, start };
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

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../deps.ts';
import { httpDate } from '../http/date.ts';
import { http } from '../node-http.ts';
import type { AddressProgram } from '../program/types.ts';
import { makeWay, setMode, socketPath } from '../unix-socket.ts';
import { adminLogger, fieldsOf } from './access-log.ts';
import { certs } from './certs.ts';
import { clusters } from './clusters.ts';
import { text, type AdminAnswer, type AdminContext } from './context.ts';
import { HELP, homePage } from './help.ts';
import { initDump } from './init-dump.ts';
import { listeners } from './listeners.ts';
import { logging } from './logging.ts';
import { runtime, runtimeModify } from './runtime.ts';
import { answerUnreadable, refusalOf, refuse } from './refusals.ts';
import { memory, ready, serverInfo } from './server-info.ts';
import type { AdminStats } from './stats.ts';

interface Handler {
  /** Parameters may come as form values in the body. */
  readonly form?: true;
  /** Changes something, so GET is not enough. */
  readonly post?: true;
  /** `answering` may be called with the status that is going to be returned. */
  readonly run: (query: URLSearchParams, answering: (status: number) => void) => AdminAnswer | Promise<AdminAnswer>;
}

/**
 * Envoy's admin endpoint. Where it listens is the bootstrap's to say; on loopback, requests that name another host are refused, so
 * that no web page reads it by a name that leads here (DNS rebinding), and so are those of other web pages: where it is open
 * to other machines, names are how they find it.
 */
export function serveAdmin(context: AdminContext, stats: AdminStats, at: AdminPlace): Server {
  const handlers = handlersOf(context, stats);
  const { adminPaths } = context.bootstrap;
  const guarded = 'address' in at && isLoopback(at.address);
  const log = adminLogger(context);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const started = context.deps.clock.now();
    const answering = stats.requests.begin();
    const answer = (what: AdminAnswer): void => {
      request.resume();
      answering(what.status);
      send(context.deps.clock, response, what);
      log?.(request, what, started);
    };
    if (guarded && !(isLocal(request) && isOwn(request))) return answer(text('forbidden\n', 403));
    const refused = refusalOf(request);
    if (refused !== undefined) {
      request.resume();
      answering(refused.status);
      return refuse(context.deps.clock, response, refused);
    }
    const url = targetOf(request.url!);
    // Parameters are part of what is asked for.
    const asked = url.pathname + url.search;
    if (adminPaths.length > 0 && !adminPaths.some(({ matches }) => matches(asked)))
      return answer(text(`request to path ${asked} not allowed`, 403));
    const handler = handlers[url.pathname];
    if (handler === undefined) return answer(text(`invalid path. ${HELP}`, 404));
    if (handler.post === true && request.method !== 'POST')
      return answer(text(`Method ${request.method} not allowed, POST required.`, 405));
    const form =
      (handler.form === true || handler.post === true) &&
      url.search.length < 2 &&
      request.headers['content-type'] === FORM;
    if (!form) {
      const what = handler.run(url.searchParams, answering);
      if (!(what instanceof Promise)) return answer(what);
      what.then(answer, (error: unknown) => answer(text(`${String(error)}\n`, 500)));
      return;
    }
    readForm(request).then(
      async (values) => answer(values === undefined ? text('too much\n', 413) : await handler.run(values, answering)),
      // Nobody is left to be answered.
      () => response.destroy(),
    );
  };
  const server = http.createServer({ maxHeaderSize: MAX_HEAD, requireHostHeader: false }, handle);
  server.on('checkExpectation', handle);
  answerUnreadable(server, context.deps.clock);
  server.keepAliveTimeout = IDLE_TIME;
  return 'path' in at ? listenAt(server, at) : server.listen(at.port, at.address);
}

/** Where a request leads: paths are normalized as Envoy's admin endpoint has it, except that `/` alone is the home page. */
function targetOf(url: string): URL {
  const target = new URL(`http://admin${url}`);
  const decoded = target.pathname.replaceAll(/%[2-7][0-9a-f]/gi, (code) => {
    const character = decodeURIComponent(code);
    return /[\w.~-]/.test(character) ? character : code;
  });
  target.pathname = /^\/+$/.test(decoded) ? decoded : decoded.replaceAll(/\/{2,}/g, '/');
  return target;
}

export type AdminPlace = Pick<Extract<AddressProgram, { kind: 'socket' }>, 'address' | 'port'> | UnixPlace;
type UnixPlace = Pick<Extract<AddressProgram, { kind: 'pipe' }>, 'path' | 'mode'>;

function listenAt(server: Server, { path, mode }: UnixPlace): Server {
  makeWay(path);
  server.once('listening', () => setMode(path, mode));
  return server.listen(socketPath(path));
}

/** How long a connection may be quiet, milliseconds. */
const IDLE_TIME = 3_600_000;

const FORM = 'application/x-www-form-urlencoded';

/** Bytes of a head that are read. */
const MAX_HEAD = 60 * 1024;

/** Bytes of form values that are read. */
const MAX_FORM = 1 << 20;

/** The body as form values; undefined when it is too long. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_FORM) return undefined;
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}

function handlersOf(context: AdminContext, stats: AdminStats): Readonly<Record<string, Handler | undefined>> {
  const { node } = context;
  const ok = (act: () => void): AdminAnswer => {
    act();
    return text('OK\n');
  };
  const handlers: Record<string, Handler> = {
    '/': { run: () => homePage() },
    '/help': { run: () => text(HELP) },
    '/allocprofiler': { post: true, run: (query) => profiler(query, 'allocation profiler') },
    '/certs': { run: () => certs(context) },
    '/clusters': { form: true, run: (query) => clusters(context, query) },
    // With it comes the binary form of the API, which a start does not wait for.
    '/config_dump': { form: true, run: async (query) => (await import('./config-dump.ts')).configDump(context, query) },
    '/contention': {
      run: () =>
        text('Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing.'),
    },
    '/cpuprofiler': { post: true, run: (query) => profiler(query, 'CPU profiler') },
    '/drain_listeners': {
      post: true,
      run: (query) =>
        ok(() =>
          node.listeners.drain({
            inboundOnly: query.has('inboundonly'),
            graceful: query.has('graceful'),
            skipExit: query.has('skip_exit'),
          }),
        ),
    },
    '/healthcheck/fail': { post: true, run: () => ok(() => (node.healthFailed = true)) },
    '/healthcheck/ok': { post: true, run: () => ok(() => (node.healthFailed = false)) },
    '/heap_dump': { run: () => unsupported('heap dump') },
    '/heapprofiler': { post: true, run: () => unsupported('heap profiler') },
    '/hot_restart_version': { run: () => text('disabled') },
    '/init_dump': { run: (query) => initDump(context, query) },
    '/listeners': { form: true, run: (query) => listeners(context, query) },
    '/logging': { post: true, run: (query) => logging(context, query) },
    '/memory': { run: () => memory() },
    '/memory/tcmalloc': { run: () => unsupported('TCMalloc') },
    '/peak_heap_dump': { run: () => unsupported('peak heap dump') },
    '/quitquitquit': { post: true, run: () => ok(context.quit) },
    '/ready': { run: () => ready(context) },
    '/reopen_logs': { post: true, run: () => ok(context.reopenLogs) },
    '/reset_counters': { post: true, run: () => ok(() => stats.reset()) },
    '/runtime': { run: () => runtime(context) },
    '/runtime_modify': { post: true, run: (query) => runtimeModify(context, query) },
    '/server_info': { run: () => serverInfo(context) },
    '/stats': { run: (query, answering) => stats.answer(query, answering) },
    '/stats/prometheus': { run: (query, answering) => stats.answer(query, answering, true) },
    '/stats/recentlookups': { run: () => text(`${NO_LOOKUPS}\n\ntotal: 0\n`) },
    '/stats/recentlookups/clear': { post: true, run: () => text('OK\n') },
    '/stats/recentlookups/disable': { post: true, run: () => text('OK\n') },
    '/stats/recentlookups/enable': { post: true, run: () => unsupported('recording of look-ups') },
  };
  return Object.assign(Object.create(null) as Record<string, Handler>, handlers);
}

const NO_LOOKUPS = 'Lookup tracking is not enabled. Use /stats/recentlookups/enable to enable.';

function unsupported(what: string): AdminAnswer {
  return text(`The current build does not support ${what}`, 501);
}

/** Never runs, and so may be told to end. */
function profiler(query: URLSearchParams, what: string): AdminAnswer {
  const enable = query.get('enable');
  if (enable === 'n') return text('OK\n');
  return enable === 'y' ? unsupported(what) : text('?enable=<y|n>\n', 400);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function isLocal(request: IncomingMessage): boolean {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  return host === 'localhost' || host === '' || host.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** Not from a web page of another origin, which browsers let send a POST wherever it likes. */
function isOwn({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin === undefined || origin === `http://${host}`;
}

/** The fields in Envoy's order, and none of Node's own. */
function send(clock: Clock, response: ServerResponse, { status, type, body }: AdminAnswer): void {
  for (const name of ['date', 'connection', 'transfer-encoding']) response.removeHeader(name);
  const fields = fieldsOf(type, httpDate(clock));
  if (!response.shouldKeepAlive) fields.push(['connection', 'close']);
  fields.push(['transfer-encoding', 'chunked']);
  response.writeHead(status, fields.flat());
  response.end(body);
}

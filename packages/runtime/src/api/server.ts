import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerDebug, type Clock, type DebugSource, type HeldCertificate } from '@mizzen/control-plane';
import type { ConfigEditor } from '../config/editor.ts';
import type { Codes } from './codes.ts';
import type { ControlState } from '../control/control.ts';
import { MOST_REPLICAS } from '../desired.ts';
import type { ProxyState } from '../control/proxies.ts';
import { TEXT_FORMAT } from '../metrics/control-plane.ts';
import { DEFAULT_WINDOW, type LiveTraffic } from '../traffic/live.ts';
import { configStatusAnswer, readyAnswer, servicesAnswer, workloadAnswers } from './answers.ts';
import type { ConfigInput } from './answers.ts';
import { certificatesAnswer } from './certificates.ts';
import type { Command, Commands } from './commands.ts';
import type { ConsoleFiles } from './console-files.ts';
import { Events } from './events.ts';
import { CHANGES, changeConfig, LONGEST_TEXT, readConfig } from './config.ts';
import { isTrusted, refuse, WRONG_TOKEN } from './guard.ts';
import { fail, LoopbackServer, reply, write } from './loopback.ts';
import { scrapeTargets } from './scrape-targets.ts';
import { logsAnswer } from './logs.ts';
import type { LoggedRequests } from '../access-log/requests.ts';
import { BadQuestion } from '../explain/target.ts';
import { traceAnswer, traceFilterOf, tracesAnswer } from '../traces/answers.ts';
import type { OtlpGrpc } from '../traces/grpc.ts';
import { receiveSpans, takesSpans } from '../traces/receive.ts';
import type { TraceStore } from '../traces/store.ts';
import { trafficOf } from './traffic.ts';
import type { ErrorAnswer, GraphAnswer, TopAnswer, WorkloadAnswer } from './types.ts';

export interface ApiOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly token: string;
  readonly state: () => ControlState;
  readonly proxies: () => readonly ProxyState[];
  readonly debug: DebugSource;
  readonly input: ConfigInput;
  readonly commands: Pick<Commands, 'run'>;
  readonly rotateCertificates: () => void;
  readonly clock: Clock;
  readonly certificates: () => readonly HeldCertificate[];
  /** Where a workload's output is kept. */
  readonly logFile: (namespace: string, workload: string) => string;
  readonly requests: Pick<LoggedRequests, 'answer' | 'lines'>;
  /** Of the last so many seconds. */
  readonly graph: (window: number) => GraphAnswer;
  /** What everything does now, of the last so many seconds. */
  readonly top: (window: number) => Promise<TopAnswer>;
  /** What a page has in Prometheus' text format; undefined: there is no such page. */
  readonly metrics: (page: string) => string | undefined;
  readonly traces: TraceStore;
  readonly editor: ConfigEditor;
  readonly codes: Codes;
  /** What the mesh would do with a request. Rejects with a BadQuestion. */
  readonly explain: (query: URLSearchParams) => Promise<object>;
  readonly traffic: Pick<LiveTraffic, 'summary' | 'ofService' | 'ofWorkload'>;
  /** Served beside the API; absent: nothing but the API. */
  readonly console?: ConsoleFiles;
}

/** Longer than proxies wait between two reports of spans, so that none is sent to a connection that is just closed. */
const KEEP_ALIVE_MS = 60_000;

/** The API of a running mesh, on 127.0.0.1 only: JSON in, JSON out. */
export class ApiServer {
  readonly #options: ApiOptions;
  readonly #server: LoopbackServer;
  readonly #graphs: Events;
  /** Loaded when somebody comes who speaks it. */
  #grpc: Promise<OtlpGrpc> | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#graphs = new Events(options.clock, 'graph', options.graph);
    this.#server = new LoopbackServer(
      { keepAliveTimeout: KEEP_ALIVE_MS },
      (request, response) => {
        this.#handle(request, response).catch((error: unknown) => {
          if (error instanceof TooLong) return fail(response, 413, 'too-long', error.message);
          fail(response, 500, 'internal', error instanceof Error ? error.message : String(error));
        });
      },
      // Only spans come this way, and no web page can open such a connection.
      (socket) => {
        this.#grpc ??= import('../traces/grpc.ts').then(({ OtlpGrpc: Grpc }) => new Grpc(options.traces));
        this.#grpc.then(
          (grpc) => grpc.take(socket),
          () => socket.destroy(),
        );
      },
    );
  }

  /** Resolves with the port. Rejects with EADDRINUSE when it is taken. */
  listen(): Promise<number> {
    return this.#server.listen(this.#options.port);
  }

  get port(): number {
    return this.#server.port;
  }

  async close(): Promise<void> {
    const closed = this.#server.close();
    (await this.#grpc)?.close();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    if (url === null) return fail(response, 400, 'bad-target', `\`${request.url}\` is no address of a page`);
    const path = url.pathname;
    // Proxies and applications report spans, who do not know the token.
    const reports = takesSpans(request.method, path);
    const refused = refuse(request, this.port, reports ? undefined : this.#options.token);
    if (refused !== undefined) return fail(response, refused.status, refused.code, refused.message);
    if (reports) return receiveSpans(path, request, response, this.#options.traces);
    const segments = path.split('/').slice(1).map(decode);
    const read = request.method === 'GET' || request.method === 'HEAD';
    if (read && (await this.#options.console?.answer(path, response)) === true) return;
    if (read && segments[0] === 'api' && segments[1] === 'graph' && segments.length <= 3) {
      const window = windowOf(url);
      if (window === undefined) return fail(response, 400, 'invalid', '`window` is a number of seconds from 1 to 300');
      if (segments.length === 2) return reply(response, 200, this.#options.graph(window));
      if (segments[2] === 'events') return this.#graphs.follow(response, window);
    }
    if (read && path === '/api/top') {
      const window = windowOf(url);
      if (window === undefined) return fail(response, 400, 'invalid', '`window` is a number of seconds from 1 to 300');
      return reply(response, 200, await this.#options.top(window));
    }
    if (read && segments[0] === 'api' && segments[1] === 'traces' && segments.length <= 3) {
      const { status, body } = this.#traces(segments[2], url.searchParams);
      return reply(response, status, body);
    }
    if (segments[0] === 'api' && segments[1] === 'config' && segments.length === 3) {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const config = await this.#config(segments[2] ?? '', url, request, gone.signal);
      if (config !== undefined) return reply(response, config.status, config.body);
    }
    if (read && path === '/api/console/token' && !url.searchParams.has('code')) {
      const { token } = this.#options;
      if (!isTrusted(request, token)) return fail(response, 403, 'token-wrong', WRONG_TOKEN);
      return reply(response, 200, { token });
    }
    if (read && path === '/api/console/token') {
      const token = this.#options.codes.redeem(url.searchParams.get('code') ?? '') ? this.#options.token : undefined;
      if (token === undefined) return fail(response, 403, 'code-wrong', 'this code has been used, or is too old');
      return reply(response, 200, { token });
    }
    if (request.method === 'POST' && path === '/api/console/code')
      return reply(response, 200, { code: this.#options.codes.issue() });
    if (read && path === '/api/traffic') {
      const traffic = trafficOf(this.#options.traffic, url);
      return reply(response, traffic.status, traffic.body);
    }
    if (read && path === '/api/explain') {
      try {
        return reply(response, 200, await this.#options.explain(url.searchParams));
      } catch (error) {
        if (!(error instanceof BadQuestion)) throw error;
        const { message, help } = error;
        return fail(response, 400, 'invalid', help === undefined ? message : `${message}; ${help}`);
      }
    }
    if (read && segments[4] === 'requests' && segments.length === 5) {
      const requests = this.#requests(segments, url);
      if (requests !== undefined) return reply(response, requests.status, requests.body);
    }
    if (read && segments[4] === 'logs' && segments.length === 5) {
      const logs = this.#logs(segments, url);
      if (logs !== undefined) return reply(response, logs.status, logs.body);
    }
    const metrics = read ? this.#options.metrics(path) : undefined;
    if (metrics !== undefined) return write(response, 200, TEXT_FORMAT, metrics);
    const answer = read ? (this.#read(segments) ?? answerDebug(url, this.#options.debug)) : undefined;
    if (answer !== undefined) return reply(response, answer.status, answer.body);
    const command = await this.#command(segments, request);
    if (command === undefined) return fail(response, 404, 'not-found', `there is no \`${path}\``);
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      return fail(response, 405, 'method-not-allowed', `\`${path}\` takes POST`);
    }
    if (command === 'rotate') {
      this.#options.rotateCertificates();
      return reply(response, 202, {});
    }
    if ('invalid' in command) return fail(response, 400, 'invalid', command.invalid);
    const error = await this.#options.commands.run(command);
    if (error === undefined) return reply(response, 202, {});
    fail(response, STATUS[error.code] ?? 500, error.code, error.message);
  }

  #read(segments: readonly string[]): { readonly status: number; readonly body: object } | undefined {
    const { state, proxies, input } = this.#options;
    const [first, second, namespace, name, ...rest] = segments;
    if (first === 'ready' && second === undefined) {
      const body = readyAnswer(state());
      return { status: body.ready ? 200 : 503, body };
    }
    if (first !== 'api' || rest.length > 0) return undefined;
    if (second === 'workloads' && namespace === undefined)
      return { status: 200, body: { workloads: workloadAnswers(state()) } };
    if (second === 'workloads' && name !== undefined) {
      const found = workloadAnswers(state()).find((each) => matches(each, namespace ?? '', name));
      if (found !== undefined) return { status: 200, body: found };
      const body: ErrorAnswer = {
        error: { code: 'not-found', message: `there is no workload \`${name}\` in \`${namespace}\`` },
      };
      return { status: 404, body };
    }
    if (second === 'prometheus' && namespace === 'targets' && name === undefined)
      return { status: 200, body: scrapeTargets(state()) };
    if (second === 'certificates' && namespace === undefined) {
      return { status: 200, body: certificatesAnswer(this.#options.certificates(), state().pods) };
    }
    if (second === 'services' && namespace === undefined) return { status: 200, body: servicesAnswer(state().model) };
    if (second === 'config' && namespace === 'status' && name === undefined) {
      return { status: 200, body: configStatusAnswer(state(), proxies(), input) };
    }
    return undefined;
  }

  #traces(id: string | undefined, query: URLSearchParams): { readonly status: number; readonly body: object } {
    const { traces } = this.#options;
    const failed = (status: number, code: string, message: string): { status: number; body: ErrorAnswer } => ({
      status,
      body: { error: { code, message } },
    });
    if (id === undefined) {
      const filter = traceFilterOf(query);
      return typeof filter === 'string'
        ? failed(400, 'invalid', filter)
        : { status: 200, body: tracesAnswer(traces, filter) };
    }
    const trace = traces.get(id);
    return trace === undefined
      ? failed(404, 'not-found', `there is no trace \`${id}\` (any more)`)
      : { status: 200, body: traceAnswer(trace) };
  }

  /** Undefined: there is no such path. */
  async #config(
    what: string,
    url: URL,
    request: IncomingMessage,
    gone: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: object } | undefined> {
    const { editor, token } = this.#options;
    if (request.method !== 'POST') return readConfig(editor, what, url, isTrusted(request, token));
    return CHANGES.has(what) ? changeConfig(editor, what, await readJson(request, LONGEST_TEXT), gone) : undefined;
  }

  /** Undefined: there is no such path. */
  #requests(
    [first, second, namespace = '', name = '']: readonly string[],
    { searchParams }: URL,
  ): { readonly status: number; readonly body: object } | undefined {
    if (first !== 'api' || second !== 'workloads') return undefined;
    const found = workloadAnswers(this.#options.state()).find((each) => matches(each, namespace, name));
    if (found === undefined) return undefined;
    const from = searchParams.get('from');
    if (from === null || /^\d{1,15}$/.test(from)) {
      return { status: 200, body: this.#options.requests.answer(found, from === null ? undefined : Number(from)) };
    }
    const message = '`from` is a position that an earlier answer told';
    return { status: 400, body: { error: { code: 'invalid', message } } satisfies ErrorAnswer };
  }

  /** Undefined: there is no such path. */
  #logs(
    [first, second, namespace = '', name = '']: readonly string[],
    { searchParams }: URL,
  ): { readonly status: number; readonly body: object } | undefined {
    if (first !== 'api' || second !== 'workloads') return undefined;
    // Only what is known is looked for among the files.
    const found = workloadAnswers(this.#options.state()).find((each) => matches(each, namespace, name));
    if (found === undefined) return undefined;
    const [from, source] = [searchParams.get('from'), searchParams.get('source') ?? 'output'];
    if ((from !== null && !/^\d{1,15}$/.test(from)) || (source !== 'output' && source !== 'access')) {
      const message = '`from` is a position that an earlier answer told, `source` is `output` or `access`';
      return { status: 400, body: { error: { code: 'invalid', message } } satisfies ErrorAnswer };
    }
    const position = from === null ? undefined : Number(from);
    if (source === 'access') return { status: 200, body: this.#options.requests.lines(found, position) };
    return { status: 200, body: logsAnswer(this.#options.logFile(found.namespace, found.name), position) };
  }

  /** Undefined: there is no such path. */
  async #command(
    segments: readonly string[],
    request: IncomingMessage,
  ): Promise<Command | 'rotate' | { readonly invalid: string } | undefined> {
    const [first, second, namespace, workload, verb, ...rest] = segments;
    if (first !== 'api' || rest.length > 0) return undefined;
    if (second === 'stop' && namespace === undefined) return { command: 'stop' };
    if (second === 'certificates' && namespace === 'rotate' && workload === undefined) return 'rotate';
    if (second !== 'workloads') return undefined;
    if (verb === 'restart') return { command: 'restart', namespace, workload };
    if (verb !== 'scale') return undefined;
    if (request.method !== 'POST') return { command: 'scale', namespace, workload };
    const body = await readJson(request);
    const replicas = (body as { readonly replicas?: unknown } | undefined)?.replicas;
    if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0 || replicas > MOST_REPLICAS) {
      return { invalid: `\`replicas\` must be a whole number from 0 to ${MOST_REPLICAS}` };
    }
    return { command: 'scale', namespace, workload, replicas };
  }
}

const STATUS: Readonly<Record<string, number>> = { 'not-found': 404, ambiguous: 409, invalid: 400, timeout: 504 };

/** Seconds; undefined when what is asked for is none. */
function windowOf(url: URL): number | undefined {
  const text = url.searchParams.get('window');
  const window = text === null ? DEFAULT_WINDOW : Number(text);
  return Number.isInteger(window) && window >= 1 && window <= 300 ? window : undefined;
}

/** By its own name, or by one of its pods'. */
function matches(workload: WorkloadAnswer, namespace: string, name: string): boolean {
  return workload.namespace === namespace && (workload.name === name || workload.pods.some((pod) => pod.name === name));
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const LONGEST_BODY = 64 * 1024;

class TooLong extends Error {}

/** Undefined for what is no JSON. @throws TooLong */
async function readJson(request: IncomingMessage, longest = LONGEST_BODY): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  // Who has sent too much is to get its answer, by the connection that it has.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > longest) break;
    parts.push(part);
  }
  if (size > longest) {
    // Only here: while the loop reads, nothing else does.
    request.resume();
    throw new TooLong(`the body is longer than ${longest} bytes`);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

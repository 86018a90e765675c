import type { JsonObject } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Deps, Timer } from '../deps.ts';
import type { GrpcCall, PendingCall } from '../program/types.ts';
import type { UpstreamCluster, UpstreamHost } from '../types.ts';
import { StreamCount } from '../grpc/stream-count.ts';
import { charge } from '../http/charge.ts';
import { CallError, nobodyHealthy, UNAVAILABLE } from './error.ts';
import { sessionTo } from './sessions.ts';

/** The largest answer that is read where nobody says another, bytes: gRPC's own default. */
const MAX_ANSWER = 4 * 1024 * 1024;
/** Bytes before a message. */
const PREFIX = 5;

/** One unary gRPC call to a host of a cluster, over an HTTP/2 connection that calls share. */
export function callGrpc(
  cluster: UpstreamCluster,
  host: UpstreamHost | Promise<UpstreamHost | null>,
  call: GrpcCall,
  deps: Deps,
): PendingCall<JsonObject> {
  const under = new Call(call, deps);
  const answer = under.run(cluster, host);
  return { answer, cancel: () => under.cancel() };
}

class Call {
  readonly #call: GrpcCall;
  readonly #deps: Deps;
  #timer: Timer | undefined;
  #stream: ClientHttp2Stream | undefined;
  #count: StreamCount | undefined;
  #settled = false;
  /** Gives back what the call takes of what its cluster may have under way. */
  #release = (): void => undefined;

  constructor(call: GrpcCall, deps: Deps) {
    this.#call = call;
    this.#deps = deps;
  }

  run(cluster: UpstreamCluster, host: UpstreamHost | Promise<UpstreamHost | null>): Promise<JsonObject> {
    const { timeout } = this.#call;
    return new Promise((resolve, reject) => {
      const fail = (error: CallError): void => {
        if (this.#settled) return;
        this.#stop();
        reject(error);
      };
      if (timeout > 0) {
        this.#timer = this.#deps.clock.after(timeout, () => {
          cluster.stats.upstream_rq_timeout++;
          if (this.#stream !== undefined) cluster.stats.upstream_rq_tx_reset++;
          this.#count?.timedOut();
          charge(cluster.stats, 504, this.#internal, false);
          fail(new CallError('timeout', `no answer within ${timeout} ms`, 4));
        });
      }
      this.#connect(cluster, host)
        .then(({ host: chosen, session }) => {
          if (this.#settled) this.#release();
          else this.#send(chosen, session, resolve, fail);
        })
        .catch((error: unknown) => {
          this.#release();
          if (this.#settled) return;
          charge(cluster.stats, 503, this.#internal, false);
          fail(error instanceof CallError ? error : new CallError('connection', String(error), UNAVAILABLE));
        });
    });
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.#count?.leave();
    this.#stop();
  }

  /** It says itself that it comes from within. */
  get #internal(): boolean {
    return this.#call.skipEnvoyHeaders !== true;
  }

  #stop(): void {
    this.#settled = true;
    this.#timer?.cancel();
    if (this.#stream?.closed === false) this.#stream.close(8);
  }

  async #connect(
    cluster: UpstreamCluster,
    chosen: UpstreamHost | Promise<UpstreamHost | null>,
  ): Promise<{ readonly host: UpstreamHost; readonly session: ClientHttp2Session }> {
    const host = await chosen;
    if (host === null) throw nobodyHealthy(cluster);
    this.#take(cluster);
    return { host, session: await sessionTo(host) };
  }

  /** @throws CallError when too much is under way. */
  #take({ name, stats, limits: { DEFAULT: breaker } }: UpstreamCluster): void {
    if (!breaker.tryRequest()) {
      stats.upstream_rq_active_overflow++;
      throw new CallError('overflow', `cluster \`${name}\` has as many requests as it may have`, UNAVAILABLE);
    }
    let held = true;
    this.#release = () => {
      if (held) breaker.releaseRequest();
      held = false;
    };
  }

  #send(
    host: UpstreamHost,
    session: ClientHttp2Session,
    resolve: (answer: JsonObject) => void,
    fail: (error: CallError) => void,
  ): void {
    const call = this.#call;
    const { stats } = host.cluster;
    const stream = session.request({
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': call.authority === '' ? call.cluster : call.authority,
      ':path': `/${call.method}`,
      te: 'trailers',
      'content-type': 'application/grpc',
      ...(call.timeout > 0 ? { 'grpc-timeout': `${Math.ceil(call.timeout)}m` } : {}),
      ...this.#envoyHeaders(),
      ...Object.fromEntries(call.metadata),
    });
    this.#stream = stream;
    this.#count = new StreamCount(host, stream);
    const parts: Buffer[] = [];
    let size = 0;
    const most = call.maxAnswer || MAX_ANSWER;
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('response', (headers) => {
      head = headers;
      const canary = host.canary === true || headers['x-envoy-upstream-canary'] === 'true';
      charge(stats, Number(headers[':status'] ?? 0), this.#internal, canary, host.zones);
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => (trailers = headers));
    stream.on('data', (data: Buffer) => {
      size += data.length;
      parts.push(data);
      if (size - PREFIX > most) fail(new CallError('overflow', `the answer is larger than ${most} bytes`, 8));
    });
    stream.on('error', (error) => fail(new CallError('connection', error.message, UNAVAILABLE)));
    stream.on('close', () => {
      this.#release();
      if (this.#settled) return;
      const outcome = this.#read(head, trailers, Buffer.concat(parts));
      if (head[':status'] === undefined) {
        host.report('reset', 'nothing');
        charge(stats, 503, this.#internal, host.canary === true, host.zones);
      }
      if (outcome instanceof CallError) return fail(outcome);
      this.#stop();
      resolve(outcome);
    });
    stream.end(frame(encode(call.requestType, call.request)));
  }

  #envoyHeaders(): Record<string, string> {
    const { timeout, skipEnvoyHeaders } = this.#call;
    return {
      ...(skipEnvoyHeaders === true
        ? {}
        : { 'x-envoy-internal': 'true', 'x-forwarded-for': this.#deps.net.outerAddress }),
      ...(timeout > 0 ? { 'x-envoy-expected-rq-timeout-ms': String(Math.ceil(timeout)) } : {}),
    };
  }

  /** The message, or what stands in its place. */
  #read(head: IncomingHttpHeaders, trailers: IncomingHttpHeaders | undefined, body: Buffer): JsonObject | CallError {
    const status = Number(trailers?.['grpc-status'] ?? head['grpc-status'] ?? NaN);
    if (head[':status'] !== undefined && Number(head[':status']) !== 200)
      return new CallError('status', `HTTP status ${String(head[':status'])}`, UNAVAILABLE);
    if (Number.isNaN(status)) return new CallError('connection', 'the stream ended without a status', UNAVAILABLE);
    if (status !== 0) {
      const message = trailers?.['grpc-message'] ?? head['grpc-message'];
      return new CallError('status', `gRPC status ${status}: ${typeof message === 'string' ? message : ''}`, status);
    }
    if (body.length < PREFIX || body.readUInt32BE(1) !== body.length - PREFIX || body[0] !== 0)
      return new CallError('status', 'the answer is not one message', 13);
    try {
      return decode(this.#call.answerType, body.subarray(PREFIX), true);
    } catch (error) {
      return new CallError('status', (error as Error).message, 13);
    }
  }
}

/** A message uncompressed, with its length before it. */
function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX);
  return framed;
}

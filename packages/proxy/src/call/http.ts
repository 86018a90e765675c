import type { Deps, Timer } from '../deps.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import { encodeFields, LAST_CHUNK } from '../codec/encode.ts';
import type { ClientConnection, Exchange } from '../http/client-connection.ts';
import { charge, chargeTime, isCanary } from '../http/charge.ts';
import { invalidPart } from '../http/head-check.ts';
import { Headers } from '../http/headers.ts';
import { entered, turnNow } from '../http/io.ts';
import { poolOf, type Pool, type Waiter } from '../http/pool.ts';
import { keep } from '../http/reads.ts';
import { resetOutcome, type ResetReason } from '../http/reset.ts';
import { RetryState } from '../http/retry-state.ts';
import type { HttpAnswer, HttpCall, PendingCall } from '../program/types.ts';
import type { RetryProgram, UpstreamCluster, UpstreamHost } from '../types.ts';
import { CallError } from './error.ts';

const NO_BODY = Buffer.alloc(0);
/** The largest answer that is read, bytes: what Envoy buffers of one. */
const MAX_ANSWER = 1024 * 1024;

/** Sends one HTTP/1.1 request over the pools of a cluster and reads the whole answer. */
export function callHttp(cluster: UpstreamCluster | undefined, call: HttpCall, deps: Deps): PendingCall<HttpAnswer> {
  let under: Call | undefined;
  const answer = new Promise<HttpAnswer>((resolve, reject) => {
    if (cluster === undefined) {
      reject(new CallError('no cluster', `cluster \`${call.cluster}\` is not known`));
      return;
    }
    under = new Call(cluster, call, deps, resolve, reject);
    under.start();
  });
  return { answer, cancel: () => under?.cancel() };
}

class Call implements Waiter, Exchange {
  readonly #cluster: UpstreamCluster;
  readonly #call: HttpCall;
  readonly #deps: Deps;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: CallError) => void;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #timer: Timer | undefined;
  /** Undefined: nothing is tried again, any more. */
  #retry: RetryState | undefined;
  #policy: RetryProgram | undefined;
  /** Hosts that the policy has the next attempt avoid. */
  #triedHosts: UpstreamHost[] | undefined;
  #backOff: Timer | undefined;
  /** Of the attempt at hand. */
  #tryTimer: Timer | undefined;
  #tries = 0;
  #begun = 0;
  #host: UpstreamHost | undefined;
  #pool: Pool | undefined;
  #connection: ClientConnection | undefined;
  #sent = 0;
  #sentAt = 0;
  #status = 0;
  /** A canary answers. */
  #canary = false;
  #headers: readonly string[] = [];
  #over = false;

  constructor(
    cluster: UpstreamCluster,
    call: HttpCall,
    deps: Deps,
    resolve: (answer: HttpAnswer) => void,
    reject: (error: CallError) => void,
  ) {
    this.#cluster = cluster;
    this.#call = call;
    this.#deps = deps;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { method, path, timeout, authority, headers, retry } = this.#call;
    const head = { method, path, authority, scheme: '', headers: new Headers([...headers]) };
    if (invalidPart(head) !== undefined) {
      // What Envoy answers itself.
      this.#over = true;
      this.#resolve({ status: 503, headers: [], body: Buffer.alloc(0) });
      return;
    }
    this.#begun = this.#deps.clock.now();
    const policy = this.#cluster.http?.policies?.retry ?? retry;
    this.#policy = policy;
    if (policy !== undefined)
      this.#retry = RetryState.ofPolicy(policy, head, this.#cluster, this.#cluster.limits.DEFAULT);
    if (policy?.avoidPreviousHosts === true) this.#triedHosts = [];
    if (timeout > 0) {
      this.#timer = this.#deps.clock.after(timeout, () => {
        this.#cluster.stats.upstream_rq_timeout++;
        if (this.#connection !== undefined) this.#host?.report('timeout');
        this.#abort();
        this.#fail('timeout', `no answer within ${timeout} ms`);
      });
    }
    this.#choose();
  }

  #choose(): void {
    const host = this.#cluster.choose({
      hash: undefined,
      metadataMatch: undefined,
      avoid: this.#triedHosts,
      avoidAttempts: this.#policy?.hostSelectionAttempts ?? 0,
      avoids: this.#tries > 0 ? this.#policy?.avoids : undefined,
      authority: this.#call.authority,
      priority: 'DEFAULT',
    });
    if (host instanceof Promise) {
      host.then(
        (chosen) => entered(() => this.#chosen(chosen)),
        () => entered(() => this.#chosen(null)),
      );
    } else {
      this.#chosen(host);
    }
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    if (this.#over) return;
    this.#abort();
    this.#finish();
  }

  #chosen(host: UpstreamHost | null): void {
    if (this.#over) return;
    if (host === null) {
      this.#cluster.stats.upstream_cx_none_healthy++;
      this.#fail('no healthy upstream', `no healthy host in cluster \`${this.#cluster.name}\``);
      return;
    }
    this.#triedHosts?.push(host);
    this.#host = host;
    host.active++;
    this.#pool = poolOf(host, this.#deps);
    entered(() => this.#pool!.acquire(this, this.#cluster.limits.DEFAULT));
  }

  onConnection(connection: ClientConnection): void {
    this.#connection = connection;
    this.#host!.issued++;
    this.#host!.report('begun');
    this.#cluster.stats.upstream_rq_total++;
    this.#cluster.stats.upstream_rq_active++;
    const { method, path, authority, headers, body, timeout, forwardedFor } = this.#call;
    connection.begin(this, method, false);
    const length = body === undefined ? '' : `content-length: ${body.length}\r\n`;
    // As in Envoy, a body that there was none of the first time comes in no chunk the next.
    const chunked = body === undefined && this.#tries > 0;
    const from = forwardedFor === undefined ? '' : `x-forwarded-for: ${forwardedFor}\r\n`;
    const expected = timeout > 0 ? this.#timeLeft(timeout) : 0;
    const within = expected > 0 ? `x-envoy-expected-rq-timeout-ms: ${expected}\r\n` : '';
    const framing = chunked ? 'transfer-encoding: chunked\r\n' : '';
    connection.out.text(
      `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${length}` +
        `${encodeFields(headers)}x-envoy-internal: true\r\n${from}${within}${framing}\r\n${chunked ? LAST_CHUNK : ''}`,
    );
    if (this.#tryLimit > 0)
      this.#tryTimer = this.#deps.clock.after(this.#tryLimit, () => entered(() => this.#onTryTimeout()));
    this.#sentAt = turnNow(this.#deps.clock);
    this.#send();
  }

  /** Milliseconds of each attempt; 0: what is left for all of them. */
  get #tryLimit(): number {
    const { retry, timeout } = this.#call;
    const limit = this.#retry === undefined ? 0 : (retry?.perTryTimeout ?? 0);
    return timeout > 0 && limit >= timeout ? 0 : limit;
  }

  #timeLeft(timeout: number): number {
    const elapsed = this.#tries === 0 ? 0 : Math.trunc(this.#deps.clock.now() - this.#begun);
    return Math.min(this.#tryLimit || timeout, Math.max(1, timeout - elapsed));
  }

  #onTryTimeout(): void {
    if (this.#over || this.#status !== 0) return;
    this.#cluster.stats.upstream_rq_per_try_timeout++;
    this.#host?.report('timeout');
    if (this.#retry?.onTryTimeout() === 'yes') {
      this.#again();
      return;
    }
    this.#abort();
    this.#fail('timeout', `no answer within ${this.#tryLimit} ms`);
  }

  onPoolFailure(reason: ResetReason, transport: string): void {
    if (this.#retry?.onReset(reason, false) === 'yes') {
      this.#again();
      return;
    }
    if (reason === 'overflow') this.#cluster.stats.load.dropped++;
    else this.#host!.count?.('error');
    this.#fail(reason === 'overflow' ? 'overflow' : 'connection', transport === '' ? reason : transport);
  }

  onResponseHead(parser: ResponseParser): void {
    if (this.#over) return;
    const { status } = parser;
    if (status < 200 && status !== 101) {
      charge(this.#cluster.stats, status, true, this.#host!.canary === true, this.#host!.zones);
      this.#retryNoMore();
      return;
    }
    this.#host!.report(status < 500 ? 'success' : status >= 502 && status <= 504 ? 'gateway-error' : 'server-error');
    const head = { status, headers: new Headers(parser.flat) };
    if (this.#retry !== undefined) {
      if (this.#retry.onResponse(head, this.#deps.clock) === 'yes') {
        this.#cluster.stats.retry.charge(status);
        this.#again();
        return;
      }
      this.#retryNoMore();
    }
    this.#status = status;
    const took = Math.max(0, Math.trunc(turnNow(this.#deps.clock) - this.#sentAt));
    this.#headers = [...parser.flat, 'x-envoy-upstream-service-time', String(took)];
    this.#canary = isCanary(this.#host!, head.headers);
    charge(this.#cluster.stats, status, true, this.#canary, this.#host!.zones);
  }

  onResponseData(data: Buffer): void {
    if (this.#over) return;
    this.#bytes += data.length;
    if (this.#bytes > MAX_ANSWER) {
      this.#abort();
      this.#fail('overflow', `the answer is larger than ${MAX_ANSWER} bytes`);
      return;
    }
    this.#parts.push(keep(data));
  }

  onResponseEnd(): void {
    if (this.#over) return;
    chargeTime(this.#cluster.stats, turnNow(this.#deps.clock) - this.#sentAt, true, this.#canary, this.#host!.zones);
    const unsent = this.#sent < (this.#call.body?.length ?? 0);
    this.#finish();
    if (unsent) this.#connection?.abandon();
    this.#resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#parts) });
  }

  onReset(reason: ResetReason, transport: string): void {
    if (this.#over) return;
    this.#host!.report('reset');
    if (this.#retry?.onReset(reason, true) === 'yes') {
      this.#again();
      return;
    }
    this.#fail('connection', transport === '' ? reason : transport, resetOutcome(reason).status);
  }

  onDrain(): void {
    if (!this.#over) this.#send();
  }

  #send(): void {
    const { body = NO_BODY } = this.#call;
    const { out } = this.#connection!;
    while (this.#sent < body.length) {
      if (out.blocked) {
        this.#connection!.wantDrain();
        return;
      }
      const part = body.subarray(this.#sent, this.#sent + PART);
      this.#sent += part.length;
      out.data(part);
    }
    this.#connection!.requestDone();
  }

  #abort(): void {
    if (this.#over) return;
    this.#pool?.cancel(this);
    this.#connection?.abandon();
  }

  /** `status` is what Envoy's router would have answered in its place: that counts as an answer. */
  #fail(reason: CallError['reason'], message: string, status = reason === 'timeout' ? 504 : 503): void {
    if (this.#over) return;
    if (this.#status === 0) charge(this.#cluster.stats, status, true, false);
    this.#finish();
    this.#reject(new CallError(reason, message));
  }

  /** What has failed is asked once more, a while later. */
  #again(): void {
    const [connection, pool] = [this.#connection, this.#pool];
    this.#leaveHost();
    pool?.cancel(this);
    connection?.abandon();
    this.#sent = 0;
    const { clock, random } = this.#deps;
    this.#backOff = clock.after(this.#retry!.nextBackOff(random), () =>
      entered(() => {
        if (this.#over) return;
        this.#retry?.begins();
        this.#tries++;
        this.#choose();
      }),
    );
  }

  #retryNoMore(): void {
    this.#retry?.release();
    this.#retry = undefined;
  }

  #leaveHost(): void {
    this.#tryTimer?.cancel();
    const host = this.#host;
    if (host === undefined) return;
    host.active--;
    this.#host = undefined;
    this.#pool = undefined;
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#cluster.stats.upstream_rq_active--;
    this.#cluster.limits.DEFAULT.releaseRequest();
  }

  #finish(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#tryTimer?.cancel();
    this.#backOff?.cancel();
    this.#retryNoMore();
    if (this.#host === undefined) return;
    this.#host.active--;
    if (this.#connection === undefined) return;
    this.#cluster.stats.upstream_rq_active--;
    this.#cluster.limits.DEFAULT.releaseRequest();
  }
}

/** Bytes written before it is asked whether the socket takes more. */
const PART = 64 * 1024;

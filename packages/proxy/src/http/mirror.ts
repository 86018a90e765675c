import { chunkHead, LAST_CHUNK } from '../codec/encode.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import type { CircuitBreaker, MirrorProgram, RequestHead, UpstreamCluster, UpstreamHost } from '../types.ts';
import type { Span } from '../tracing/span.ts';
import { charge, chargeTime, isCanary } from './charge.ts';
import type { ClientConnection, Exchange } from './client-connection.ts';
import { invalidPart } from './head-check.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { Headers } from './headers.ts';
import { countOf, reportAnswer, type LaterCount } from './host-report.ts';
import { percentOf } from '../telemetry/tracked.ts';
import { AttemptTrack } from './attempt-track.ts';
import { entered, turnNow } from './io.ts';
import { authorityOf, headersOf } from './mirror-head.ts';
import { keep } from './reads.ts';
import { poolOf, type Pool, type Waiter } from './pool.ts';
import type { ResetReason } from './reset.ts';
import type { ActiveStream } from './stream.ts';
import { RetryState } from './retry-state.ts';
import { upstreamHead } from './upstream-head.ts';

/** A copy of a request under way to a cluster whose answer nobody waits for. */
export interface Shadow {
  data(data: Buffer): void;
  end(): void;
  cancel(): void;
}

/** Body bytes that wait for the mirror's connection at most; a mirror that is slower than that is given up. */
const MAX_WAITING = 256 * 1024;

/** The route's, which copies have too. */
export interface ShadowLimits {
  /** Milliseconds; 0: no end. */
  readonly timeout: number;
  /** Bytes of the body that are kept for another attempt. */
  readonly bufferLimit: number;
}

/** Begins to mirror a request whose head is final; undefined when it is not its turn or there is nowhere to send it. */
export function mirror(stream: ActiveStream, program: MirrorProgram, limits: ShadowLimits): Shadow | undefined {
  const { hcm, request } = stream;
  if (program.fraction < 1 && hcm.deps.random.float() >= program.fraction) return undefined;
  const { clusterHeader } = program;
  const cluster = hcm.cluster(
    clusterHeader === undefined ? program.cluster : (request.headers.get(clusterHeader) ?? ''),
  );
  if (cluster === undefined) return undefined;
  hcm.asyncRequests.value++;
  const authority = authorityOf(program, request.authority);
  const headers = headersOf(program, stream);
  const span = stream.tracing?.shadow(headers, program.traceSampled);
  headers.set('x-envoy-internal', 'true');
  headers.append('x-forwarded-for', hcm.deps.net.outerAddress);
  if (headers.unchecked && invalidPart({ ...request, authority, headers }) !== undefined) return undefined;
  const shadow = new ShadowRequest(stream, { headers, authority, cluster, span }, limits);
  shadow.begin();
  return shadow;
}

/** What leaves, and where to. */
interface Copy {
  readonly headers: Headers;
  readonly authority: string;
  readonly cluster: UpstreamCluster;
  readonly span: Span | undefined;
}

class ShadowRequest implements Shadow, Waiter, Exchange {
  readonly #stream: ActiveStream;
  readonly #grpc: boolean;
  #chunked = false;
  readonly #upgrade: boolean;
  readonly #cluster: UpstreamCluster;
  readonly #breaker: CircuitBreaker;
  readonly #span: Span | undefined;
  /** Hosts that its cluster's policy has the next attempt avoid. */
  readonly #triedHosts: UpstreamHost[] | undefined;
  /** Undefined: nothing is tried again, any more. */
  #retry: RetryState | undefined;
  #backOff: { cancel(): void } | undefined;
  #tries = 0;
  /** All of the body so far, as long as it may have to be sent again. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #waitingBody: Buffer[] = [];
  #waitingBytes = 0;
  #complete = false;
  /** All of it has been written, its end too. */
  #sent = false;
  #host: UpstreamHost | undefined;
  #pool: Pool | undefined;
  #connection: ClientConnection | undefined;
  #over = false;
  readonly #timeout: number;
  readonly #bufferLimit: number;
  #timer: { cancel(): void } | undefined;
  #status = 0;
  /** What was told ahead of the answer has been counted in its place. */
  #interim = false;
  /** A canary answers. */
  #canary = false;
  #hadBody = false;
  #loadTold = false;
  #countLater: LaterCount | undefined;
  readonly #request: RequestHead;
  #track: AttemptTrack | undefined;
  /** When the request was complete; -1: it is not. */
  #completeAt = -1;

  constructor(stream: ActiveStream, { headers, authority, cluster, span }: Copy, limits: ShadowLimits) {
    const { request } = stream;
    this.#stream = stream;
    this.#cluster = cluster;
    this.#breaker = cluster.limits.DEFAULT;
    this.#span = span;
    this.#timeout = limits.timeout;
    this.#bufferLimit = limits.bufferLimit;
    this.#grpc = isGrpc(headers.get('content-type'));
    this.#upgrade = stream.upgrade !== '';
    this.#request = { ...request, authority, headers };
    const policy = cluster.http?.policies?.retry;
    if (policy?.avoidPreviousHosts === true) this.#triedHosts = [];
    if (policy === undefined) return;
    this.#retry = RetryState.ofPolicy(policy, this.#request, cluster, this.#breaker);
    if (this.#retry !== undefined) this.#kept = [];
  }

  begin(): void {
    const policy = this.#cluster.http?.policies?.retry;
    const host = this.#cluster.choose({
      hash: undefined,
      metadataMatch: undefined,
      avoid: this.#triedHosts,
      avoidAttempts: policy?.hostSelectionAttempts ?? 0,
      avoids: this.#tries > 0 ? policy?.avoids : undefined,
      authority: this.#stream.request.authority,
      priority: 'DEFAULT',
    });
    if (host instanceof Promise) {
      host.then(
        (chosen) => entered(() => this.#start(chosen)),
        () => this.cancel(),
      );
    } else this.#start(host);
  }

  #start(host: UpstreamHost | null): void {
    if (this.#over) return;
    if (host === null) {
      this.#cluster.stats.upstream_cx_none_healthy++;
      charge(this.#cluster.stats, 503, true, false);
      this.#finish(503, 'UH');
      return;
    }
    this.#triedHosts?.push(host);
    this.#host = host;
    host.active++;
    const { tracked } = host.cluster;
    if (tracked !== undefined) this.#track = new AttemptTrack(tracked, this.#now);
    this.#pool = poolOf(host, this.#stream.hcm.deps);
    this.#pool.acquire(this, this.#breaker);
  }

  data(read: Buffer): void {
    if (this.#over) return;
    let data = read;
    if (this.#kept !== undefined) {
      this.#kept.push((data = keep(read)));
      this.#keptBytes += data.length;
      if (this.#keptBytes > this.#bufferLimit) {
        this.#cluster.stats.retry_or_shadow_abandoned++;
        this.#retryNoMore();
        if (this.#backOff !== undefined) {
          // Nobody has what came before.
          this.#finish(507);
          return;
        }
      }
    }
    // What waits already goes first.
    if (this.#connection !== undefined && this.#waitingBody.length === 0 && !this.#connection.out.blocked) {
      this.#write(data);
      return;
    }
    this.#waitingBody.push(keep(data));
    this.#waitingBytes += data.length;
    if (this.#waitingBytes > MAX_WAITING && this.#kept === undefined) this.cancel();
    else this.#connection?.wantDrain();
  }

  get #now(): number {
    return turnNow(this.#stream.hcm.deps.clock);
  }

  end(): void {
    this.#complete = true;
    this.#completeAt = this.#now;
    if (this.#over) return;
    if (this.#timeout > 0) this.#timer = this.#stream.hcm.deps.clock.after(this.#timeout, () => this.#slow());
    if (this.#connection !== undefined) this.#flush();
  }

  cancel(): void {
    this.#giveUp(0, '-', true);
  }

  #slow(): void {
    const { stats } = this.#cluster;
    stats.upstream_rq_timeout++;
    this.#track?.untimed();
    this.#chargeBudget();
    if (this.#connection !== undefined) {
      this.#host?.count?.('timeout');
      if (this.#status === 0 && !this.#interim) this.#host?.report('timeout', 'error');
    }
    if (this.#status === 0 && !this.#interim) charge(stats, 504, true, this.#host?.canary === true, this.#host?.zones);
    this.#giveUp(504, 'UT');
  }

  /** Counts how much of its time the copy has needed. */
  #chargeBudget(): void {
    const budgets = this.#cluster.tracked?.budgets;
    if (budgets === undefined) return;
    const elapsed = this.#now - Math.max(0, this.#completeAt);
    budgets.upstream_rq_timeout_budget_percent_used.record(percentOf(elapsed, this.#timeout));
  }

  #giveUp(status: number, flags: string, canceled = false): void {
    if (this.#over) return;
    if (this.#pool !== undefined && this.#connection === undefined) this.#host!.cluster.stats.upstream_rq_cancelled++;
    this.#finish(status, flags, canceled);
    this.#pool?.cancel(this);
    this.#connection?.abandon();
  }

  onConnection(connection: ClientConnection): void {
    this.#connection = connection;
    this.#host!.issued++;
    this.#host!.report('begun');
    this.#host!.cluster.stats.upstream_rq_total++;
    this.#host!.cluster.stats.upstream_rq_active++;
    this.#announceTimeout();
    // As in Envoy, a body that there was none of the first time comes in no chunk the next.
    const expectsBody = this.#stream.expectsBody || this.#tries > 0;
    const head = upstreamHead(this.#request, this.#cluster, this.#upgrade, expectsBody);
    this.#chunked = head.chunked;
    connection.begin(this, this.#request.method, this.#upgrade);
    connection.out.text(head.text);
    this.#flush();
  }

  /** All attempts have the route's time between them. */
  #announceTimeout(): void {
    if (this.#timeout <= 0 || this.#stream.hcm.program.router.suppressEnvoyHeaders) return;
    const elapsed = this.#tries === 0 || this.#completeAt < 0 ? 0 : Math.trunc(this.#now - this.#completeAt);
    this.#request.headers.set('x-envoy-expected-rq-timeout-ms', String(Math.max(1, this.#timeout - elapsed)));
  }

  onPoolFailure(reason: ResetReason, _transport: string, admitted = false): void {
    if (admitted || reason !== 'overflow') this.#host!.count?.('error');
    if (this.#retry?.onReset(reason, false) === 'yes') {
      this.#again();
      return;
    }
    if (reason === 'overflow') this.#cluster.stats.load.dropped++;
    charge(this.#host!.cluster.stats, 503, true, false, this.#host!.zones);
    this.#finish(503, 'UF');
  }

  onResponseHead(parser: ResponseParser): void {
    const { status } = parser;
    this.#track?.responded(parser);
    const head = { status, headers: new Headers(parser.flat) };
    if (status < 200 && status !== 101) {
      if (!this.#interim)
        charge(this.#host!.cluster.stats, status, true, isCanary(this.#host!, head.headers), this.#host!.zones);
      this.#interim = true;
      this.#retryNoMore();
      return;
    }
    this.#countLater = reportAnswer(this.#host!, parser, head, this.#grpc);
    if (this.#countLater === undefined) this.#host!.count?.(countOf(status));
    if (this.#retry?.onResponse(head, this.#stream.hcm.deps.clock) === 'yes') {
      this.#cluster.stats.retry.charge(status);
      this.#again();
      return;
    }
    this.#retryNoMore();
    // The answer is read so that the connection can be used again, and dropped.
    this.#canary = isCanary(this.#host!, head.headers);
    charge(this.#host!.cluster.stats, status, true, this.#canary, this.#host!.zones);
    this.#loadTold = this.#host!.load?.report(parser.flat) === true;
    this.#status = status;
  }
  onResponseData(data: Buffer): void {
    this.#track?.received(data.length);
    this.#hadBody = true;
  }
  onResponseEnd(trailers: string[] | undefined): void {
    this.#countLater?.(this.#hadBody, trailers);
    if (trailers !== undefined && !this.#loadTold) this.#host?.load?.report(trailers);
    this.#chargeBudget();
    const { cluster, zones } = this.#host!;
    if (this.#completeAt >= 0) chargeTime(cluster.stats, this.#now - this.#completeAt, true, this.#canary, zones);
    const unfinished = !this.#complete || this.#waitingBody.length > 0;
    this.#finish();
    if (unfinished) this.#connection?.abandon();
  }
  onReset(reason: ResetReason): void {
    const [status, flags] = reason === 'protocol error' ? [502, 'UPE'] : [503, 'UC'];
    if (this.#countLater !== undefined) this.#host?.count?.('error');
    else this.#host?.report('reset', this.#status === 0 && !this.#interim ? 'error' : 'nothing');
    if (this.#retry?.onReset(reason, true) === 'yes') {
      this.#again();
      return;
    }
    if (this.#status === 0 && !this.#interim) charge(this.#host!.cluster.stats, status, true, false, this.#host!.zones);
    this.#finish(this.#status === 0 ? status : this.#status, flags);
  }
  onDrain(): void {
    if (!this.#over) this.#flush();
  }

  #write(data: Buffer): void {
    this.#track?.sent(data.length);
    const { out } = this.#connection!;
    if (this.#chunked) {
      out.text(chunkHead(data.length));
      out.data(data);
      out.text('\r\n');
    } else {
      out.data(data);
    }
    if (out.blocked) this.#connection!.wantDrain();
  }

  #flush(): void {
    const connection = this.#connection!;
    const waiting = this.#waitingBody;
    if (waiting.length > 0) {
      if (connection.out.blocked) {
        connection.wantDrain();
        return;
      }
      this.#waitingBody = [];
      this.#waitingBytes = 0;
      // What waited together goes on as one chunk.
      this.#write(waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting));
    }
    if (!this.#complete || this.#sent) return;
    this.#sent = true;
    if (this.#chunked) connection.out.text(LAST_CHUNK);
    connection.requestDone();
  }

  /** What has failed is sent once more, a while later. */
  #again(): void {
    const connection = this.#connection;
    this.#leaveHost();
    connection?.abandon();
    this.#countLater = undefined;
    const { clock, random } = this.#stream.hcm.deps;
    this.#backOff = clock.after(this.#retry!.nextBackOff(random), () => {
      this.#backOff = undefined;
      entered(() => {
        if (this.#over) return;
        this.#retry?.begins();
        this.#tries++;
        this.#sent = false;
        this.#waitingBody = [...this.#kept!];
        this.#waitingBytes = this.#keptBytes;
        this.begin();
      });
    });
  }

  #retryNoMore(): void {
    this.#retry?.release();
    this.#retry = undefined;
    this.#kept = undefined;
  }

  #leaveHost(): void {
    const host = this.#host;
    if (host === undefined) return;
    this.#track?.ended(this.#request, 0, this.#now);
    this.#track = undefined;
    host.active--;
    this.#host = undefined;
    this.#pool = undefined;
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    host.cluster.stats.upstream_rq_active--;
    this.#breaker.releaseRequest();
  }

  #finish(status = this.#status, flags = '-', canceled = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#backOff?.cancel();
    this.#retryNoMore();
    this.#waitingBody.length = 0;
    if (this.#span !== undefined)
      this.#stream.tracing?.shadowOver(this.#span, {
        cluster: this.#cluster,
        host: this.#host?.authority ?? '',
        status,
        flags,
        canceled,
      });
    this.#track?.ended(this.#request, 0, this.#now);
    if (this.#host !== undefined) this.#host.active--;
    if (this.#connection === undefined) return;
    this.#host!.cluster.stats.upstream_rq_active--;
    this.#breaker.releaseRequest();
  }
}

import { chunkHead, LAST_CHUNK } from '../codec/encode.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import type { CircuitBreaker, LbContext, MirrorProgram, RequestHead, UpstreamCluster, UpstreamHost } from '../types.ts';
import type { Span } from '../tracing/span.ts';
import { charge } from './charge.ts';
import type { ClientConnection, Exchange } from './client-connection.ts';
import { applyMutations } from '../program/headers.ts';
import { invalidPart } from './head-check.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { Headers } from './headers.ts';
import { countOf, reportAnswer, type LaterCount } from './host-report.ts';
import { percentOf } from '../telemetry/tracked.ts';
import { AttemptTrack } from './attempt-track.ts';
import { entered, turnNow } from './io.ts';
import { keep } from './reads.ts';
import { poolOf, type Pool, type Waiter } from './pool.ts';
import type { ResetReason } from './reset.ts';
import type { ActiveStream } from './stream.ts';
import { upstreamHead } from './upstream-head.ts';

/** A copy of a request under way to a cluster whose answer nobody waits for. */
export interface Shadow {
  data(data: Buffer): void;
  end(): void;
  cancel(): void;
}

/** Body bytes that wait for the mirror's connection at most; a mirror that is slower than that is given up. */
const MAX_WAITING = 256 * 1024;

/**
 * Begins to mirror a request whose head is final; undefined when it is not its turn or there is nowhere to send it. The
 * copy has the route's time (milliseconds; 0 for no end).
 */
export function mirror(stream: ActiveStream, program: MirrorProgram, timeout: number): Shadow | undefined {
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
  // It has one attempt, and all the route's time for that.
  if (timeout > 0 && !hcm.program.router.suppressEnvoyHeaders)
    headers.set('x-envoy-expected-rq-timeout-ms', String(timeout));
  if (headers.unchecked && invalidPart({ ...request, authority, headers }) !== undefined) return undefined;
  const shadow = new ShadowRequest(stream, { headers, authority, cluster, span }, timeout);
  const context: LbContext = {
    hash: undefined,
    metadataMatch: undefined,
    avoid: undefined,
    avoidAttempts: 0,
    authority: request.authority,
    priority: 'DEFAULT',
  };
  const host = cluster.choose(context);
  if (host instanceof Promise) {
    host.then(
      (chosen) => entered(() => shadow.start(chosen)),
      () => shadow.cancel(),
    );
  } else {
    shadow.start(host);
  }
  return shadow;
}

function authorityOf(program: MirrorProgram, authority: string): string {
  if (program.host !== undefined && program.host !== '') return program.host;
  return program.disableShadowHostSuffix ? authority : withSuffix(authority);
}

/** Fields by which requests ask for retries. */
const WISHES = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-upstream-alt-stat-name',
];

/** The request's own fields, changed as the copy wants them. */
function headersOf({ mutations }: MirrorProgram, stream: ActiveStream): Headers {
  const headers = stream.request.headers.clone();
  for (const step of mutations ?? []) applyMutations(step, headers, stream);
  // As those of the request itself, which have been read by now.
  if (headers.addsEnvoyFields) for (const name of WISHES) headers.remove(name);
  return headers;
}

/** `shop.example:80` → `shop.example-shadow:80` */
function withSuffix(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']')
    ? `${authority.slice(0, colon)}-shadow${authority.slice(colon)}`
    : `${authority}-shadow`;
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
  readonly #method: string;
  readonly #grpc: boolean;
  readonly #head: string;
  readonly #chunked: boolean;
  readonly #upgrade: boolean;
  readonly #cluster: UpstreamCluster;
  readonly #breaker: CircuitBreaker;
  readonly #span: Span | undefined;
  readonly #waitingBody: Buffer[] = [];
  #waitingBytes = 0;
  #complete = false;
  /** All of it has been written, its end too. */
  #sent = false;
  #host: UpstreamHost | undefined;
  #pool: Pool | undefined;
  #connection: ClientConnection | undefined;
  #over = false;
  readonly #timeout: number;
  #timer: { cancel(): void } | undefined;
  #status = 0;
  /** What was told ahead of the answer has been counted in its place. */
  #interim = false;
  #hadBody = false;
  #loadTold = false;
  #countLater: LaterCount | undefined;
  readonly #request: RequestHead;
  #track: AttemptTrack | undefined;
  /** When the request was complete; -1: it is not. */
  #completeAt = -1;

  constructor(stream: ActiveStream, { headers, authority, cluster, span }: Copy, timeout: number) {
    const { request } = stream;
    this.#stream = stream;
    this.#cluster = cluster;
    this.#breaker = cluster.limits.DEFAULT;
    this.#span = span;
    this.#timeout = timeout;
    this.#method = request.method;
    this.#grpc = isGrpc(headers.get('content-type'));
    this.#upgrade = stream.upgrade !== '';
    this.#request = { ...request, authority, headers };
    const head = upstreamHead(this.#request, cluster, this.#upgrade, stream.expectsBody);
    this.#chunked = head.chunked;
    this.#head = head.text;
  }

  start(host: UpstreamHost | null): void {
    if (this.#over) return;
    if (host === null) {
      this.#cluster.stats.upstream_cx_none_healthy++;
      charge(this.#cluster.stats, 503, true, false);
      this.#finish(503, 'UH');
      return;
    }
    this.#host = host;
    host.active++;
    const { tracked } = host.cluster;
    if (tracked !== undefined) this.#track = new AttemptTrack(tracked, this.#now);
    this.#pool = poolOf(host, this.#stream.hcm.deps);
    this.#pool.acquire(this, this.#breaker);
  }

  data(data: Buffer): void {
    if (this.#over) return;
    // What waits already goes first.
    if (this.#connection !== undefined && this.#waitingBody.length === 0 && !this.#connection.out.blocked) {
      this.#write(data);
      return;
    }
    this.#waitingBody.push(keep(data));
    this.#waitingBytes += data.length;
    if (this.#waitingBytes > MAX_WAITING) this.cancel();
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
    connection.begin(this, this.#method, this.#upgrade);
    connection.out.text(this.#head);
    this.#flush();
  }
  onPoolFailure(reason: ResetReason, _transport: string, admitted = false): void {
    if (reason === 'overflow') this.#cluster.stats.load.dropped++;
    if (admitted || reason !== 'overflow') this.#host!.count?.('error');
    charge(this.#host!.cluster.stats, 503, true, false, this.#host!.zones);
    this.#finish(503, 'UF');
  }

  onResponseHead(parser: ResponseParser): void {
    const { status } = parser;
    this.#track?.responded(parser);
    if (status < 200 && status !== 101) {
      if (!this.#interim) charge(this.#host!.cluster.stats, status, true, false, this.#host!.zones);
      this.#interim = true;
      return;
    }
    // The answer is read so that the connection can be used again, and dropped.
    charge(this.#host!.cluster.stats, status, true, this.#host!.canary === true, this.#host!.zones);
    this.#countLater = reportAnswer(this.#host!, parser, { status, headers: new Headers(parser.flat) }, this.#grpc);
    if (this.#countLater === undefined) this.#host!.count?.(countOf(status));
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
    const unfinished = !this.#complete || this.#waitingBody.length > 0;
    this.#finish();
    if (unfinished) this.#connection?.abandon();
  }
  onReset(reason: ResetReason): void {
    const [status, flags] = reason === 'protocol error' ? [502, 'UPE'] : [503, 'UC'];
    if (this.#countLater !== undefined) this.#host?.count?.('error');
    else this.#host?.report('reset', this.#status === 0 && !this.#interim ? 'error' : 'nothing');
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
    while (this.#waitingBody.length > 0) {
      if (connection.out.blocked) {
        connection.wantDrain();
        return;
      }
      const data = this.#waitingBody.shift()!;
      this.#waitingBytes -= data.length;
      this.#write(data);
    }
    if (!this.#complete || this.#sent) return;
    this.#sent = true;
    if (this.#chunked) connection.out.text(LAST_CHUNK);
    connection.requestDone();
  }

  #finish(status = this.#status, flags = '-', canceled = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
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

import { turnNow } from '../http/turn.ts';
import type { Headers } from '../http/headers.ts';
import type { HcmStats } from '../http/runtime.ts';
import type { ActiveStream } from '../http/stream.ts';
import type { AttemptLog } from '../http/attempt-log.ts';
import { recordOf } from '../http/upstream-log.ts';
import type { LogSource, SpanIds } from '../program/types.ts';
import { describeAttempt, describeRequest, describeShadow, type EndedShadow } from './finish.ts';
import type { RouteTracing, TracingProgram } from './program.ts';
import type { TraceReason } from './request-id.ts';
import { sample } from './sampling.ts';
import type { Span, SpanKind, SpanStart } from './span.ts';
import type { CustomTag } from './tags.ts';

const OPERATION = 'x-envoy-decorator-operation';

/** Traces one request; there is one only where the connection manager traces at all. Says itself how the span begins. */
export class StreamTracing implements SpanStart {
  readonly traced: boolean;
  readonly reason: TraceReason;
  readonly #stream: ActiveStream;
  readonly #program: TracingProgram;
  readonly #span: Span | undefined;
  /** What the other side of the call is told to name its span. */
  #told: string | undefined;

  /** Called once the request's head is as filters see it. */
  constructor(stream: ActiveStream, program: TracingProgram, reason = decide(stream, program)) {
    this.#stream = stream;
    this.#program = program;
    this.traced = reason !== 'none';
    this.reason = reason;
    const { request, hcm } = stream;
    count(hcm.stats, reason);
    this.#span = program.tracer?.start(request, this, stream);
    const span = this.#span;
    if (span?.sampled === true) span.tags.set('node_id', program.nodeId).set('zone', program.zone);
    this.#decorate();
  }

  get name(): string {
    return this.#program.outbound ? `egress ${this.#stream.request.authority}` : 'ingress';
  }
  get kind(): SpanKind {
    return this.#program.outbound && !this.#program.spawnsUpstreamSpan ? 'CLIENT' : 'SERVER';
  }
  get start(): number {
    return this.#stream.info.startWall;
  }
  get spawns(): boolean {
    return this.#program.spawnsUpstreamSpan;
  }

  get sampled(): Span | undefined {
    return this.#span?.sampled === true ? this.#span : undefined;
  }

  /** Which span the request is; undefined: none. */
  get ids(): SpanIds | undefined {
    return this.#span;
  }

  #decorate(): void {
    const decision = this.#stream.route();
    const decorator = decision.kind === 'none' ? undefined : decision.route.decorator;
    if (decorator !== undefined) {
      this.#rename(decorator.operation);
      if (decorator.propagate) this.#told = decorator.operation;
    }
    const { headers } = this.#stream.request;
    if (this.#program.outbound) {
      if (this.#told !== undefined) headers.set(OPERATION, this.#told);
      return;
    }
    const asked = headers.get(OPERATION);
    if (asked === undefined) return;
    if (asked !== '') {
      this.#rename(asked);
      this.#told = undefined;
    }
    headers.remove(OPERATION);
  }

  #rename(name: string): void {
    if (this.#span !== undefined) this.#span.name = name;
  }

  /** A response's head is about to leave. */
  onResponse(headers: Headers): void {
    if (!this.#program.outbound) {
      if (this.#told !== undefined) headers.set(OPERATION, this.#told);
      return;
    }
    const asked = headers.get(OPERATION);
    if (asked === undefined) return;
    if (asked !== '') this.#rename(asked);
    headers.remove(OPERATION);
  }

  /** An attempt begins: its head is told its span, which is its own or the request's. */
  attempt(clusterName: string, attempt: number): Span | undefined {
    const { request, hcm } = this.#stream;
    const span = this.#span;
    if (span === undefined) return undefined;
    if (!this.#program.spawnsUpstreamSpan && !hcm.program.router.startChildSpan) {
      if (!this.#program.keepsContext) span.inject(request.headers);
      return undefined;
    }
    const child = span.child(`router ${clusterName} egress`, this.now());
    if (attempt > 1 && child.sampled) child.tags.set('retry.count', String(attempt - 1));
    if (!this.#program.keepsContext) child.inject(request.headers);
    return child;
  }

  attemptOver(span: Span, attempt: AttemptLog): void {
    if (!span.sampled) return;
    const stream = this.#stream;
    const { cluster } = attempt.host;
    const source: LogSource = {
      info: recordOf(stream, attempt),
      request: stream.request,
      response: attempt.head,
    };
    describeAttempt(span, source, cluster, this.#details(), attempt, stream.info);
    const name = (this.#route()?.upstreamOperation ?? this.#program.upstreamOperation)?.(source) ?? '';
    if (name !== '') span.name = name;
    span.end = this.now();
    span.finish();
  }

  /** A copy of the request, or of a copy whose span that is, begins: its head is told a span of its own, which is sent or not as the copy says. */
  shadow(headers: Headers, sampled: boolean | undefined, span = this.#span): Span | undefined {
    if (span === undefined) return undefined;
    const child = span.child('mirror', this.now());
    if (sampled !== undefined) child.sampled = sampled;
    child.inject(headers);
    return child;
  }

  shadowOver(span: Span, shadow: EndedShadow, cancelled: boolean): void {
    if (!span.sampled) return;
    describeShadow(span, shadow, cancelled);
    span.end = this.now();
    span.finish();
  }

  /** Milliseconds since the Unix epoch. */
  now(): number {
    const { info, hcm } = this.#stream;
    return info.startWall + turnNow(hcm.deps.clock) - info.startTime;
  }

  /** The request is over. */
  finish(): void {
    const span = this.#span;
    if (span?.sampled !== true) return;
    const stream = this.#stream;
    const { info, hcm } = stream;
    describeRequest(span, stream, hcm.cluster(info.upstreamCluster), this.#details());
    const name = (this.#route()?.operation ?? this.#program.operation)?.(stream) ?? '';
    if (name !== '') span.name = name;
    span.end = info.startWall + info.responseEndTime - info.startTime;
    span.finish();
  }

  #details(): { readonly verbose: boolean; readonly maxPathLength: number; readonly tags: Iterable<CustomTag> } {
    const { tags: own, verbose, maxPathLength } = this.#program;
    const ofRoute = this.#route()?.tags;
    const tags = ofRoute === undefined || ofRoute.size === 0 ? own : new Map([...own, ...ofRoute]);
    return { verbose, maxPathLength, tags: tags.values() };
  }

  #route(): RouteTracing | undefined {
    return routeTracing(this.#stream);
  }
}

/** By names as they are: a name that is looked up first would make a dear look-up of each count. */
function count(stats: HcmStats, reason: TraceReason): void {
  if (reason === 'none') stats['tracing.not_traceable']++;
  else if (reason === 'sampled') stats['tracing.random_sampling']++;
  else if (reason === 'forced') stats['tracing.service_forced']++;
  else stats['tracing.client_enabled']++;
}

function routeTracing(stream: ActiveStream): RouteTracing | undefined {
  const decision = stream.route();
  return decision.kind === 'none' ? undefined : decision.route.tracing;
}

function decide(stream: ActiveStream, program: TracingProgram): TraceReason {
  if (!program.byRequestId) return 'sampled';
  const sampling = routeTracing(stream)?.sampling ?? program.sampling;
  return sample(stream.request.headers, sampling, program.packsReason, stream.hcm.deps.random);
}

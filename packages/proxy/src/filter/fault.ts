import type { JsonObject, types } from '@mizzen/xds';
import type { Random, Timer } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { compileRequestHeader, wholeNumber, type HeaderMatch } from '../program/match/header.ts';
import type { Path } from '../program/path.ts';
import { denominator, fraction, wholeMilliseconds, wire } from '../program/values.ts';
import { faultKeys, named, type AbortStatus, type FaultKeys } from '../runtime/fault.ts';
import { liveChance, liveInteger, type Live } from '../runtime/live.ts';
import { ResponseFlag, type HttpFilter, type HttpStream, type RequestHead, type Trace } from '../types.ts';
import { addMetadata } from './metadata.ts';
import { ByteBucket, compileResponseRate, rateFor, type ResponseRate } from './response-rate.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

export interface Fault {
  readonly delay: { readonly fixed: number | undefined; readonly chance: number; readonly of: number } | undefined;
  readonly abort:
    | {
        readonly httpStatus: number | undefined;
        readonly grpcStatus: number | undefined;
        readonly chance: number;
        /** What a chance that a header asks for is out of. */
        readonly of: number;
        readonly body: string;
      }
    | undefined;
  readonly rate: ResponseRate | undefined;
  /** What requests are marked with that a fault delays or aborts. */
  readonly metadata: JsonObject;
  /** Empty: any cluster. */
  readonly upstreamCluster: string;
  readonly headers: readonly HeaderMatch<RequestHead>[];
  readonly downstreamNodes: readonly string[];
  readonly maxActive: Live<number>;
  /** What runtime keys say; undefined: there is no runtime. */
  readonly keys: FaultKeys | undefined;
  /** Faults are also counted by the service that the request is from. */
  readonly countsClusters: boolean;
}

/** Other names, and more of them, make no counter: who sends requests must not choose how much is kept for ever. */
const CLUSTER_NAME = /^[\x21-\x7e]{1,200}$/;
const MAX_CLUSTERS = 1000;
const BODY = 'fault filter abort';

function compileFault(context: CompileContext, config: types.fault.HTTPFault, path: Path): Fault {
  const { delay, abort } = config;
  if (delay !== undefined && delay.fixedDelay === undefined && delay.headerDelay === undefined) {
    context.refuse([...path, 'delay'], 'must say how long');
  }
  if (
    abort !== undefined &&
    abort.httpStatus === undefined &&
    abort.grpcStatus === undefined &&
    abort.headerAbort === undefined
  ) {
    context.refuse([...path, 'abort'], 'must say with what status');
  }
  const status = abort?.httpStatus;
  if (status !== undefined && (status < 200 || status > 599))
    context.refuse([...path, 'abort', 'httpStatus'], 'must be from 200 to 599');
  return {
    delay:
      delay === undefined
        ? undefined
        : {
            fixed: delay.fixedDelay === undefined ? undefined : wholeMilliseconds(delay.fixedDelay, 0),
            chance: fraction(delay.percentage, 0),
            of: denominator(delay.percentage),
          },
    abort:
      abort === undefined
        ? undefined
        : {
            httpStatus: status,
            grpcStatus: abort.grpcStatus,
            chance: fraction(abort.percentage, 0),
            of: denominator(abort.percentage),
            body: abort.responseBody === undefined || abort.responseBody === '' ? BODY : wire(abort.responseBody),
          },
    rate: compileResponseRate(context, config, [...path, 'responseRateLimit']),
    metadata: config.filterMetadata ?? {},
    upstreamCluster: config.upstreamCluster ?? '',
    headers: (config.headers ?? []).map((matcher, i) =>
      compileRequestHeader(context, matcher, [...path, 'headers', i]),
    ),
    downstreamNodes: config.downstreamNodes ?? [],
    maxActive: liveInteger(
      context.deps.runtime,
      named(config.maxActiveFaultsRuntime, 'fault.http.max_active_faults'),
      config.maxActiveFaults ?? Infinity,
    ),
    keys: faultKeys(context.deps.runtime, config),
    countsClusters: config.disableDownstreamClusterStats !== true,
  };
}
export const faultPerRoute = new PerRouteKind(compileFault);

/** Delays and aborts requests. The route's configuration replaces the filter's own. */
export function faultFilter(
  context: CompileContext,
  config: types.fault.HTTPFault,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileFault(context, config, path);
  const { clock, random } = context.deps;
  const delays = scope.counter('fault.delays_injected');
  const aborts = scope.counter('fault.aborts_injected');
  const overflow = scope.counter('fault.faults_overflow');
  const active = scope.counter('fault.active_faults');
  const slowed = scope.counter('fault.response_rl_injected');
  /** Responses that may only be so fast. */
  const buckets = new WeakMap<HttpStream, ByteBucket>();
  /** Streams with a fault; they count until they end. */
  const faulty = new Set<HttpStream>();
  const delayed = new WeakMap<HttpStream, Timer>();

  const admitted = (stream: HttpStream, fault: Fault, trace: Trace | undefined): boolean => {
    if (faulty.has(stream)) return true;
    if (faulty.size < fault.maxActive.value) {
      // Who only asks never ends.
      if (trace === undefined) {
        faulty.add(stream);
        active.value = faulty.size;
      }
      return true;
    }
    overflow.value++;
    return false;
  };
  const clusters = new Set<string>();
  const countCluster = ({ request }: HttpStream, fault: Fault, what: string): void => {
    // Neither the filter nor the route may be against it.
    const cluster = own.countsClusters && fault.countsClusters ? downstreamCluster(request) : undefined;
    if (cluster === undefined || !CLUSTER_NAME.test(cluster)) return;
    if (!clusters.has(cluster) && clusters.size >= MAX_CLUSTERS) return;
    clusters.add(cluster);
    scope.counter(`fault.${cluster}.${what}`).value++;
  };
  const abort = (stream: HttpStream, fault: Fault, trace: Trace | undefined): undefined | 'stop' => {
    const status = abortStatus(fault, stream.request);
    if (status === undefined || !chosen(status.chance, random)) return undefined;
    if (!admitted(stream, fault, trace)) return undefined;
    aborts.value++;
    countCluster(stream, fault, 'aborts_injected');
    addMetadata(stream, scope.name, fault.metadata);
    const { body } = fault.abort!;
    stream.sendLocalReply(status.http, body, 'fault_filter_abort', ResponseFlag.FI, undefined, {
      grpcStatus: status.grpc,
    });
    return 'stop';
  };

  const slowDown = (stream: HttpStream, fault: Fault, rate: ResponseRate, trace: Trace | undefined): void => {
    const kib = rateFor(rate, stream.request);
    const name = 'x-envoy-fault-throughput-response-percentage';
    const given = rate.fixed === undefined ? headerChance(stream.request, name, rate.chance, rate.of) : rate.chance;
    const { runtime } = context.deps;
    const chance = runtime === undefined ? given : liveChance(runtime, rate.key, given).value;
    if (kib === undefined || !chosen(chance, random) || !admitted(stream, fault, trace)) return;
    slowed.value++;
    buckets.set(stream, new ByteBucket(kib, clock));
  };

  return {
    name: scope.name,
    onResponseData(stream, data) {
      const wait = faulty.size === 0 ? 0 : (buckets.get(stream)?.take(data.length) ?? 0);
      return wait === 0 ? undefined : new Promise((resolve) => void clock.after(wait, () => resolve(undefined)));
    },
    onEnd(stream) {
      if (faulty.size === 0) return;
      faulty.delete(stream);
      active.value = faulty.size;
      delayed.get(stream)?.cancel();
    },
    onRequest(stream, trace) {
      const fault = faultPerRoute.mostSpecific(stream, scope.name) ?? own;
      if (fault.delay === undefined && fault.abort === undefined && fault.rate === undefined) return undefined;
      if (!applies(fault, stream)) return undefined;
      if (fault.rate !== undefined) slowDown(stream, fault, fault.rate, trace);
      const delay = delayOf(fault, stream.request);
      if (trace !== undefined) describe(fault, delay, stream.request, trace);
      if (delay === undefined || !chosen(delay.chance, random) || !admitted(stream, fault, trace))
        return abort(stream, fault, trace);
      delays.value++;
      countCluster(stream, fault, 'delays_injected');
      addMetadata(stream, scope.name, fault.metadata);
      stream.info.responseFlags |= ResponseFlag.DI;
      // Whoever only asks does not wait.
      if (trace !== undefined) return abort(stream, fault, trace);
      return new Promise((resolve) => {
        delayed.set(
          stream,
          clock.after(delay.ms, () => resolve(abort(stream, fault, trace))),
        );
      });
    },
  };
}

function chosen(chance: number, random: Random): boolean {
  return chance >= 1 || (chance > 0 && random.float() < chance);
}

function applies(fault: Fault, stream: HttpStream): boolean {
  if (fault.upstreamCluster !== '') {
    const decision = stream.route();
    if (decision.kind !== 'cluster' || decision.cluster !== fault.upstreamCluster) return false;
  }
  for (const header of fault.headers) if (!header.matches(stream.request)) return false;
  if (fault.downstreamNodes.length === 0) return true;
  return fault.downstreamNodes.includes(stream.request.headers.get('x-envoy-downstream-service-node') ?? '');
}

/** A header can only lower the chance that is configured. */
function headerChance(request: RequestHead, name: string, configured: number, of: number): number {
  const given = request.headers.get(name);
  const number = given === undefined ? undefined : wholeNumber(given);
  return number === undefined || number < 0 ? configured : Math.min(configured, number / of);
}

function delayOf(fault: Fault, request: RequestHead): { readonly ms: number; readonly chance: number } | undefined {
  if (fault.delay === undefined) return undefined;
  const given = delayAsked(fault.delay, request);
  if (given === undefined || fault.keys === undefined) return given;
  const delay = fault.keys.delay(downstreamCluster(request), given);
  return delay.ms === 0 ? undefined : delay;
}

/** The service that a request is from, as it says itself; undefined: it does not. */
function downstreamCluster({ headers }: RequestHead): string | undefined {
  const name = headers.get('x-envoy-downstream-service-cluster');
  return name === '' ? undefined : name;
}

function delayAsked(
  delay: NonNullable<Fault['delay']>,
  request: RequestHead,
): { readonly ms: number; readonly chance: number } | undefined {
  if (delay.fixed !== undefined) return delay.fixed === 0 ? undefined : { ms: delay.fixed, chance: delay.chance };
  const ms = wholeNumber(request.headers.get('x-envoy-fault-delay-request') ?? '');
  if (ms === undefined || ms <= 0) return undefined;
  return { ms, chance: headerChance(request, 'x-envoy-fault-delay-request-percentage', delay.chance, delay.of) };
}

function abortStatus(fault: Fault, request: RequestHead): AbortStatus | undefined {
  if (fault.abort === undefined) return undefined;
  const given = abortAsked(fault.abort, request);
  if (given === undefined || fault.keys === undefined) return given;
  return fault.keys.abort(downstreamCluster(request), given);
}

function abortAsked(abort: NonNullable<Fault['abort']>, request: RequestHead): AbortStatus | undefined {
  if (abort.httpStatus !== undefined) return { http: abort.httpStatus, grpc: undefined, chance: abort.chance };
  if (abort.grpcStatus !== undefined) return { http: 200, grpc: abort.grpcStatus, chance: abort.chance };
  const chance = headerChance(request, 'x-envoy-fault-abort-request-percentage', abort.chance, abort.of);
  const http = wholeNumber(request.headers.get('x-envoy-fault-abort-request') ?? '');
  if (http !== undefined && http >= 200 && http < 600) return { http, grpc: undefined, chance };
  const grpc = wholeNumber(request.headers.get('x-envoy-fault-abort-grpc-request') ?? '');
  return grpc === undefined || grpc < 0 ? undefined : { http: 200, grpc, chance };
}

/** Says what may happen and how often, whether or not it happens to the request that is asked about. */
function describe(fault: Fault, delay: ReturnType<typeof delayOf>, request: RequestHead, trace: Trace): void {
  if (delay !== undefined) {
    trace.push({ kind: 'fault', text: `fault: ${delay.chance * 100} % of requests are delayed by ${delay.ms} ms` });
  }
  const status = abortStatus(fault, request);
  if (status === undefined) return;
  const what = status.grpc === undefined ? `status ${status.http}` : `gRPC status ${status.grpc}`;
  trace.push({ kind: 'fault', text: `fault: ${status.chance * 100} % of requests are answered with ${what}` });
}

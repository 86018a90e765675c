import type { types } from '@mizzen/xds';
import { FilterState } from '../../filter-state/state.ts';
import { turnNow } from '../../http/turn.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { isGrpc } from '../../telemetry/access-log-grpc.ts';
import type { GrpcCallStats } from '../../telemetry/grpc-calls.ts';
import type { HttpFilter, HttpStream } from '../../types.ts';
import type { FilterScope } from '../scope.ts';
import { MESSAGE_COUNTS, MessageCounts } from './counts.ts';
import { FrameCounter, ResponseFrameCounter } from './frames.ts';

/** How messages are told from each other: by gRPC's prefixes, by the same of Connect, or there is one each way. */
type Kind = 'grpc' | 'connect stream' | 'connect unary' | 'other';

class Call {
  readonly kind: Kind;
  /** Undefined: nobody is to count it. */
  readonly stats: GrpcCallStats | undefined;
  readonly isUnary: boolean;
  readonly requests = new FrameCounter();
  readonly responses = new ResponseFrameCounter();
  grpcResponse = false;
  counts: MessageCounts | undefined;

  constructor(kind: Kind, isUnary: boolean, stats: GrpcCallStats | undefined) {
    this.kind = kind;
    this.isUnary = isUnary;
    this.stats = stats;
  }
}

/** Counts gRPC calls and their messages by cluster, and by method where that is wanted. */
export function grpcStatsFilter(
  context: CompileContext,
  config: types.grpcStats.FilterConfig,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { grpcCalls, clock } = context.deps;
  const allMethods = config.statsForAllMethods === true;
  const listed = compileAllowlist(context, config.individualMethodStatsAllowlist, path);
  const dotless = config.replaceDotsInGrpcServiceName === true;
  const emits = config.emitFilterState === true;
  const timed = config.enableUpstreamStats === true;
  const calls = new WeakMap<HttpStream, Call>();

  const methodOf = (service: string, method: string): string => {
    if (allMethods) return `${dotless ? service.replaceAll('.', '_') : service}.${method}.`;
    const name = `${service}.${method}.`;
    return listed.get(service)?.has(method) === true ? name : '';
  };

  const begin = (stream: HttpStream, kind: Kind, isUnary: boolean): Call => {
    const decision = stream.route();
    const cluster = decision.kind === 'cluster' ? grpcCalls?.(decision.cluster) : undefined;
    const [service, method, ...more] = stream.request.path
      .split('?', 1)[0]!
      .split('/')
      .filter((part) => part !== '');
    const named = service !== undefined && method !== undefined && more.length === 0;
    const call = new Call(kind, isUnary, named ? cluster?.get(methodOf(service, method)) : undefined);
    calls.set(stream, call);
    return call;
  };

  const note = (stream: HttpStream, call: Call, unary: 'requests' | 'responses' | undefined): void => {
    if (!emits) return;
    if (call.counts === undefined) {
      const state = (stream.info.filterState ??= new FilterState(stream.info.connection.filterState));
      state.set(MESSAGE_COUNTS, (call.counts = new MessageCounts()), 'NONE');
    }
    if (call.isUnary) {
      if (unary !== undefined) call.counts[unary] = 1;
      return;
    }
    call.counts.requests = call.requests.count;
    call.counts.responses = call.responses.count;
  };

  const chargeTime = (stream: HttpStream, { stats }: Call): void => {
    const { upstreamRequestEndTime: sent = -1, responseCodeDetails } = stream.info;
    if (!timed || sent < 0 || responseCodeDetails !== 'via_upstream') return;
    stats?.upstream_rq_time.record(Math.max(0, Math.trunc(turnNow(clock) - sent)));
  };

  return {
    name: scope.name,
    onRequest(stream) {
      const { headers, path: target } = stream.request;
      if (target === '') return undefined;
      const type = headers.getJoined('content-type');
      const isUnary = headers.has('connect-protocol-version');
      if (isGrpc(type)) begin(stream, 'grpc', isUnary);
      else if (type?.startsWith('application/connect+') === true) begin(stream, 'connect stream', isUnary);
      else if (isUnary) begin(stream, 'connect unary', true);
      return undefined;
    },
    onRequestData(stream, data) {
      const call = calls.get(stream);
      if (call === undefined || call.kind === 'connect unary' || call.kind === 'other') return undefined;
      const more = call.requests.inspect(data);
      if (more === 0) return undefined;
      note(stream, call, undefined);
      if (call.stats !== undefined) call.stats.request_message_count += more;
      return undefined;
    },
    onRequestEnd(stream) {
      const call = calls.get(stream);
      if (call?.kind !== 'connect unary') return;
      note(stream, call, 'requests');
      if (call.stats !== undefined) call.stats.request_message_count++;
    },
    onResponse(stream) {
      const { response } = stream;
      let call = calls.get(stream);
      if (response === undefined || (call === undefined && !emits)) return undefined;
      const { status, headers } = response;
      const type = headers.getJoined('content-type');
      const grpcStatus = call === undefined ? undefined : headers.getJoined('grpc-status');
      const grpcResponse = !stream.responseEnds && status === 200 && isGrpc(type);
      if (call === undefined) {
        if (!grpcResponse) return undefined;
        calls.set(stream, (call = new Call('other', false, undefined)));
      }
      call.grpcResponse = grpcResponse;
      if (call.stats === undefined) return undefined;
      if (call.isUnary) call.stats.charge(status === 200);
      else if (grpcStatus !== undefined && !(status === 200 && type?.startsWith('application/connect+') === true))
        call.stats.chargeStatus(grpcStatus);
      if (stream.responseEnds) chargeTime(stream, call);
      return undefined;
    },
    onResponseData(stream, data) {
      const call = calls.get(stream);
      if (call === undefined || !(call.grpcResponse || call.kind === 'connect stream')) return undefined;
      const more = call.responses.inspect(data);
      if (more === 0) return undefined;
      note(stream, call, undefined);
      if (call.stats !== undefined) call.stats.response_message_count += more;
      return undefined;
    },
    onResponseEnd(stream) {
      const call = calls.get(stream);
      if (call === undefined || call.grpcResponse) return;
      if (call.kind === 'connect stream') {
        call.stats?.charge(call.responses.succeeded);
        chargeTime(stream, call);
      } else if (call.isUnary) {
        note(stream, call, 'responses');
        if (call.stats !== undefined) call.stats.response_message_count++;
        chargeTime(stream, call);
      }
    },
    onResponseTrailers(stream, trailers) {
      const call = calls.get(stream);
      if (call?.kind !== 'grpc' || call.stats === undefined) return trailers;
      const status = joined(trailers, 'grpc-status');
      if (status !== undefined) call.stats.chargeStatus(status);
      chargeTime(stream, call);
      return trailers;
    },
  };
}

/** Methods that count by themselves, by service. */
function compileAllowlist(
  context: CompileContext,
  list: types.core.GrpcMethodList | undefined,
  path: Path,
): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, Set<string>>();
  for (const [i, { name = '', methodNames = [] }] of (list?.services ?? []).entries()) {
    const at = [...path, 'individualMethodStatsAllowlist', 'services', i];
    if (name === '') context.refuse([...at, 'name'], 'must not be empty');
    if (methodNames.length === 0) context.refuse([...at, 'methodNames'], 'must name a method');
    methods.set(name, new Set([...(methods.get(name) ?? []), ...methodNames]));
  }
  return methods;
}

function joined(trailers: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < trailers.length; i += 2)
    if (trailers[i] === name) value = value === undefined ? trailers[i + 1]! : `${value},${trailers[i + 1]}`;
  return value;
}

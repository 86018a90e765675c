import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { GateDecision, NetworkGate } from '../../program/types.ts';
import { newStreamInfo } from '../../program/offline-stream.ts';
import { milliseconds, unwire } from '../../program/values.ts';
import { livePercentage } from '../../runtime/live.ts';
import { text } from '../../telemetry/access-log-text.ts';
import { compileGrpcMethod } from '../grpc-service.ts';
import { METHOD, TIMEOUT } from './filter.ts';

const METADATA = 'envoy.filters.network.ratelimit';
const ALLOWED: GateDecision = { allowed: true, details: '', flags: 0, metadata: undefined };

/** Asks a rate limit service about each connection. */
export function compileNetworkRateLimit(
  context: CompileContext,
  config: types.networkRateLimit.RateLimit,
  path: Path,
): NetworkGate {
  const { statPrefix = '', domain = '', descriptors = [] } = config;
  if (statPrefix === '') context.refuse([...path, 'statPrefix'], 'must not be empty');
  if (domain === '') context.refuse([...path, 'domain'], 'must not be empty');
  if (descriptors.length === 0) context.refuse([...path, 'descriptors'], 'must not be empty');
  const service = config.rateLimitService?.grpcService;
  const method = compileGrpcMethod(
    context,
    // The filter's own time is what counts.
    service === undefined ? undefined : { ...service, timeout: config.timeout ?? `${TIMEOUT / 1000}s` },
    METHOD,
    milliseconds(config.timeout, TIMEOUT),
    [...path, 'rateLimitService', 'grpcService'],
  );
  const made = descriptors.map(({ entries = [] }, i) =>
    entries.map(({ key = '', value = '' }, j) => ({
      key,
      value: text(context, value, '-', [...path, 'descriptors', i, 'entries', j, 'value']),
    })),
  );
  const enabled = livePercentage(context.deps.runtime, 'ratelimit.tcp_filter_enabled', 1);
  const enforced = livePercentage(context.deps.runtime, 'ratelimit.tcp_filter_enforcing', 1);
  const { random } = context.deps;
  const chosen = (chance: number): boolean => chance >= 1 || random.float() < chance;
  const counter = (name: string): { value: number } => context.deps.counter(`ratelimit.${statPrefix}.${name}`);
  const stats = {
    total: counter('total'),
    ok: counter('ok'),
    overLimit: counter('over_limit'),
    error: counter('error'),
    closed: counter('cx_closed'),
    failedOpen: counter('failure_mode_allowed'),
  };
  const settle = (answer: JsonObject): GateDecision => {
    const given = answer['dynamicMetadata'] as JsonObject | undefined;
    const metadata = given === undefined ? undefined : { [METADATA]: given };
    if (answer['overallCode'] !== 'OVER_LIMIT') {
      stats.ok.value++;
      return { ...ALLOWED, metadata };
    }
    stats.overLimit.value++;
    if (!chosen(enforced.value)) return { ...ALLOWED, metadata };
    stats.closed.value++;
    return { allowed: false, details: '', closeReason: 'ratelimit_close_over_limit', flags: 0, metadata };
  };
  const fail = (): GateDecision => {
    stats.error.value++;
    if (config.failureModeDeny !== true) {
      stats.failedOpen.value++;
      return ALLOWED;
    }
    stats.closed.value++;
    const closeReason = 'ratelimit_error_failure_mode_connection_close';
    return { allowed: false, details: '', closeReason, flags: 0, metadata: undefined };
  };
  return {
    text: 'rate limit',
    check(connection) {
      if (!chosen(enabled.value)) return ALLOWED;
      stats.total.value++;
      const source = { info: newStreamInfo(connection) };
      const descriptors = made.map((entries) => ({
        entries: entries.map(({ key, value }) => ({ key, value: unwire(value(source)) })),
      }));
      const call = method.call({ domain, descriptors }, source);
      return { decision: call.answer.then(settle, fail), cancel: () => call.cancel() };
    },
  };
}

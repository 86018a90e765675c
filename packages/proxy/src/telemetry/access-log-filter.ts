import type { types } from '@mizzen/xds';
import { compileExpressionText } from '../cel/config.ts';
import type { CompileContext } from '../program/context.ts';
import { compileRequestHeader } from '../program/match/header.ts';
import { compileMetadata, lookUp } from '../program/match/value.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { LogSource } from '../program/types.ts';
import { DENOMINATORS } from '../program/values.ts';
import { liveInteger } from '../runtime/live.ts';
import { flagBit } from './access-log-flags.ts';
import { grpcStatusName, grpcStatusOf } from './access-log-grpc.ts';

type Filter = (source: LogSource) => boolean;

/** Decides whether a line is written. After a refusal: never. */
export function compileAccessLogFilter(
  context: CompileContext,
  filter: types.accesslog.AccessLogFilter,
  path: Path,
): Filter {
  if (filter.statusCodeFilter !== undefined) {
    const compare = comparison(context, filter.statusCodeFilter.comparison);
    return ({ info }) => compare(info.responseCode);
  }
  if (filter.durationFilter !== undefined) {
    const compare = comparison(context, filter.durationFilter.comparison);
    const { clock } = context.deps;
    return ({ info: { startTime, startWall, responseEndTime } }) =>
      compare(Math.round(responseEndTime < 0 ? clock.wall() - startWall : responseEndTime - startTime));
  }
  if (filter.notHealthCheckFilter !== undefined) return ({ info }) => info.healthCheck !== true;
  if (filter.traceableFilter !== undefined)
    return ({ info, tracing }) => tracing?.reason === 'forced' && info.healthCheck !== true;
  if (filter.runtimeFilter !== undefined) {
    return sampled(context, filter.runtimeFilter);
  }
  if (filter.andFilter !== undefined) {
    const all = (filter.andFilter.filters ?? []).map((f, i) =>
      compileAccessLogFilter(context, f, [...path, 'andFilter', 'filters', i]),
    );
    return (source) => all.every((f) => f(source));
  }
  if (filter.orFilter !== undefined) {
    const any = (filter.orFilter.filters ?? []).map((f, i) =>
      compileAccessLogFilter(context, f, [...path, 'orFilter', 'filters', i]),
    );
    return (source) => any.some((f) => f(source));
  }
  if (filter.headerFilter !== undefined) {
    const header = compileRequestHeader(context, filter.headerFilter.header ?? {}, [...path, 'headerFilter', 'header']);
    return ({ request }) => request !== undefined && header.matches(request);
  }
  if (filter.responseFlagFilter !== undefined)
    return flags(context, filter.responseFlagFilter, [...path, 'responseFlagFilter', 'flags']);
  if (filter.grpcStatusFilter !== undefined) return grpcStatus(filter.grpcStatusFilter);
  if (filter.metadataFilter !== undefined) {
    const { matcher, matchIfKeyNotFound } = filter.metadataFilter;
    const whenMissing = matchIfKeyNotFound ?? true;
    if (matcher === undefined) return () => whenMissing;
    // As in Envoy, `invert` is not looked at.
    const match = compileMetadata(context, { ...matcher, invert: false }, [...path, 'metadataFilter', 'matcher']);
    const keys = (matcher.path ?? []).map((segment) => segment.key ?? '');
    return ({ info }) => {
      const metadata = info.dynamicMetadata;
      return lookUp(metadata?.[matcher.filter ?? ''], keys) === undefined ? whenMissing : match.matches(metadata);
    };
  }
  if (filter.logTypeFilter !== undefined) {
    const wanted = new Set<string>(filter.logTypeFilter.types ?? []);
    const exclude = filter.logTypeFilter.exclude === true;
    return (source) => wanted.has(source.logType ?? 'NotSet') !== exclude;
  }
  if (filter.extensionFilter !== undefined)
    return extension(context, filter.extensionFilter, [...path, 'extensionFilter', 'typedConfig']);
  context.refuse(path, 'must say what to filter by');
  return () => false;
}

/** Requests that share an id are all logged or none, unless each is to be thrown dice for. */
function sampled(context: CompileContext, filter: types.accesslog.RuntimeFilter): Filter {
  const { runtimeKey, percentSampled, useIndependentRandomness } = filter;
  const buckets = DENOMINATORS[percentSampled?.denominator ?? 'HUNDRED'];
  const wanted = liveInteger(context.deps.runtime, runtimeKey, percentSampled?.numerator ?? 0);
  const { random } = context.deps;
  return ({ request }) => {
    const id = useIndependentRandomness === true ? undefined : request?.headers.get('x-request-id');
    const value = id === undefined ? Number.NaN : Number.parseInt(id.slice(0, 8), 16);
    return (Number.isNaN(value) ? random.uint32() : value) % buckets < Math.min(wanted.value, buckets);
  };
}

/** Lines are written where the expression is true, and only there. */
function extension(context: CompileContext, filter: types.accesslog.ExtensionFilter, path: Path): Filter {
  const config = filter.typedConfig;
  const type = messageOf(config?.['@type'] ?? '');
  if (type !== 'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter') {
    context.refuse(path, `\`${type}\` is not a filter of access logs that is supported`);
    return () => false;
  }
  const { expression = '', celConfig } = config as types.celFilter.ExpressionFilter;
  const evaluate = compileExpressionText(context, expression, celConfig, [...path, 'expression']);
  return (source) => evaluate(source) === true;
}

function comparison(
  context: CompileContext,
  filter: types.accesslog.ComparisonFilter | undefined,
): (value: number) => boolean {
  const wanted = liveInteger(context.deps.runtime, filter?.value?.runtimeKey, filter?.value?.defaultValue ?? 0);
  switch (filter?.op ?? 'EQ') {
    case 'GE':
      return (value) => value >= wanted.value;
    case 'LE':
      return (value) => value <= wanted.value;
    case 'NE':
      return (value) => value !== wanted.value;
    case 'EQ':
      return (value) => value === wanted.value;
  }
}

function flags(context: CompileContext, filter: types.accesslog.ResponseFlagFilter, path: Path): Filter {
  if (filter.flags === undefined || filter.flags.length === 0) return ({ info }) => info.responseFlags !== 0;
  let bits = 0;
  filter.flags.forEach((flag, i) => {
    const bit = flagBit(flag);
    if (bit === undefined) context.refuse([...path, i], `\`${flag}\` is not a response flag`);
    bits |= bit ?? 0;
  });
  return ({ info }) => (info.responseFlags & bits) !== 0;
}

function grpcStatus(filter: types.accesslog.GrpcStatusFilter): Filter {
  const wanted = new Set<string>(filter.statuses ?? []);
  const exclude = filter.exclude === true;
  return (source) => {
    const status = grpcStatusOf(source) ?? 2;
    const name = status < 0 ? 'UNKNOWN' : grpcStatusName(status, true);
    return wanted.has(name === 'CANCELLED' ? 'CANCELED' : name) !== exclude;
  };
}

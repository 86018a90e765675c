import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { compileRequestHeader } from '../program/match/header.ts';
import { compileMetadata, lookUp } from '../program/match/value.ts';
import type { Path } from '../program/path.ts';
import type { LogSource } from '../program/types.ts';
import { fraction } from '../program/values.ts';
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
    const compare = comparison(filter.statusCodeFilter.comparison);
    return ({ info }) => compare(info.responseCode);
  }
  if (filter.durationFilter !== undefined) {
    const compare = comparison(filter.durationFilter.comparison);
    return ({ info }) => info.responseEndTime >= 0 && compare(Math.round(info.responseEndTime - info.startTime));
  }
  if (filter.notHealthCheckFilter !== undefined) return () => true;
  if (filter.traceableFilter !== undefined) return () => false;
  if (filter.runtimeFilter !== undefined) {
    const chance = fraction(filter.runtimeFilter.percentSampled, 0);
    return () => context.deps.random.float() < chance;
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
    const match = compileMetadata(context, matcher, [...path, 'metadataFilter', 'matcher']);
    const keys = (matcher.path ?? []).map((segment) => segment.key ?? '');
    return ({ info }) => {
      const metadata = info.dynamicMetadata;
      return lookUp(metadata?.[matcher.filter ?? ''], keys) === undefined ? whenMissing : match.matches(metadata);
    };
  }
  if (filter.logTypeFilter !== undefined) {
    const wanted = new Set<string>(filter.logTypeFilter.types ?? []);
    const exclude = filter.logTypeFilter.exclude === true;
    return (source) => wanted.has(source.logType ?? 'DownstreamEnd') !== exclude;
  }
  context.refuse(path, 'must say what to filter by');
  return () => false;
}

function comparison(filter: types.accesslog.ComparisonFilter | undefined): (value: number) => boolean {
  const wanted = filter?.value?.defaultValue ?? 0;
  switch (filter?.op ?? 'EQ') {
    case 'GE':
      return (value) => value >= wanted;
    case 'LE':
      return (value) => value <= wanted;
    case 'NE':
      return (value) => value !== wanted;
    case 'EQ':
      return (value) => value === wanted;
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

import type { JsonObject, JsonValue, types } from '@mizzen/xds';
import { livePercentage } from '../../runtime/live.ts';
import type { CompileContext } from '../../program/context.ts';
import { compileCidrs } from '../../program/match/cidr.ts';
import { compileRequestHeader } from '../../program/match/header.ts';
import { compileQuery, decodedParameter } from '../../program/match/query.ts';
import type { Path } from '../../program/path.ts';
import { asciiLower, unwire, wire } from '../../program/values.ts';
import { text } from '../../telemetry/access-log-text.ts';
import type { HttpStream, RateLimitDescriptor, RateLimitPolicy } from '../../types.ts';
import { compileExtension } from './expression.ts';
import { maskAddress } from '../../program/match/mask.ts';

/** `undefined`: the request is not counted by this policy; `skip`: it is, without this entry. */
type Entry = { readonly key: string; readonly value: string } | 'skip' | undefined;
export type RateLimitAction = (stream: HttpStream) => Entry;

const UNITS = new Set(['SECOND', 'MINUTE', 'HOUR', 'DAY', 'MONTH', 'YEAR', 'WEEK']);
const MAX_STAGE = 10;
const MAX_HITS = 1_000_000_000;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * `rateLimits` of a virtual host or a route, or of a filter (`weighed`): as in Envoy, only a filter's own say how much a
 * request counts.
 */
export function compileRateLimits(
  context: CompileContext,
  limits: readonly types.route.RateLimit[] | undefined,
  path: Path,
  weighed = false,
): readonly RateLimitPolicy[] | undefined {
  if (limits === undefined || limits.length === 0) return undefined;
  return limits.map((limit, i) => compileRateLimit(context, limit, weighed, [...path, i]));
}

const ALWAYS = { value: 1 };

/** Whether clients are told of it in `x-ratelimit-…`; undefined: as the filter says. */
function told(option: types.route.RateLimit['xRatelimitOption']): boolean | undefined {
  return option === undefined || option === 'UNSPECIFIED' ? undefined : option === 'DRAFT_VERSION_03';
}

/** What a filter's own policies, and those of its configuration for a route, cannot say. */
function refuseForRoutes(context: CompileContext, limit: types.route.RateLimit, path: Path): void {
  for (const field of ['stage', 'disableKey'] as const) {
    if (limit[field] !== undefined && limit[field] !== '')
      context.refuse([...path, field], 'is for policies of routes and virtual hosts');
  }
  const { hitsAddend } = limit;
  if (hitsAddend !== undefined && hitsAddend.number === undefined && (hitsAddend.format ?? '') === '')
    context.refuse([...path, 'hitsAddend'], 'must have `number` or `format`');
}

function compileRateLimit(
  context: CompileContext,
  limit: types.route.RateLimit,
  weighed: boolean,
  path: Path,
): RateLimitPolicy {
  const { stage = 0 } = limit;
  if (weighed) refuseForRoutes(context, limit, path);
  if (stage > MAX_STAGE) context.refuse([...path, 'stage'], `must be at most ${MAX_STAGE}`);
  if (limit.actions === undefined || limit.actions.length === 0)
    context.refuse([...path, 'actions'], 'must not be empty');
  const actions = (limit.actions ?? []).map((action, i) => compileAction(context, action, [...path, 'actions', i]));
  const override = compileOverride(context, limit.limit, [...path, 'limit']);
  const addend = compileAddend(context, limit.hitsAddend, [...path, 'hitsAddend']);
  const { disableKey = '' } = limit;
  const negative = limit.hitsAddend?.isNegativeHits === true;
  const headers = told(limit.xRatelimitOption);
  return {
    stage,
    onStreamDone: limit.applyOnStreamDone === true,
    disableKey,
    enabled:
      disableKey === ''
        ? ALWAYS
        : livePercentage(context.deps.runtime, `ratelimit.${disableKey}.http_filter_enabled`, 1),
    describe(stream) {
      const entries: { key: string; value: string }[] = [];
      for (const action of actions) {
        const entry = action(stream);
        if (entry === undefined) return undefined;
        if (entry !== 'skip') entries.push(entry);
      }
      const hitsAddend = weighed ? addend?.(stream) : undefined;
      if (hitsAddend === 'not a number') return undefined;
      return {
        entries,
        limit: override?.(stream),
        hitsAddend,
        negative: weighed && negative,
        headers,
      };
    },
  };
}

function compileAction(context: CompileContext, action: types.route.RateLimit_Action, path: Path): RateLimitAction {
  if (action.sourceCluster !== undefined) {
    const { serviceCluster = '' } = context.deps;
    return () => ({ key: 'source_cluster', value: serviceCluster });
  }
  if (action.destinationCluster !== undefined) {
    return (stream) => {
      const decision = stream.route();
      return decision.kind === 'cluster' ? { key: 'destination_cluster', value: decision.cluster } : undefined;
    };
  }
  if (action.requestHeaders !== undefined) return compileHeaders(context, action.requestHeaders, path);
  if (action.queryParameters !== undefined) {
    const { queryParameterName = '', descriptorKey = '', skipIfAbsent } = action.queryParameters;
    const at = [...path, 'queryParameters'];
    if (queryParameterName === '') context.refuse([...at, 'queryParameterName'], 'must not be empty');
    if (descriptorKey === '') context.refuse([...at, 'descriptorKey'], 'must not be empty');
    const name = wire(queryParameterName);
    return (stream) => {
      const value = decodedParameter(stream.request.path, name);
      if (value === undefined) return skipIfAbsent === true ? 'skip' : undefined;
      return { key: descriptorKey, value: unwire(value) };
    };
  }
  if (action.remoteAddress !== undefined)
    return (stream) => ({ key: 'remote_address', value: stream.info.remoteAddress });
  if (action.remoteAddressMatch !== undefined) {
    const { descriptorKey = '', descriptorValue = '', defaultValue = '', addressMatcher } = action.remoteAddressMatch;
    const at = [...path, 'remoteAddressMatch'];
    if (descriptorValue === '') context.refuse([...at, 'descriptorValue'], 'must not be empty');
    if (addressMatcher === undefined) context.refuse([...at, 'addressMatcher'], 'must be there');
    const ranges = compileCidrs(context, addressMatcher?.ranges, [...at, 'addressMatcher', 'ranges']);
    const invert = addressMatcher?.invertMatch === true;
    const key = descriptorKey === '' ? 'remote_address_match' : descriptorKey;
    const format = text(context, descriptorValue, '', [...at, 'descriptorValue']);
    return (stream) => {
      if (ranges.some((range) => range.contains(stream.info.remoteAddress)) === invert) return undefined;
      const value = unwire(format(stream)) || defaultValue;
      return value === '' ? undefined : { key, value };
    };
  }
  if (action.maskedRemoteAddress !== undefined) {
    const { v4PrefixMaskLen = 32, v6PrefixMaskLen = 128 } = action.maskedRemoteAddress;
    if (v4PrefixMaskLen > 32) context.refuse([...path, 'maskedRemoteAddress', 'v4PrefixMaskLen'], 'must be at most 32');
    if (v6PrefixMaskLen > 128)
      context.refuse([...path, 'maskedRemoteAddress', 'v6PrefixMaskLen'], 'must be at most 128');
    return (stream) => ({
      key: 'masked_remote_address',
      value: maskAddress(stream.info.remoteAddress, v4PrefixMaskLen, v6PrefixMaskLen),
    });
  }
  if (action.genericKey !== undefined) {
    const { descriptorKey = '', descriptorValue = '' } = action.genericKey;
    if (descriptorValue === '') context.refuse([...path, 'genericKey', 'descriptorValue'], 'must not be empty');
    const entry = { key: descriptorKey === '' ? 'generic_key' : descriptorKey, value: descriptorValue };
    return () => entry;
  }
  if (action.headerValueMatch !== undefined) {
    const { descriptorKey = '', descriptorValue = '', expectMatch = true, headers } = action.headerValueMatch;
    const at = [...path, 'headerValueMatch'];
    const matchers = (headers ?? []).map((header, i) => compileRequestHeader(context, header, [...at, 'headers', i]));
    if (matchers.length === 0) context.refuse([...at, 'headers'], 'must not be empty');
    const entry = { key: descriptorKey === '' ? 'header_match' : descriptorKey, value: descriptorValue };
    return (stream) => (matchers.every(({ matches }) => matches(stream.request)) === expectMatch ? entry : undefined);
  }
  if (action.queryParameterValueMatch !== undefined) {
    const {
      descriptorKey = '',
      descriptorValue = '',
      expectMatch = true,
      queryParameters,
    } = action.queryParameterValueMatch;
    const at = [...path, 'queryParameterValueMatch'];
    const matchers = (queryParameters ?? []).map((parameter, i) =>
      compileQuery(context, parameter, [...at, 'queryParameters', i], decodedParameter),
    );
    if (matchers.length === 0) context.refuse([...at, 'queryParameters'], 'must not be empty');
    const entry = { key: descriptorKey === '' ? 'query_match' : descriptorKey, value: descriptorValue };
    return (stream) =>
      matchers.every(({ matches }) => matches(stream.request.path)) === expectMatch ? entry : undefined;
  }
  if (action.metadata !== undefined) return compileMetadataAction(action.metadata);
  if (action.extension !== undefined) return compileExtension(context, action.extension, [...path, 'extension']);
  context.refuse(path, 'must say what to count by');
  return () => undefined;
}

function compileHeaders(
  context: CompileContext,
  action: types.route.RateLimit_Action_RequestHeaders,
  path: Path,
): RateLimitAction {
  const { headerName = '', descriptorKey = '', skipIfAbsent } = action;
  if (headerName === '') context.refuse([...path, 'requestHeaders', 'headerName'], 'must not be empty');
  if (descriptorKey === '') context.refuse([...path, 'requestHeaders', 'descriptorKey'], 'must not be empty');
  const name = asciiLower(headerName);
  return ({ request }) => {
    const value = headerOf(request, name);
    if (value === undefined) return skipIfAbsent === true ? 'skip' : undefined;
    return { key: descriptorKey, value: unwire(value) };
  };
}

function headerOf(request: HttpStream['request'], name: string): string | undefined {
  switch (name) {
    case ':path':
      return request.path;
    case ':method':
      return request.method;
    case ':authority':
    case 'host':
      return request.authority;
    case ':scheme':
      return request.scheme;
    default:
      return request.headers.get(name);
  }
}

function compileMetadataAction(action: types.route.RateLimit_Action_MetaData): RateLimitAction {
  const { descriptorKey = '', defaultValue = '', source = 'DYNAMIC', skipIfAbsent } = action;
  return (stream) => {
    const decision = stream.route();
    const from =
      source === 'DYNAMIC'
        ? stream.info.dynamicMetadata
        : decision.kind === 'none'
          ? undefined
          : decision.route.metadata;
    const found = metadataAt(from, action.metadataKey);
    const value = typeof found === 'string' && found !== '' ? found : defaultValue;
    if (value !== '') return { key: descriptorKey, value };
    return skipIfAbsent === true ? 'skip' : undefined;
  };
}

function metadataAt(
  metadata: Readonly<Record<string, JsonObject>> | undefined,
  at: { readonly key?: string; readonly path?: readonly { readonly key?: string }[] } | undefined,
): JsonValue | undefined {
  let value: JsonValue | undefined = metadata?.[at?.key ?? ''];
  for (const { key = '' } of at?.path ?? []) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}

function compileOverride(
  context: CompileContext,
  limit: types.route.RateLimit_Override | undefined,
  path: Path,
): ((stream: HttpStream) => RateLimitDescriptor['limit']) | undefined {
  if (limit === undefined) return undefined;
  if (limit.rateLimit !== undefined) {
    const { requestsPerUnit = 0, unit = 'UNKNOWN' } = limit.rateLimit;
    const fixed = { requestsPerUnit, unit };
    return () => fixed;
  }
  const at = limit.dynamicMetadata?.metadataKey;
  if (at === undefined) context.refuse([...path, 'dynamicMetadata'], 'must be there');
  return (stream) => {
    const found = metadataAt(stream.info.dynamicMetadata, at);
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    const { requests_per_unit: requestsPerUnit, unit } = found as JsonObject;
    if (typeof requestsPerUnit !== 'number' || typeof unit !== 'string' || !UNITS.has(unit)) return undefined;
    return { requestsPerUnit: Math.trunc(requestsPerUnit), unit };
  };
}

/** How much a request counts: a number, or text with command operators that makes one; what does not is not counted. */
function compileAddend(
  context: CompileContext,
  addend: types.route.RateLimit_HitsAddend | undefined,
  path: Path,
): ((stream: HttpStream) => number | 'not a number') | undefined {
  if (addend === undefined) return undefined;
  if (addend.format !== undefined && addend.format !== '') {
    if (addend.number !== undefined) context.refuse([...path, 'format'], 'cannot be set beside `number`');
    const format = text(context, addend.format, '-', [...path, 'format']);
    return (stream) => {
      const made = format(stream);
      // Minus zero is zero.
      const hits = NUMBER.test(made) ? Math.trunc(Number(made)) : -1;
      return hits >= 0 && hits <= MAX_HITS ? hits + 0 : 'not a number';
    };
  }
  const number = Number(addend.number ?? 1);
  return () => number;
}

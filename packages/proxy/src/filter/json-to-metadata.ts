import type { JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { compileRegex } from '../program/match/regex.ts';
import { lookUp } from '../program/match/value.ts';
import type { Path } from '../program/path.ts';
import type { Counter } from '../program/types.ts';
import { wire } from '../program/values.ts';
import type { HttpFilter, HttpStream } from '../types.ts';
import { readNumber } from './number.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

const NAMESPACE = 'envoy.filters.http.json_to_metadata';
/** Longer text is not taken. */
const LIMIT = 8 * 1024;

type Found = Record<string, Record<string, JsonValue>>;
type Put = (value: JsonValue, found: Found, stream: HttpStream) => void;

interface Rule {
  readonly keys: readonly string[];
  /** What is put whatever the value is. */
  readonly fixed: ((found: Found, stream: HttpStream) => void) | undefined;
  /** False: the value is not one that can be taken. */
  readonly onPresent: ((value: JsonValue, found: Found, stream: HttpStream) => boolean) | undefined;
  readonly onMissing: ((found: Found, stream: HttpStream) => void) | undefined;
  readonly onError: ((found: Found, stream: HttpStream) => void) | undefined;
}

/** Which bodies are looked into, and for what. */
interface Rules {
  readonly rules: readonly Rule[];
  readonly isAllowed: (contentType: string) => boolean;
  readonly stats: Readonly<Record<'success' | 'mismatched' | 'noBody' | 'invalid', Counter>>;
}

function compileRules(
  context: CompileContext,
  { requestRules }: types.jsonToMetadata.JsonToMetadata,
  path: Path,
): Rules {
  const at = [...path, 'requestRules'];
  const { rules: given = [], allowEmptyContentType = false } = requestRules ?? {};
  const rules = given.map((rule, i) => compileRule(context, rule, [...at, 'rules', i]));
  const isKnown = compileTypes(context, requestRules ?? {}, at);
  const count = (name: string): Counter => {
    context.deps.counter(`json_to_metadata.resp.${name}`);
    return context.deps.counter(`json_to_metadata.rq.${name}`);
  };
  return {
    rules,
    isAllowed: (type) => (type === '' ? allowEmptyContentType : isKnown(type)),
    stats: {
      success: count('success'),
      mismatched: count('mismatched_content_type'),
      noBody: count('no_body'),
      invalid: count('invalid_json_body'),
    },
  };
}
export const jsonToMetadataPerRoute = new PerRouteKind(compileRules);

/** Puts what is in JSON bodies of requests into the dynamic metadata. The route's rules replace the filter's own. */
export function jsonToMetadataFilter(
  context: CompileContext,
  config: types.jsonToMetadata.JsonToMetadata,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileRules(context, config, path);
  return {
    name: scope.name,
    onRequest(stream) {
      const rules = jsonToMetadataPerRoute.mostSpecific(stream, scope.name) ?? own;
      if (rules.rules.length === 0) return undefined;
      if (!rules.isAllowed(stream.request.headers.get('content-type') ?? '')) {
        failed(stream, rules, rules.stats.mismatched);
        return undefined;
      }
      if (!stream.expectsBody || stream.upgrade !== '') {
        missing(stream, rules);
        return undefined;
      }
      return stream.collectBody(stream.bodyLimit, false).then(({ data }) => {
        if (data.length === 0) {
          missing(stream, rules);
          return undefined;
        }
        const json = read(data);
        if (json === undefined) {
          failed(stream, rules, rules.stats.invalid);
        } else {
          note(stream, (found) => rules.rules.forEach((rule) => apply(rule, json, found, stream)));
          rules.stats.success.value++;
        }
        return undefined;
      });
    },
  };
}

function missing(stream: HttpStream, { rules, stats }: Rules): void {
  stats.noBody.value++;
  note(stream, (found) => rules.forEach((rule) => rule.onMissing?.(found, stream)));
}

function failed(stream: HttpStream, { rules }: Rules, counter: Counter): void {
  counter.value++;
  note(stream, (found) => rules.forEach((rule) => rule.onError?.(found, stream)));
}

/** Undefined: it is no JSON. */
function read(data: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(data.toString(), keepFractions) as JsonValue;
  } catch {
    return undefined;
  }
}

const FRACTION = Symbol('a whole number that is written as a fraction');

/** `5.0` is told from `5` where it is to be text. */
function keepFractions(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && Number.isInteger(value) && /[.e]/i.test(context?.source ?? '')
    ? { [FRACTION]: value }
    : value;
}

function apply({ keys, fixed, onPresent, onMissing }: Rule, json: JsonValue, found: Found, stream: HttpStream): void {
  const parent = lookUp(json, keys.slice(0, -1));
  // A value that is fixed anyway needs no more than a place where the last key could be.
  if (fixed !== undefined && typeof parent === 'object' && parent !== null && !(FRACTION in parent))
    return fixed(found, stream);
  const value = lookUp(parent, keys.slice(-1));
  const taken =
    value !== undefined && fixed === undefined && (onPresent === undefined || onPresent(value, found, stream));
  if (!taken) onMissing?.(found, stream);
}

function note(stream: HttpStream, fill: (found: Found) => void): void {
  const found: Found = {};
  fill(found);
  const all = Object.entries(found);
  if (all.length > 0) stream.clearRoute();
  for (const [namespace, values] of all)
    stream.setMetadata(namespace, { ...stream.info.dynamicMetadata?.[namespace], ...values });
}

function compileTypes(
  context: CompileContext,
  { allowContentTypes, allowContentTypesRegex }: types.jsonToMetadata.JsonToMetadata_MatchRules,
  path: Path,
): (type: string) => boolean {
  const named = new Set((allowContentTypes ?? []).map(wire));
  if (allowContentTypesRegex === undefined) {
    if (named.size === 0) named.add('application/json');
    return (type) => named.has(type);
  }
  const regex = compileRegex(context, allowContentTypesRegex, [...path, 'allowContentTypesRegex']);
  if (named.size === 0) named.add('application/json');
  return (type) => named.has(type) || regex?.matches(type) === true;
}

function compileRule(context: CompileContext, rule: types.jsonToMetadata.JsonToMetadata_Rule, path: Path): Rule {
  const { selectors = [], onPresent, onMissing, onError } = rule;
  if (onPresent === undefined && onMissing === undefined) context.refuse(path, 'must have `onPresent` or `onMissing`');
  if (onMissing !== undefined && onMissing.value === undefined)
    context.refuse([...path, 'onMissing', 'value'], 'must be there');
  if (onError !== undefined && onError.value === undefined)
    context.refuse([...path, 'onError', 'value'], 'must be there');
  const fixed = (pair: types.jsonToMetadata.JsonToMetadata_KeyValuePair | undefined): Rule['onMissing'] => {
    if (pair === undefined) return undefined;
    const put = putter(pair);
    return (found, stream) => put(pair.value ?? null, found, stream);
  };
  return {
    keys: selectors.map(({ key = '' }) => key),
    fixed: onPresent?.value === undefined ? undefined : fixed(onPresent),
    onPresent: onPresent === undefined ? undefined : present(onPresent),
    onMissing: fixed(onMissing),
    onError: fixed(onError),
  };
}

function present(pair: types.jsonToMetadata.JsonToMetadata_KeyValuePair): Rule['onPresent'] {
  const put = putter(pair);
  const { type = 'PROTOBUF_VALUE' } = pair;
  return (value, found, stream) => {
    const taken = convert(value, type);
    if (taken === undefined) return false;
    if (taken !== '' || type !== 'STRING') put(taken, found, stream);
    return true;
  };
}

/** Undefined: it is of a kind that cannot be taken so. */
function convert(given: JsonValue, type: types.jsonToMetadata.JsonToMetadata_ValueType): JsonValue | undefined {
  const fraction = (given as { readonly [FRACTION]?: number } | null)?.[FRACTION];
  if (fraction !== undefined) return type === 'STRING' ? fraction.toFixed(6) : fraction;
  const value = given;
  if (typeof value === 'object') return undefined;
  if (typeof value === 'string' && value.length > LIMIT) return undefined;
  if (type === 'PROTOBUF_VALUE') return value;
  if (type === 'NUMBER') return typeof value === 'string' ? readNumber(value.trim()) : Number(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(6) : String(value);
}

function putter(pair: types.jsonToMetadata.JsonToMetadata_KeyValuePair): Put {
  const { metadataNamespace = '', key = '', preserveExistingMetadataValue = false } = pair;
  const namespace = metadataNamespace === '' ? NAMESPACE : metadataNamespace;
  return (value, found, stream) => {
    const before = stream.info.dynamicMetadata?.[namespace];
    if (preserveExistingMetadataValue && before !== undefined && Object.hasOwn(before, key)) return;
    (found[namespace] ??= {})[key] = value;
  };
}

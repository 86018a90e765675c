import { Reader } from '@mizzen/xds/binary/reader.ts';
import { readValue } from '@mizzen/xds/binary/decode-struct.ts';
import type { JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { requestHeader, responseHeader } from '../program/match/header.ts';
import { compileRegex, type Regex } from '../program/match/regex.ts';
import type { Path } from '../program/path.ts';
import { cookieValue } from '../program/route/hash.ts';
import type { Counter } from '../program/types.ts';
import { asciiLower, unwire, wire } from '../program/values.ts';
import type { HttpFilter, HttpStream, RequestHead, ResponseHead } from '../types.ts';
import { FirstConfig } from './first-config.ts';
import { readNumber } from './number.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

const NAMESPACE = 'envoy.filters.http.header_to_metadata';
/** As long as this is too long. */
const LIMIT = 8 * 1024;

type Head = RequestHead | ResponseHead;
type Found = Record<string, Record<string, JsonValue>>;
type Rule = (head: Head, found: Found) => void;

/** Present only where `statPrefix` is. */
interface Stats {
  readonly of: (name: string) => Counter;
}
interface Side {
  readonly name: 'request' | 'response';
  readonly stats: Stats | undefined;
}

interface HeaderRules {
  readonly request: readonly Rule[];
  readonly response: readonly Rule[];
}

/** Puts what is in header fields and cookies into the dynamic metadata. The route's rules replace the filter's own. */
export function headerToMetadataFilter(
  context: CompileContext,
  config: types.headerToMetadata.Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileRules(context, config, path);
  const rules = new FirstConfig((stream) => headerToMetadataPerRoute.mostSpecific(stream, scope.name) ?? own);
  return {
    name: scope.name,
    onRequest(stream) {
      apply(stream, rules.begin(stream).request, stream.request);
      return undefined;
    },
    onResponse(stream) {
      if (stream.response !== undefined) apply(stream, rules.of(stream).response, stream.response);
      return undefined;
    },
    onRouteCleared: (stream) => rules.keep(stream),
  };
}

function compileRouteRules(context: CompileContext, config: types.headerToMetadata.Config, path: Path): HeaderRules {
  const rules = compileRules(context, config, path);
  if (rules.request.length === 0 && rules.response.length === 0)
    context.refuse(path, 'must have `requestRules` or `responseRules`');
  return rules;
}
export const headerToMetadataPerRoute = new PerRouteKind(compileRouteRules);

function compileRules(context: CompileContext, config: types.headerToMetadata.Config, path: Path): HeaderRules {
  const { statPrefix = '', requestRules = [], responseRules = [] } = config;
  const { counter } = context.deps;
  const stats =
    statPrefix === '' ? undefined : { of: (name: string) => counter(`http_filter_name.${statPrefix}.${name}`) };
  const compile = (list: readonly types.headerToMetadata.Config_Rule[], name: Side['name']): Rule[] =>
    list.flatMap((rule, i) => compileRule(context, rule, { name, stats }, [...path, `${name}Rules`, i]) ?? []);
  return { request: compile(requestRules, 'request'), response: compile(responseRules, 'response') };
}

function apply(stream: HttpStream, rules: readonly Rule[], head: Head): void {
  if (rules.length === 0) return;
  const found: Found = {};
  for (const rule of rules) rule(head, found);
  for (const [namespace, values] of Object.entries(found))
    stream.setMetadata(namespace, { ...stream.info.dynamicMetadata?.[namespace], ...values });
}

function compileRule(
  context: CompileContext,
  rule: types.headerToMetadata.Config_Rule,
  side: Side,
  path: Path,
): Rule | undefined {
  const { header = '', cookie = '', onHeaderPresent: present, onHeaderMissing: missing, remove = false } = rule;
  if ((header === '') === (cookie === '')) context.refuse(path, 'must have either `header` or `cookie`');
  if (present === undefined && missing === undefined)
    context.refuse(path, 'must have `onHeaderPresent` or `onHeaderMissing`');
  if (cookie !== '' && remove) context.refuse([...path, 'remove'], 'does not go with `cookie`');
  if (missing !== undefined && (missing.value ?? '') === '')
    context.refuse([...path, 'onHeaderMissing', 'value'], 'must not be empty');
  const take = header === '' ? cookieOf(cookie) : headerOf(header, remove);
  const onPresent = compilePair(context, present, side, [...path, 'onHeaderPresent']);
  // What is put in place of a field that is not there is not rewritten: Envoy does not read how.
  const onMissing = compilePair(
    context,
    missing === undefined ? undefined : { ...missing, regexValueRewrite: undefined },
    side,
    [...path, 'onHeaderMissing'],
  );
  const processed = side.stats?.of(`${side.name}_rules_processed`);
  const notFound = side.stats?.of(`${side.name}_header_not_found`);
  return (head, found) => {
    if (processed !== undefined) processed.value++;
    const value = take(head);
    if (value !== undefined) onPresent?.(value, found);
    else if (onMissing !== undefined) {
      if (notFound !== undefined) notFound.value++;
      onMissing('', found);
    }
  };
}

type Take = (head: Head) => string | undefined;

function cookieOf(cookie: string): Take {
  const name = wire(cookie);
  return (head) => cookieValue(head, name) || undefined;
}

function headerOf(header: string, remove: boolean): Take {
  const name = asciiLower(wire(header));
  return (head) => {
    const value = 'status' in head ? responseHeader(head, name) : requestHeader(head, name);
    if (!remove || value === undefined) return value;
    if ('authority' in head && (name === 'host' || name === ':authority')) head.authority = '';
    else head.headers.remove(name);
    return value;
  };
}

function compilePair(
  context: CompileContext,
  pair: types.headerToMetadata.Config_KeyValuePair | undefined,
  side: Side,
  path: Path,
): ((value: string, found: Found) => void) | undefined {
  if (pair === undefined) return undefined;
  const { key = '', metadataNamespace = '', regexValueRewrite, type = 'STRING', encode = 'NONE' } = pair;
  if (key === '') context.refuse([...path, 'key'], 'must not be empty');
  const fixed = wire(pair.value ?? '');
  if (fixed !== '' && regexValueRewrite !== undefined)
    context.refuse([...path, 'regexValueRewrite'], 'does not go with `value`');
  // Envoy reads it, and only uses that of a field that is there.
  const regex =
    regexValueRewrite === undefined
      ? undefined
      : compileRegex(context, regexValueRewrite.pattern, [...path, 'regexValueRewrite', 'pattern']);
  const substitution = regexValueRewrite?.substitution ?? '';
  const namespace = metadataNamespace === '' ? NAMESPACE : metadataNamespace;
  const { stats } = side;
  const added = stats?.of(`${side.name}_metadata_added`);
  const tooLong = stats?.of('header_value_too_long');
  const notBase64 = stats?.of('base64_decode_failed');
  const noSubstitution = stats?.of('regex_substitution_failed');
  return (given, found) => {
    const value = fixed === '' ? rewrite(given, regex, substitution) : fixed;
    if (value === '') {
      if (regex !== undefined && given !== '') count(noSubstitution);
      return;
    }
    if (value.length >= LIMIT) return count(tooLong);
    const bytes = encode === 'BASE64' ? fromBase64(value) : value;
    if (bytes === undefined || bytes === '') return count(notBase64);
    const read = valueOf(bytes, type);
    if (read === undefined) return;
    (found[namespace] ??= {})[key] = read;
    count(added);
  };
}

function rewrite(value: string, regex: Regex | undefined, substitution: string): string {
  return regex === undefined ? value : regex.replaceAll(value, substitution);
}

function count(counter: Counter | undefined): void {
  if (counter !== undefined) counter.value++;
}

function valueOf(bytes: string, type: types.headerToMetadata.Config_ValueType): JsonValue | undefined {
  if (type === 'STRING') return unwire(bytes);
  if (type === 'NUMBER') return readNumber(bytes);
  try {
    const buffer = Buffer.from(bytes, 'latin1');
    return readValue(new Reader(buffer), buffer.length, undefined, 0);
  } catch {
    return undefined;
  }
}

/** Padding may be left out; undefined: it is something else. */
function fromBase64(text: string): string | undefined {
  const bare = text.replace(/={1,2}$/, '');
  if (!/^[A-Za-z0-9+/]+$/.test(bare)) return undefined;
  const bytes = Buffer.from(bare, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === bare ? bytes.toString('latin1') : undefined;
}

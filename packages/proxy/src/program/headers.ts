import type { types } from '@mizzen/xds';
import type { Headers } from '../http/headers.ts';
import { text } from '../telemetry/access-log.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import type { HeaderChange, LogSource } from './types.ts';
import { asciiLower, isAscii, wire } from './values.ts';

/**
 * Headers of which Envoy keeps one entry: adding to one that is there joins the values with a comma. Of all others an
 * addition is a field of its own.
 */
const SINGLE = new Set([
  'accept',
  'accept-encoding',
  'access-control-request-headers',
  'access-control-request-method',
  'authentication',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expect',
  'grpc-accept-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'last-modified',
  'location',
  'origin',
  'proxy-connection',
  'proxy-status',
  'referer',
  'server',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'vary',
  'via',
  'x-client-trace-id',
  'x-envoy-attempt-count',
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-external-address',
  'x-envoy-force-trace',
  'x-envoy-internal',
  'x-envoy-max-retries',
  'x-envoy-original-host',
  'x-envoy-original-path',
  'x-envoy-ratelimited',
  'x-envoy-retry-grpc-on',
  'x-envoy-retry-on',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-canary',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-service-time',
  'x-forwarded-client-cert',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

const ACTIONS = {
  APPEND_IF_EXISTS_OR_ADD: 'append',
  ADD_IF_ABSENT: 'add-if-absent',
  OVERWRITE_IF_EXISTS_OR_ADD: 'overwrite-or-add',
  OVERWRITE_IF_EXISTS: 'overwrite-if-exists',
} as const;

/** One place's header additions and removals, in the order Envoy applies them: removals, replacements, additions. */
export interface HeaderMutations {
  readonly remove: readonly string[];
  readonly changes: readonly HeaderChange[];
}
export const NO_MUTATIONS: HeaderMutations = { remove: [], changes: [] };

export function isEmpty(mutations: HeaderMutations): boolean {
  return mutations.remove.length === 0 && mutations.changes.length === 0;
}

/** Compiles `…HeadersToAdd` and `…HeadersToRemove`; the field names are for the paths of refusals. */
export function compileMutations(
  context: CompileContext,
  add: readonly types.core.HeaderValueOption[] | undefined,
  remove: readonly string[] | undefined,
  path: Path,
  which: 'request' | 'response',
): HeaderMutations {
  if (add === undefined && remove === undefined) return NO_MUTATIONS;
  const names = (remove ?? []).map((name, i) => {
    const lower = asciiLower(name);
    if (fixed(lower)) context.refuse([...path, `${which}HeadersToRemove`, i], `\`${name}\` cannot be removed`);
    return lower;
  });
  const changes = (add ?? []).flatMap(
    (option, i) => compileHeaderChange(context, option, [...path, `${which}HeadersToAdd`, i]) ?? [],
  );
  return { remove: names, changes };
}

/** The request line and the Host are changed by rewrites, not by header mutations. */
function fixed(name: string): boolean {
  return name.startsWith(':') || name === 'host';
}

export function compileHeaderChange(
  context: CompileContext,
  option: types.core.HeaderValueOption,
  path: Path,
): HeaderChange | undefined {
  const key = option.header?.key ?? '';
  if (key === '') context.refuse([...path, 'header', 'key'], 'must not be empty');
  const name = asciiLower(key);
  if (fixed(name)) context.refuse([...path, 'header', 'key'], `\`${key}\` cannot be changed`);
  if (
    option.append !== undefined &&
    option.appendAction !== undefined &&
    option.appendAction !== 'APPEND_IF_EXISTS_OR_ADD'
  ) {
    context.refuse([...path, 'append'], 'cannot be set beside `appendAction`');
  }
  const raw = option.header?.rawValue;
  const format = raw === undefined ? (option.header?.value ?? '') : Buffer.from(raw, 'base64').toString('utf8');
  const action =
    option.append === false ? 'overwrite-or-add' : ACTIONS[option.appendAction ?? 'APPEND_IF_EXISTS_OR_ADD'];
  return {
    name,
    action,
    keepEmpty: option.keepEmptyValue === true,
    value: headerValue(context, format, [...path, 'header', 'value']),
  };
}

/** Text with command operators, in wire form. What is absent becomes empty. */
function headerValue(context: CompileContext, format: string, path: Path): (source: LogSource) => string {
  if (!format.includes('%')) {
    const constant = wire(format);
    return () => constant;
  }
  const value = text(context, format, '', path);
  return (source) => {
    const made = value(source);
    return isAscii(made) ? made : latin1(made);
  };
}

/** Header values quoted by an operator are wire text already; anything beyond latin1 came from the configuration. */
function latin1(value: string): string {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 255) return wire(value);
  return value;
}

/** Changes `headers`, reading from `source`. */
export function applyMutations(mutations: HeaderMutations, headers: Headers, source: LogSource): void {
  for (const name of mutations.remove) headers.remove(name);
  const { changes } = mutations;
  if (changes.length === 0) return;
  // All values are made before the first change: they see the headers as they came.
  if (changes.length === 1) {
    applyChange(headers, changes[0]!, changes[0]!.value(source));
    return;
  }
  const values = changes.map((change) => change.value(source));
  const absent = changes.map((change) => change.action === 'add-if-absent' && !headers.has(change.name));
  for (let i = 0; i < changes.length; i++) {
    if (changes[i]!.action.startsWith('overwrite')) applyChange(headers, changes[i]!, values[i]!);
  }
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i]!;
    if (change.action === 'append') applyChange(headers, change, values[i]!);
    else if (absent[i] === true && (values[i] !== '' || change.keepEmpty)) addHeader(headers, change.name, values[i]!);
  }
}

export function applyChange(headers: Headers, change: HeaderChange, value: string): void {
  if (value === '' && !change.keepEmpty) return;
  switch (change.action) {
    case 'append':
      addHeader(headers, change.name, value);
      return;
    case 'add-if-absent':
      if (!headers.has(change.name)) addHeader(headers, change.name, value);
      return;
    case 'overwrite-or-add':
      headers.set(change.name, value);
      return;
    case 'overwrite-if-exists':
      if (headers.has(change.name)) headers.set(change.name, value);
  }
}

function addHeader(headers: Headers, name: string, value: string): void {
  if (SINGLE.has(name)) headers.append(name, value);
  else headers.add(name, value);
}

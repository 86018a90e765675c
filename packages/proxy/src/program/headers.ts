import type { types } from '@mizzen/xds';
import type { FormatOptions } from '../telemetry/operators/operator.ts';
import type { Headers } from '../http/headers.ts';
import { text } from '../telemetry/access-log-text.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import { REQUEST_SINGLE, RESPONSE_SINGLE } from '../codec/single-headers.ts';
import type { HeaderChange, LogSource } from './types.ts';
import { asciiLower, isAscii, wire } from './values.ts';

const ACTIONS = {
  APPEND_IF_EXISTS_OR_ADD: 'append',
  ADD_IF_ABSENT: 'add-if-absent',
  OVERWRITE_IF_EXISTS_OR_ADD: 'overwrite-or-add',
  OVERWRITE_IF_EXISTS: 'overwrite-if-exists',
} as const;

/** One place's header additions and removals, in the order Envoy applies them: removals, replacements, additions. */
export interface HeaderMutations {
  readonly of: 'request' | 'response';
  readonly remove: readonly string[];
  /** Fields that go by their names, lowercase. */
  readonly removeIf?: ((name: string) => boolean) | undefined;
  readonly changes: readonly HeaderChange[];
}
const NO_MUTATIONS = { request: mutations('request'), response: mutations('response') };

function mutations(of: 'request' | 'response'): HeaderMutations {
  return { of, remove: [], changes: [] };
}

export function isEmpty({ remove, removeIf, changes }: HeaderMutations): boolean {
  return remove.length === 0 && removeIf === undefined && changes.length === 0;
}

/** Compiles `…HeadersToAdd` and `…HeadersToRemove`; the field names are for the paths of refusals. */
export function compileMutations(
  context: CompileContext,
  add: readonly types.core.HeaderValueOption[] | undefined,
  remove: readonly string[] | undefined,
  path: Path,
  which: 'request' | 'response',
): HeaderMutations {
  if (add === undefined && remove === undefined) return NO_MUTATIONS[which];
  const names = (remove ?? []).map((name, i) => {
    const lower = asciiLower(name);
    if (fixed(lower)) context.refuse([...path, `${which}HeadersToRemove`, i], `\`${name}\` cannot be removed`);
    return lower;
  });
  const changes = (add ?? []).flatMap(
    (option, i) => compileHeaderChange(context, option, [...path, `${which}HeadersToAdd`, i]) ?? [],
  );
  return { of: which, remove: names, changes };
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Lowercase; a token of RFC 9110, section 5.6.2. */
export function isFieldName(name: string): boolean {
  return FIELD_NAME.test(name);
}

// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const NO_FIELD_VALUE = /[\0-\x08\x0a-\x1f\x7f]/;

/** Without line breaks and other control characters, which would end it and begin something else. */
export function isFieldValue(value: string): boolean {
  return !NO_FIELD_VALUE.test(value);
}

/** To be called with what is put into a head and was not read from one, nor checked with the configuration. */
export function noteValue(headers: Headers, value: string): void {
  if (NO_FIELD_VALUE.test(value)) headers.unchecked = true;
}

/** The same for names that configurations give. */
export function noteName(headers: Headers, name: string): void {
  if (!isFieldName(name)) headers.unchecked = true;
}

/** The request line and the Host are changed by rewrites, not by header mutations. */
function fixed(name: string): boolean {
  return name.startsWith(':') || name === 'host';
}

export function compileHeaderChange(
  context: CompileContext,
  option: types.core.HeaderValueOption,
  path: Path,
  formatOptions?: FormatOptions,
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
  // What stands as bytes in `rawValue` is for messages of external services: nothing is read of it here.
  const format = option.header?.value ?? '';
  const action =
    option.append === false ? 'overwrite-or-add' : ACTIONS[option.appendAction ?? 'APPEND_IF_EXISTS_OR_ADD'];
  return {
    name,
    invalid: !isFieldName(name) || !isFieldValue(format),
    made: format.includes('%'),
    action,
    keepEmpty: option.keepEmptyValue === true,
    value: headerValue(context, format, [...path, 'header', 'value'], formatOptions),
  };
}

/** Text with command operators, in wire form. What is absent becomes empty, unless told otherwise. */
export function headerValue(
  context: CompileContext,
  format: string,
  path: Path,
  formatOptions?: FormatOptions,
  absent = '',
): (source: LogSource) => string {
  if (!format.includes('%')) {
    const constant = wire(format);
    return () => constant;
  }
  const value = text(context, fromOldWays(format), absent, path, formatOptions);
  return (source) => {
    const made = value(source);
    return isAscii(made) ? made : latin1(made);
  };
}

/** Values of fields may also ask for metadata by a list in JSON, and for the text of a filter state by a name of its own. */
function fromOldWays(format: string): string {
  return format
    .replaceAll(/%PER_REQUEST_STATE\((.+?)\)%/g, '%FILTER_STATE($1:PLAIN)%')
    .replaceAll(/%(UPSTREAM|DYNAMIC)_METADATA\((\s*\[.*?\]\s*)\)%/g, (whole, of: string, list: string) => {
      const keys = listOf(list);
      return keys === undefined ? whole : `%${of}_METADATA(${keys.join(':')})%`;
    });
}

function listOf(json: string): readonly unknown[] | undefined {
  try {
    return JSON.parse(json) as unknown[];
  } catch {
    return undefined;
  }
}

/** Header values quoted by an operator are wire text already; anything beyond latin1 came from the configuration. */
function latin1(value: string): string {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 255) return wire(value);
  return value;
}

/** Changes `headers`, reading from `source`. */
export function applyMutations(
  { of, remove, removeIf, changes }: HeaderMutations,
  headers: Headers,
  source: LogSource,
): void {
  for (const name of remove) headers.remove(name);
  if (removeIf !== undefined) for (const name of new Set(headers.names())) if (removeIf(name)) headers.remove(name);
  if (changes.length === 0) return;
  // All values are made before the first change, and whether fields are there is asked before: of the headers as they came.
  if (changes.length === 1) {
    applyChange(headers, changes[0]!, changes[0]!.value(source), of);
    return;
  }
  const values = changes.map((change) => change.value(source));
  const due = changes.map((change) => isDue(headers, change));
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i]!;
    if (due[i] === true && change.action.startsWith('overwrite')) put(headers, change, values[i]!, of);
  }
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i]!;
    if (due[i] === true && !change.action.startsWith('overwrite')) put(headers, change, values[i]!, of);
  }
}

/** Whether a change is to be made of headers as they are. */
function isDue(headers: Headers, { action, name }: HeaderChange): boolean {
  if (action === 'add-if-absent') return !headers.has(name);
  return action !== 'overwrite-if-exists' || headers.has(name);
}

function put(headers: Headers, change: HeaderChange, value: string, of: HeaderMutations['of']): void {
  if (value === '' && !change.keepEmpty) return;
  note(headers, change, value);
  if (change.action.startsWith('overwrite')) replace(headers, change.name, value);
  else addHeader(headers, change.name, value, single(of));
}

/** Applies one change to the headers of a request or a response. */
export function applyChange(
  headers: Headers,
  change: HeaderChange,
  value: string,
  of: 'request' | 'response' = 'response',
): void {
  if (isDue(headers, change)) put(headers, change, value, of);
}

function note(headers: Headers, change: HeaderChange, value: string): void {
  if (change.invalid === true || (change.made === true && !isFieldValue(value))) headers.unchecked = true;
  if (change.name.startsWith('x-envoy-')) headers.addsEnvoyFields = true;
}

/** What is replaced goes, and comes back at the end. */
function replace(headers: Headers, name: string, value: string): void {
  headers.remove(name);
  headers.add(name, value);
}

function single(of: 'request' | 'response'): ReadonlySet<string> {
  return of === 'request' ? REQUEST_SINGLE : RESPONSE_SINGLE;
}

/** What Envoy keeps one of is changed where it stands; others go and come back at the end. */
export function setHeader(headers: Headers, name: string, value: string, singles: ReadonlySet<string>): void {
  if (singles.has(name)) {
    headers.set(name, value);
    return;
  }
  headers.remove(name);
  headers.add(name, value);
}

export function addHeader(headers: Headers, name: string, value: string, singles: ReadonlySet<string>): void {
  if (singles.has(name)) headers.append(name, value);
  else headers.add(name, value);
}

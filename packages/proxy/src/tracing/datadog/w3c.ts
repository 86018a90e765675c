/** Datadog's part in W3C's trace context: the entry `dd` of `tracestate`. */
import type { Headers } from '../../http/headers.ts';
import { parsePriority } from './ids.ts';
import type { DatadogContext, TraceTags } from './types.ts';

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{16})([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const PROBLEM = '_dd.w3c_extraction_error';
const PREFIX = '_dd.p.';
const HIGH = '_dd.p.tid';
const ZERO = '0'.repeat(16);
/** Longer ones lose what stands last, characters. */
const MAX_STATE = 256;

/** Undefined: there is none, or it cannot be understood, which is noted among the problems. */
export function w3cContext(headers: Headers, problems: Map<string, string>): DatadogContext | undefined {
  const text = headers.get('traceparent');
  if (text === undefined) return undefined;
  const bad = (why: string): undefined => void problems.set(PROBLEM, why);
  const match = PARENT.exec(text.trim().toLowerCase());
  if (match === null) return bad('malformed_traceparent');
  const [, version, traceHigh = '', traceLow = '', parentId = '', flags = '', rest = ''] = match;
  if (version === 'ff') return bad('invalid_version');
  if (version === '00' && rest !== '') return bad('malformed_traceparent');
  if (traceHigh === ZERO && traceLow === ZERO) return bad('trace_id_zero');
  if (parentId === ZERO) return bad('parent_id_zero');
  const priority = Number.parseInt(flags, 16) & 1;
  const context = { traceLow, traceHigh, parentId, priority, origin: undefined, tags: [], lastParent: ZERO };
  return withState(context, (headers.getJoined('tracestate') ?? '').trim());
}

function withState(context: DatadogContext, state: string): DatadogContext {
  if (state === '') return context;
  const entries = state.split(',');
  const at = entries.findIndex((entry) => entry.trim().startsWith('dd='));
  if (at < 0) return { ...context, others: state };
  const others = entries.filter((_, i) => i !== at).join(',');
  let { priority, origin, lastParent, unknown } = context;
  const tags: [string, string][] = [];
  for (const pair of entries[at]!.trim().slice(3).split(';')) {
    const colon = pair.indexOf(':');
    if (colon < 0) continue;
    const [key, value] = [pair.slice(0, colon), pair.slice(colon + 1)];
    if (key === 'o') origin = value.replaceAll('~', '=');
    else if (key === 's') {
      const said = parsePriority(value);
      // Where both disagree, the flag counts.
      if (said !== undefined && (priority === undefined || said > 0 === priority > 0)) priority = said;
    } else if (key === 'p') {
      if (value.length === 16) lastParent = value;
    } else if (key.startsWith('t.')) tags.push([PREFIX + key.slice(2), value.replaceAll('~', '=')]);
    else unknown = unknown === undefined ? pair : `${unknown};${pair}`;
  }
  return { ...context, priority, origin, lastParent, unknown, tags, others: others === '' ? undefined : others };
}

export interface StateOfSpan {
  readonly spanId: string;
  readonly priority: number;
  readonly origin: string | undefined;
  readonly tags: TraceTags;
  readonly others: string | undefined;
  readonly unknown: string | undefined;
}

/** The value of `tracestate` for what a span calls. */
export function tracestate({ spanId, priority, origin, tags, others, unknown }: StateOfSpan): string {
  const pairs = [`s:${priority}`, `p:${spanId}`];
  if (origin !== undefined) pairs.push(`o:${clean(origin, /[^ -~]|[,;~]/g).replaceAll('=', '~')}`);
  for (const [name, value] of tags) {
    if (!name.startsWith(PREFIX) || name === HIGH) continue;
    const key = clean(name.slice(PREFIX.length), /[^ -~]|[ ,;=]/g);
    pairs.push(`t.${key}:${clean(value, /[^ -~]|[,;~]/g).replaceAll('=', '~')}`);
  }
  if (unknown !== undefined) pairs.push(...unknown.split(';'));
  let own = `dd=${pairs.join(';')}`;
  while (own.length > MAX_STATE) own = own.slice(0, own.lastIndexOf(';'));
  return others === undefined ? own : `${own},${others}`;
}

function clean(text: string, not: RegExp): string {
  return text.replaceAll(not, '_');
}

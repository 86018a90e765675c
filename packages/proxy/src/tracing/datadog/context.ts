import type { Headers } from '../../http/headers.ts';
import { parseDecimal, parsePriority } from './ids.ts';
import type { DatadogContext, TraceTags } from './types.ts';
import { w3cContext } from './w3c.ts';

export interface Extracted {
  /** Undefined: there is none, or none that can be understood. */
  readonly context: DatadogContext | undefined;
  /** What the span says of fields that could not be understood. */
  readonly problems: Map<string, string>;
}

const PROPAGATION_ERROR = '_dd.propagation_error';
const HIGH = '_dd.p.tid';
/** Longer ones are neither read nor told, characters. */
export const MAX_TAGS = 512;
const ZERO = '0'.repeat(16);
const NOTHING: Extracted = { context: undefined, problems: new Map() };

/** Datadog's own fields come first; what W3C's say is added where they are about the same trace. */
export function extract(headers: Headers): Extracted {
  const problems = new Map<string, string>();
  const own = ownContext(headers, problems);
  if (own === 'bad') return NOTHING;
  const w3c = w3cContext(headers, problems);
  const main = own === undefined ? w3c : joined(own, w3c);
  if (main === undefined || (main.parentId === undefined && main.origin === undefined)) return NOTHING;
  if (main.traceLow === ZERO && (main.traceHigh === '' || main.traceHigh === ZERO)) return NOTHING;
  return { context: withHigh(main, problems), problems };
}

function ownContext(headers: Headers, problems: Map<string, string>): DatadogContext | 'bad' | undefined {
  const [trace, parent] = [headers.get('x-datadog-trace-id'), headers.get('x-datadog-parent-id')];
  const traceLow = trace === undefined ? undefined : parseDecimal(trace);
  const parentId = parent === undefined ? undefined : parseDecimal(parent);
  const said = headers.get('x-datadog-sampling-priority');
  const priority = said === undefined ? undefined : parsePriority(said);
  if (trace !== undefined && traceLow === undefined) return 'bad';
  if (parent !== undefined && parentId === undefined) return 'bad';
  if (said !== undefined && priority === undefined) return 'bad';
  if (traceLow === undefined) return undefined;
  const text = headers.get('x-datadog-tags') ?? '';
  const given = text.length > MAX_TAGS ? [] : tagsOf(text);
  if (text.length > MAX_TAGS) problems.set(PROPAGATION_ERROR, 'extract_max_size');
  if (given === undefined) problems.set(PROPAGATION_ERROR, 'decoding_error');
  let traceHigh = '';
  const tags = (given ?? []).filter(([name, value]) => {
    if (!name.startsWith('_dd.p.')) return false;
    if (name !== HIGH) return true;
    if (!/^[0-9a-f]{16}$/i.test(value)) {
      problems.set(PROPAGATION_ERROR, `malformed_tid ${value}`);
      return false;
    }
    traceHigh = value.toLowerCase();
    return true;
  });
  return { traceLow, traceHigh, parentId, priority, origin: headers.get('x-datadog-origin'), tags };
}

function tagsOf(text: string): TraceTags | undefined {
  if (text === '') return [];
  const parts = (text.endsWith(',') ? text.slice(0, -1) : text).split(',');
  if (parts.some((part) => !part.includes('='))) return undefined;
  return parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const);
}

function joined(own: DatadogContext, w3c: DatadogContext | undefined): DatadogContext {
  if (w3c === undefined || w3c.traceLow !== own.traceLow || pad(w3c.traceHigh) !== pad(own.traceHigh)) return own;
  const common = { ...own, others: w3c.others, unknown: w3c.unknown };
  if (own.parentId === w3c.parentId) return common;
  const last = w3c.lastParent === undefined || w3c.lastParent === ZERO ? own.parentId : w3c.lastParent;
  return { ...common, parentId: w3c.parentId, lastParent: last };
}

const pad = (high: string): string => high.padStart(16, '0');

/** The upper half of the trace id goes along as a tag, which must say what it is. */
function withHigh(context: DatadogContext, problems: Map<string, string>): DatadogContext {
  const { traceHigh, tags } = context;
  if (traceHigh === '' || traceHigh === ZERO) return context;
  const said = tags.find(([name]) => name === HIGH)?.[1];
  if (said === undefined) return { ...context, tags: [...tags, [HIGH, traceHigh]] };
  if (said.toLowerCase() === traceHigh) return context;
  problems.set(PROPAGATION_ERROR, /^[0-9a-f]{16}$/i.test(said) ? `inconsistent_tid ${said}` : `malformed_tid ${said}`);
  return { ...context, tags: tags.map((tag) => (tag[0] === HIGH ? ([HIGH, traceHigh] as const) : tag)) };
}

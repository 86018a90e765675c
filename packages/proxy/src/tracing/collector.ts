import type { types } from '@mizzen/xds';
import { Headers } from '../http/headers.ts';
import { StreamRecord } from '../http/info.ts';
import { OWN_CONNECTION } from '../http/own-connection.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { headerValue } from '../program/headers.ts';
import type { HttpCall, LogSource } from '../program/types.ts';
import { milliseconds } from '../program/values.ts';
import { liveInteger } from '../runtime/live.ts';
import type { BatchSettings, SpanFlush } from './batch.ts';

const AS_ENVOY: SpanFlush = { spans: 5, interval: 5000 };

export function batchOf(context: CompileContext, name: string): BatchSettings {
  const { runtime, counter, spanFlush = AS_ENVOY } = context.deps;
  return {
    minFlush: liveInteger(runtime, `tracing.${name}.min_flush_spans`, spanFlush.spans),
    interval: liveInteger(runtime, `tracing.${name}.flush_interval_ms`, spanFlush.interval),
    onTimer: () => counter(`tracing.${name}.timer_flushed`).value++,
  };
}

/** A call of a collector, less what it gets. */
export type CollectorCall = Omit<HttpCall, 'body'>;

/** Of the body, which says itself how long it is. */
const FRAMING = new Set(['content-length', 'transfer-encoding']);

/** Of a head, by the names that stand for them among fields. */
const PARTS: Readonly<Record<string, 'method' | 'path' | 'authority' | undefined>> = {
  ':method': 'method',
  ':path': 'path',
  ':authority': 'authority',
  host: 'authority',
};

/**
 * Posts to a service, with `own` fields (name and value in turn) unless it has others of their names. Command operators in
 * what it adds see no request, but the time and the machine.
 */
export function httpServiceCall(
  context: CompileContext,
  service: types.core.HttpService,
  own: readonly string[],
  path: Path,
  place = splitUri(service.httpUri?.uri ?? ''),
): () => CollectorCall {
  const { uri = '', cluster = '', timeout } = service.httpUri ?? {};
  if (uri === '') context.refuse([...path, 'httpUri', 'uri'], 'must not be empty');
  if (cluster === '') context.refuse([...path, 'httpUri', 'cluster'], 'must not be empty');
  const { authority, path: target } = place;
  const call: CollectorCall = {
    cluster,
    method: 'POST',
    path: target,
    authority,
    headers: own,
    chunked: true,
    forwardedFor: context.deps.outerAddress,
    timeout: milliseconds(timeout, 0),
  };
  const added = compileFields(context, service, [...path, 'requestHeadersToAdd']);
  if (added.length === 0) return () => call;
  const { clock } = context.deps;
  return () => {
    const info = new StreamRecord(OWN_CONNECTION, clock.now(), clock.wall());
    info.protocol = '';
    const headers = new Headers([...own]);
    const head = { method: call.method, path: target, authority };
    for (const { name, value } of added) {
      const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
      if (part !== undefined) head[part] = value({ info });
      else if (!name.startsWith(':')) {
        headers.remove(name);
        headers.add(name, value({ info }));
      }
    }
    return { ...call, ...head, headers: headers.flat };
  };
}

interface AddedField {
  readonly name: string;
  readonly value: (source: LogSource) => string;
}

/** Those that are empty or raw come first, as in Envoy. */
function compileFields(context: CompileContext, service: types.core.HttpService, path: Path): AddedField[] {
  const first: AddedField[] = [];
  const others: AddedField[] = [];
  (service.requestHeadersToAdd ?? []).forEach(({ header }, i) => {
    const { key = '', value = '', rawValue } = header ?? {};
    const name = key.toLowerCase();
    const at = [...path, i, 'header'];
    if (FRAMING.has(name)) context.refuse([...at, 'key'], `\`${key}\` cannot be set: it follows from the body`);
    if (value !== '') others.push({ name, value: headerValue(context, value, [...at, 'value'], undefined, '-') });
    else {
      const bytes = Buffer.from(rawValue ?? '', 'base64').toString('latin1');
      first.push({ name, value: () => bytes });
    }
  });
  return [...first, ...others];
}

/** Host and path, with or without a scheme. */
export function splitUri(uri: string): { readonly authority: string; readonly path: string } {
  const from = uri.includes('://') ? uri.indexOf('://') + 3 : 0;
  const slash = uri.indexOf('/', from);
  if (slash < 0) return { authority: uri.slice(from), path: '/' };
  return { authority: uri.slice(from, slash), path: uri.slice(slash) };
}

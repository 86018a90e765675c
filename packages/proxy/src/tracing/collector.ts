import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpCall } from '../program/types.ts';
import { milliseconds, wire } from '../program/values.ts';
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

/** Posts to a service; what it gets is said by the caller. */
export function httpServiceCall(
  context: CompileContext,
  service: types.core.HttpService,
  contentType: string,
  path: Path,
): Omit<HttpCall, 'body'> {
  const { uri = '', cluster = '', timeout } = service.httpUri ?? {};
  if (uri === '') context.refuse([...path, 'httpUri', 'uri'], 'must not be empty');
  if (cluster === '') context.refuse([...path, 'httpUri', 'cluster'], 'must not be empty');
  const { authority, path: target } = splitUri(uri);
  const headers = ['content-type', contentType];
  for (const { header } of service.requestHeadersToAdd ?? []) {
    const name = (header?.key ?? '').toLowerCase();
    if (name !== 'content-type' && name !== 'host' && !name.startsWith(':'))
      headers.push(name, wire(header?.value ?? ''));
  }
  return { cluster, method: 'POST', path: target, authority, headers, timeout: milliseconds(timeout, 0) };
}

/** Host and path, with or without a scheme. */
export function splitUri(uri: string): { readonly authority: string; readonly path: string } {
  const from = uri.includes('://') ? uri.indexOf('://') + 3 : 0;
  const slash = uri.indexOf('/', from);
  if (slash < 0) return { authority: uri.slice(from), path: '/' };
  return { authority: uri.slice(from, slash), path: uri.slice(slash) };
}

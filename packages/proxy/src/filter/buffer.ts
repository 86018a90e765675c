import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpFilter } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

type BufferPerRoute = { readonly disabled: true } | { readonly disabled: false; readonly limit: number };

function compileBufferPerRoute(
  context: CompileContext,
  config: types.buffer.BufferPerRoute,
  path: Path,
): BufferPerRoute {
  if (config.disabled === true) return { disabled: true };
  if (config.buffer === undefined) context.refuse(path, 'must say `disabled` or `buffer`');
  return { disabled: false, limit: limitOf(context, config.buffer ?? {}, [...path, 'buffer']) };
}
export const bufferPerRoute = new PerRouteKind(compileBufferPerRoute);

function limitOf(context: CompileContext, config: types.buffer.Buffer, path: Path): number {
  const limit = config.maxRequestBytes ?? 0;
  if (limit === 0) context.refuse([...path, 'maxRequestBytes'], 'must be more than 0');
  return limit;
}

/** Reads bodies whole before requests go on, with their length; those that are too large are answered with a 413. */
export function bufferFilter(
  context: CompileContext,
  config: types.buffer.Buffer,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = limitOf(context, config, path);
  return {
    name: scope.name,
    onRequest(stream) {
      if (!stream.expectsBody || stream.upgrade !== '') return undefined;
      const route = bufferPerRoute.mostSpecific(stream, scope.name);
      if (route?.disabled === true) return undefined;
      return stream.collectBody(route?.limit ?? own, false).then(({ data }) => {
        stream.declareLength(data.length);
        return undefined;
      });
    },
  };
}

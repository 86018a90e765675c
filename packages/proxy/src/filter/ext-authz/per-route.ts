import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import { compileGrpcService } from './grpc-service.ts';
import { compileHttpService, type AuthorizationService } from './http-service.ts';

/** What a route changes of the filter. */
export interface ExtAuthzPerRoute {
  readonly disabled: boolean;
  readonly extensions: Readonly<Record<string, string>>;
  readonly buffersBody: boolean;
  readonly body: types.extAuthz.BufferSettings | undefined;
  readonly service: AuthorizationService | undefined;
}

function compileExtAuthzPerRoute(
  context: CompileContext,
  config: types.extAuthz.ExtAuthzPerRoute,
  path: Path,
): ExtAuthzPerRoute {
  const settings = config.checkSettings;
  if (settings === undefined && config.disabled === undefined)
    context.refuse(path, 'must say `disabled` or `checkSettings`');
  const at = [...path, 'checkSettings'];
  if (settings?.disableRequestBodyBuffering === true && settings.withRequestBody !== undefined)
    context.refuse([...at, 'withRequestBody'], 'cannot be set beside `disableRequestBodyBuffering`');
  const service =
    settings?.grpcService === undefined
      ? settings?.httpService === undefined
        ? undefined
        : compileHttpService(context, settings.httpService, [...at, 'httpService'])
      : compileGrpcService(context, settings.grpcService, [...at, 'grpcService']);
  return {
    disabled: config.disabled === true,
    extensions: settings?.contextExtensions ?? {},
    buffersBody: settings?.disableRequestBodyBuffering !== true,
    body: settings?.withRequestBody,
    service,
  };
}
/** What the service is told of the places around a route adds up. */
export const extAuthzPerRoute = new PerRouteKind(compileExtAuthzPerRoute, (outer, own) => ({
  ...own,
  extensions: { ...outer.extensions, ...own.extensions },
  service: own.service ?? outer.service,
}));

import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { Inheriting } from '../per-route.ts';
import { compileGrpcService } from './grpc-service.ts';
import { compileHttpService, type AuthorizationService } from './http-service.ts';

interface Settings {
  readonly disabled: boolean;
  readonly extensions: Readonly<Record<string, string>>;
  readonly buffersBody: boolean;
  readonly body: types.extAuthz.BufferSettings | undefined;
  readonly service: AuthorizationService | undefined;
}

/** What a route changes of the filter. What the service is told of the routes around it adds up. */
export interface ExtAuthzPerRoute extends Settings, Inheriting {}

function perRoute(settings: Settings): ExtAuthzPerRoute {
  return {
    ...settings,
    over: (outer) => {
      const around = outer as Settings;
      return perRoute({
        ...settings,
        extensions: { ...around.extensions, ...settings.extensions },
        service: settings.service ?? around.service,
      });
    },
  };
}

export function compileExtAuthzPerRoute(
  context: CompileContext,
  config: types.extAuthz.ExtAuthzPerRoute,
  path: Path,
): ExtAuthzPerRoute {
  const settings = config.checkSettings;
  if (settings === undefined && config.disabled !== true)
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
  return perRoute({
    disabled: config.disabled === true,
    extensions: settings?.contextExtensions ?? {},
    buffersBody: settings?.disableRequestBodyBuffering !== true,
    body: settings?.withRequestBody,
    service,
  });
}

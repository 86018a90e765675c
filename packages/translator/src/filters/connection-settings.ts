import type { mesh } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { duration } from '../duration.ts';
import { proxyConfig } from './proxy-config.ts';
import { defined } from './typed.ts';

type Settings = mesh.ProxyConfig_ConnectionSettings;
type Manager = types.hcm.HttpConnectionManager;

/** What the EDGE profile means for gateways: Envoy's advice for proxies that face the world. */
const EDGE: Settings = {
  listenerPerConnectionBufferLimitBytes: 32_768,
  httpIdleTimeout: '3600s',
  httpStreamIdleTimeout: '300s',
  httpRequestTimeout: '300s',
  httpRequestHeadersTimeout: '60s',
  httpMaxConcurrentStreams: 100,
  http2InitialStreamWindowSize: 65_536,
  http2InitialConnectionWindowSize: 1_048_576,
  httpHeadersWithUnderscoresAction: 'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST',
  httpMergeSlashes: true,
  httpPathWithEscapedSlashesAction: 'UNESCAPE_AND_REDIRECT',
};

/** ProxyConfig's `connectionSettings` in force for a proxy. */
export function connectionSettings(context: TranslationContext): Settings {
  const settings =
    proxyConfig(context).connectionSettings ?? context.model.mesh.defaultConfig?.connectionSettings ?? {};
  return settings.profile === 'EDGE' && context.proxy.type === 'router' ? { ...EDGE, ...settings } : settings;
}

/** Its part for HTTP connection managers; goes over what MeshConfig says about paths. */
export function httpConnectionSettings(context: TranslationContext): Manager {
  const settings = connectionSettings(context);
  const common = defined({
    idleTimeout: duration(settings.httpIdleTimeout),
    maxConnectionDuration: duration(settings.httpMaxConnectionDuration),
    maxStreamDuration: duration(settings.httpMaxStreamDuration),
    headersWithUnderscoresAction: underscores(settings.httpHeadersWithUnderscoresAction),
  });
  const http2 = defined({
    maxConcurrentStreams: natural(settings.httpMaxConcurrentStreams),
    initialStreamWindowSize: natural(settings.http2InitialStreamWindowSize),
    initialConnectionWindowSize: natural(settings.http2InitialConnectionWindowSize),
  });
  const slashes = settings.httpPathWithEscapedSlashesAction;
  return defined({
    commonHttpProtocolOptions: Object.keys(common).length > 0 ? common : undefined,
    http2ProtocolOptions: Object.keys(http2).length > 0 ? http2 : undefined,
    streamIdleTimeout: duration(settings.httpStreamIdleTimeout),
    requestTimeout: duration(settings.httpRequestTimeout),
    requestHeadersTimeout: duration(settings.httpRequestHeadersTimeout),
    drainTimeout: duration(settings.httpDrainTimeout),
    mergeSlashes: settings.httpMergeSlashes,
    pathWithEscapedSlashesAction: slashes === 'PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED' ? undefined : slashes,
  });
}

function underscores(
  action: mesh.ProxyConfig_ConnectionSettings_HeadersWithUnderscoresAction | undefined,
): types.core.HttpProtocolOptions_HeadersWithUnderscoresAction | undefined {
  switch (action) {
    case 'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST':
      return 'REJECT_REQUEST';
    case 'HEADERS_WITH_UNDERSCORES_DROP_HEADER':
      return 'DROP_HEADER';
    case 'HEADERS_WITH_UNDERSCORES_ALLOW':
      return 'ALLOW';
    default:
      return undefined;
  }
}

function natural(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? undefined : value;
}

import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import { defined, extension } from '../filters/typed.ts';
import { PLAIN_TEXT } from './tls.ts';
import type { ClusterDraft } from './draft.ts';

type Socket = types.core.TransportSocket;

/** Connections to the upstream begin with a PROXY protocol header that says who the client is; TLS comes after it. */
export function applyProxyProtocol(
  draft: ClusterDraft,
  settings: networking.TrafficPolicy_ProxyProtocol | undefined,
): void {
  if (settings === undefined) return;
  const { cluster } = draft;
  const matches = cluster.transportSocketMatches ?? [];
  if (matches.length > 0) {
    cluster.transportSocketMatches = matches.map((match) => ({
      ...match,
      transportSocket: wrapped(match.transportSocket ?? PLAIN_TEXT, settings),
    }));
  }
  if (cluster.transportSocket !== undefined || matches.length === 0)
    cluster.transportSocket = wrapped(cluster.transportSocket ?? PLAIN_TEXT, settings);
}

function wrapped(transportSocket: Socket, { version }: networking.TrafficPolicy_ProxyProtocol): Socket {
  return extension(
    'envoy.transport_sockets.upstream_proxy_protocol',
    'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
    { config: defined({ version: version === 'V2' ? version : undefined }), transportSocket },
  );
}

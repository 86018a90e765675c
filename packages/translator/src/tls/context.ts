import type { types } from '@mizzen/xds';
import { extension } from '../filters/typed.ts';

/** TLS that a listener terminates. */
export function downstreamTls(context: types.tls.DownstreamTlsContext): types.core.TransportSocket {
  return extension(
    'envoy.transport_sockets.tls',
    'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    context,
  );
}

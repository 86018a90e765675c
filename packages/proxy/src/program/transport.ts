import type { types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import { messageOf } from './read-resource.ts';
import { compileDownstreamTls, compileUpstreamTls } from './tls.ts';
import type { DownstreamTlsProgram, UpstreamTransportProgram } from './types.ts';

const RAW: UpstreamTransportProgram = { kind: 'raw' };

/** Undefined: plain text. */
export function compileDownstreamTransport(
  context: CompileContext,
  socket: types.core.TransportSocket | undefined,
  path: Path,
): DownstreamTlsProgram | undefined {
  const config = socket?.typedConfig;
  if (config === undefined) return undefined;
  const at = [...path, 'typedConfig'];
  switch (messageOf(config['@type'])) {
    case 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext':
      return compileDownstreamTls(context, config as types.tls.DownstreamTlsContext, at);
    case 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer':
      return undefined;
    default:
      context.refuse(at, `\`${config['@type']}\` is not a transport socket that is supported for listeners`);
      return undefined;
  }
}

export function compileUpstreamTransport(
  context: CompileContext,
  socket: types.core.TransportSocket | undefined,
  path: Path,
): UpstreamTransportProgram {
  const config = socket?.typedConfig;
  if (config === undefined) return RAW;
  const at = [...path, 'typedConfig'];
  switch (messageOf(config['@type'])) {
    case 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext':
      return { kind: 'tls', tls: compileUpstreamTls(context, config as types.tls.UpstreamTlsContext, at) };
    case 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer':
      return RAW;
    case 'envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport':
      return compileUpstreamTransport(context, config['transportSocket'] as types.core.TransportSocket | undefined, [
        ...at,
        'transportSocket',
      ]);
    case 'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport': {
      const version = (config['config'] as types.core.ProxyProtocolConfig | undefined)?.version ?? 'V1';
      const inner = compileUpstreamTransport(
        context,
        config['transportSocket'] as types.core.TransportSocket | undefined,
        [...at, 'transportSocket'],
      );
      return { kind: 'proxy_protocol', version, inner };
    }
    default:
      context.refuse(at, `\`${config['@type']}\` is not a transport socket that is supported for clusters`);
      return RAW;
  }
}

/** The secrets that a transport refers to. */
export function transportSecrets(transport: UpstreamTransportProgram): string[] {
  switch (transport.kind) {
    case 'raw':
      return [];
    case 'tls':
      return tlsSecrets(transport.tls);
    case 'proxy_protocol':
      return transportSecrets(transport.inner);
  }
}

export function tlsSecrets(tls: {
  readonly certificateSecrets: readonly string[];
  readonly validationSecret: string | undefined;
}): string[] {
  return tls.validationSecret === undefined
    ? [...tls.certificateSecrets]
    : [...tls.certificateSecrets, tls.validationSecret];
}

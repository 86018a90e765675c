import type { types } from '@mizzen/xds';
import { compilePassed } from '../filter/proxy-protocol/filter.ts';
import type { ProxyTlv } from '../filter/proxy-protocol/header.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import { messageOf } from './read-resource.ts';
import { compileDownstreamTls, compileUpstreamTls } from './tls.ts';
import type { DownstreamTlsProgram, ProxyProtocolProgram, UpstreamTransportProgram } from './types.ts';

const RAW: UpstreamTransportProgram = { kind: 'raw' };

/** Undefined: plain text. */
export function compileDownstreamTransport(
  context: CompileContext,
  socket: types.core.TransportSocket | undefined,
  path: Path,
): DownstreamTlsProgram | undefined {
  if (socket === undefined) return undefined;
  const at = [...path, 'typedConfig'];
  const config = socket.typedConfig;
  if (config === undefined) {
    context.refuse(at, 'must be there');
    return undefined;
  }
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
  if (socket === undefined) return RAW;
  const at = [...path, 'typedConfig'];
  const config = socket.typedConfig;
  if (config === undefined) {
    context.refuse(at, 'must be there');
    return RAW;
  }
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
      const socketConfig = config['transportSocket'] as types.core.TransportSocket | undefined;
      if (socketConfig === undefined) context.refuse([...at, 'transportSocket'], 'must be there');
      const inner = compileUpstreamTransport(context, socketConfig, [...at, 'transportSocket']);
      if (inner.kind === 'proxy_protocol')
        context.refuse([...at, 'transportSocket'], 'a second PROXY protocol header is not supported');
      const header = config['config'] as types.core.ProxyProtocolConfig | undefined;
      return { kind: 'proxy_protocol', header: compileProxyProtocol(context, header, [...at, 'config']), inner };
    }
    default:
      context.refuse(at, `\`${config['@type']}\` is not a transport socket that is supported for clusters`);
      return RAW;
  }
}

export function compileProxyProtocol(
  context: CompileContext,
  config: types.core.ProxyProtocolConfig | undefined,
  path: Path,
): ProxyProtocolProgram {
  const tlvs = compileTlvs(context, config?.addedTlvs, [...path, 'addedTlvs']);
  config?.addedTlvs?.forEach(({ formatString }, i) => {
    if (formatString !== undefined)
      context.refuse([...path, 'addedTlvs', i, 'formatString'], 'only connections of TCP have values of their own');
  });
  return { version: config?.version ?? 'V1', tlvs, passes: passing(config) };
}

/** What is added itself takes precedence. */
function passing(config: types.core.ProxyProtocolConfig | undefined): (tlv: ProxyTlv) => boolean {
  const passes = compilePassed(config?.passThroughTlvs);
  const added = new Set(config?.addedTlvs?.map(({ type = 0 }) => type));
  return ({ type }) => passes(type) && !added.has(type);
}

export function compileTlvs(
  context: CompileContext,
  entries: readonly types.core.TlvEntry[] | undefined,
  path: Path,
  numbered = true,
): ProxyTlv[] {
  return (entries ?? []).map(({ type = 0, value = '' }, i) => {
    const at = numbered ? [...path, i] : path;
    const bytes = Buffer.from(value, 'base64');
    if (type > 255) context.refuse([...at, 'type'], 'must be less than 256');
    if (bytes.length === 0) context.refuse([...at, 'value'], 'must not be empty');
    if (bytes.length > 0xff00) context.refuse([...at, 'value'], 'must be at most 65280 bytes');
    return { type, value: bytes };
  });
}

/** Whether a connection of this transport can agree on a protocol. */
export function negotiates(transport: UpstreamTransportProgram): boolean {
  return transport.kind === 'proxy_protocol' ? negotiates(transport.inner) : transport.kind === 'tls';
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
  readonly ticketKeysSecret?: string | undefined;
}): string[] {
  return [...tls.certificateSecrets, tls.validationSecret ?? [], tls.ticketKeysSecret ?? []].flat();
}

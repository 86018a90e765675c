import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { AlpnChoice, AlpnOffer, HttpFilter } from '../types.ts';
import type { FilterScope } from './scope.ts';

/**
 * Istio's `istio.alpn`: what is offered upstream by ALPN follows from the protocol that the cluster is spoken to in, so
 * that the peer's sidecar knows its own kind. A cluster with `istio.alpn_override: "false"` in its metadata is left alone.
 */
export function alpnFilter(
  _context: CompileContext,
  config: types.istioAlpn.FilterConfig,
  scope: FilterScope,
  _path: Path,
): HttpFilter {
  const offers = new Map<string, AlpnOffer>();
  for (const { upstreamProtocol = 'HTTP10', alpnOverride = [] } of config.alpnOverride ?? [])
    offers.set(upstreamProtocol, { key: alpnOverride.join(','), protocols: alpnOverride });
  const otherwise = offers.get('HTTP11');
  const forHttp10: AlpnChoice = { asDownstream: offers.get('HTTP10'), otherwise };
  const forHttp11: AlpnChoice = { asDownstream: otherwise, otherwise };
  return {
    name: scope.name,
    onRequest(stream) {
      stream.upstreamAlpn = stream.info.protocol === 'HTTP/1.0' ? forHttp10 : forHttp11;
      return undefined;
    },
  };
}

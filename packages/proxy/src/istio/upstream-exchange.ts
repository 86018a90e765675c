import type { Duplex } from 'node:stream';
import { FilterState } from '../filter-state/state.ts';
import { isTls } from '../node-tls.ts';
import type { StreamInfo, UpstreamHost } from '../types.ts';
import { beginExchange, type PeerExchange } from './exchange.ts';
import { UPSTREAM_PEER } from './peer.ts';

/** Says who this is to a host that agreed to it, and reads the same of the host. */
export function exchangeWith(
  host: UpstreamHost,
  info: Pick<StreamInfo, 'filterState'> & { readonly connection?: StreamInfo['connection'] },
  upstream: Duplex,
): PeerExchange | undefined {
  const program = host.cluster.peerExchange;
  if (program === undefined) return undefined;
  const state = (info.filterState ??= new FilterState(info.connection?.filterState));
  const agreed = isTls(upstream) ? upstream.alpnProtocol : '';
  return beginExchange(program, state, UPSTREAM_PEER, agreed || '', upstream);
}

import type { AlpnOffer, LbContext } from '../types.ts';
import { filterStateOf } from './state.ts';

/** What the filter state says about TLS with a host, over what its cluster says. */
export interface UpstreamOverrides {
  readonly serverName: string | undefined;
  /** One of them must be among the names of the host's certificate. */
  readonly subjectAltNames: readonly string[] | undefined;
  readonly alpn: AlpnOffer | undefined;
}

/** Undefined, at the price of two reads, where filters noted nothing. */
export function upstreamOverrides({ stream }: LbContext): UpstreamOverrides | undefined {
  if (stream === undefined) return undefined;
  const { info } = stream;
  if (info.filterState === undefined && info.connection.filterState === undefined) return undefined;
  const serverName = filterStateOf(info, 'envoy.network.upstream_server_name')?.value;
  const names = filterStateOf(info, 'envoy.network.upstream_subject_alt_names')?.value;
  const protocols = filterStateOf(info, 'envoy.network.application_protocols')?.value;
  if (serverName === undefined && names === undefined && protocols === undefined) return undefined;
  return {
    serverName,
    subjectAltNames: names === undefined ? undefined : list(names),
    alpn: protocols === undefined ? undefined : { key: protocols, protocols: list(protocols) },
  };
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

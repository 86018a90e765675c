import type { types } from '@mizzen/xds';
import { extension } from '../filters/typed.ts';
import { PLAIN_HTTP } from '../tls/peer-authentication.ts';

type ListenerFilter = types.listener.ListenerFilter;
type Predicate = types.listener.ListenerFilterChainMatchPredicate;

export const ORIGINAL_DESTINATION: ListenerFilter = extension(
  'envoy.filters.listener.original_dst',
  'envoy.extensions.filters.listener.original_dst.v3.OriginalDst',
  {},
);

/** Keeps the client's address on the way to the application; with TPROXY only. */
export const ORIGINAL_SOURCE: ListenerFilter = extension(
  'envoy.filters.listener.original_src',
  'envoy.extensions.filters.listener.original_src.v3.OriginalSrc',
  { mark: 1337 },
);

export const TLS_INSPECTOR: ListenerFilter = extension(
  'envoy.filters.listener.tls_inspector',
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  { initialReadBufferSize: 512 },
);

export const HTTP_INSPECTOR: ListenerFilter = extension(
  'envoy.filters.listener.http_inspector',
  'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector',
  {},
);

export const PROXY_PROTOCOL: ListenerFilter = extension(
  'envoy.filters.listener.proxy_protocol',
  'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
  {},
);

interface Needs {
  tls: boolean;
  http: boolean;
}

/** The inspectors that the matches of `chains` need, each switched off for the ports that do not. */
export function inspectors(chains: readonly types.listener.FilterChain[]): readonly ListenerFilter[] {
  const ports = new Map<number, Needs>();
  for (const { filterChainMatch: match } of chains) {
    const port = match?.destinationPort ?? 0;
    let needs = ports.get(port);
    if (needs === undefined) ports.set(port, (needs = { tls: false, http: false }));
    needs.tls ||= match?.transportProtocol === 'tls';
    needs.http ||= match?.applicationProtocols?.some((protocol) => PLAIN_HTTP.includes(protocol)) === true;
  }
  const filters: ListenerFilter[] = [];
  if ([...ports.values()].some((needs) => needs.tls)) filters.push(tlsInspector(ports));
  if ([...ports.values()].some((needs) => needs.http)) {
    filters.push(
      disabledFor(
        HTTP_INSPECTOR,
        exceptPorts(ports, (needs) => !needs.http),
      ),
    );
  }
  return filters;
}

/** Port 0 stands for all ports that no chain names. */
function tlsInspector(ports: ReadonlyMap<number, Needs>): ListenerFilter {
  if (ports.get(0)?.tls === true)
    return disabledFor(
      TLS_INSPECTOR,
      exceptPorts(ports, (needs) => !needs.tls),
    );
  const wanted = exceptPorts(ports, (needs) => needs.tls);
  return disabledFor(TLS_INSPECTOR, wanted === undefined ? undefined : { notMatch: wanted });
}

function exceptPorts(ports: ReadonlyMap<number, Needs>, chosen: (needs: Needs) => boolean): Predicate | undefined {
  const rules = [...ports]
    .filter(([, needs]) => chosen(needs))
    .map(([port]) => port)
    .toSorted((a, b) => a - b)
    .map((port) => ({ destinationPortRange: { start: port, end: port + 1 } }));
  return rules.length > 1 ? { orMatch: { rules } } : rules[0];
}

function disabledFor(filter: ListenerFilter, filterDisabled: Predicate | undefined): ListenerFilter {
  return filterDisabled === undefined ? filter : { ...filter, filterDisabled };
}

import { placeOf } from './address.ts';
import { goSorted } from './go-sort.ts';
import { type Dump, DumpError, isObject, list, message, number, type Raw, strings, text } from './read-dump.ts';
import { describeCluster, describeRouteConfig } from './route-match.ts';
import { tabulate } from './tabulate.ts';

export interface ListenerFilter {
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  /** `HTTP`, `TCP`, `HTTP+TCP` or `UNKNOWN`, in any case. */
  readonly type: string;
}

const HTTP = 'envoy.filters.network.http_connection_manager';
const TCP = 'envoy.filters.network.tcp_proxy';

/** The listeners of a dump that fit, as they stand in it. @throws DumpError */
export function listenersOf(dump: Dump, filter: ListenerFilter): readonly Raw[] {
  const part = dump.part('ListenersConfigDump');
  const all = [
    ...list(part, 'dynamicListeners').map((each) => message(each, 'activeState')['listener']),
    ...list(part, 'staticListeners').map(({ listener }) => listener),
  ].filter(isObject);
  if (all.length === 0) throw new DumpError('no listeners found');
  return all.filter((each) => fits(each, filter));
}

function fits(listener: Raw, { address, port, type }: ListenerFilter): boolean {
  if (address !== '' && !addresses(listener).some((each) => equalFold(each, address))) return false;
  if (port !== 0 && portOf(listener) !== port) return false;
  return type === '' || equalFold(typeOf(listener), type);
}

function equalFold(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export interface ListenerTableOptions {
  readonly verbose: boolean;
  readonly prefixed?: boolean;
}

/** By port, address and type; with `verbose` a row for each filter chain. */
export function listenerTable(listeners: readonly Raw[], { verbose, prefixed = false }: ListenerTableOptions): string {
  const head = [...(prefixed ? ['NAME'] : []), 'ADDRESSES', 'PORT', ...(verbose ? ['MATCH', 'DESTINATION'] : ['TYPE'])];
  const rows = goSorted(listeners, before).flatMap((listener) => {
    const start = [addresses(listener).join(','), String(portOf(listener))];
    if (prefixed) start.unshift(`listener/${text(listener, 'name')}`);
    if (!verbose) return [[...start, typeOf(listener)]];
    const chains = chainsOf(listener).map((chain) => [
      matchOf(message(chain, 'filterChainMatch')),
      destinationOf(list(chain, 'filters')),
    ]);
    return goSorted(chains, (a, b) => a[1]! > b[1]!).map((cells) => [...start, ...cells]);
  });
  return tabulate([head, ...rows], 1);
}

function before(a: Raw, b: Raw): boolean {
  const [portA, portB] = [portOf(a), portOf(b)];
  if (portA !== portB) return portA < portB;
  const [[addressA = ''], [addressB = '']] = [addresses(a), addresses(b)];
  if (addressA !== addressB) return addressA < addressB;
  return typeOf(a) < typeOf(b);
}

function addresses(listener: Raw): string[] {
  const own = placeOf(message(listener, 'address'));
  const more = list(listener, 'additionalAddresses').map((each) => placeOf(message(each, 'address')));
  return [
    own.kind === 'socket' || own.kind === 'pipe' ? own.address : '',
    ...more.map((each) => (each.kind === 'socket' ? each.address : '')),
  ];
}

function portOf(listener: Raw): number {
  return placeOf(message(listener, 'address')).port;
}

function chainsOf(listener: Raw): readonly Raw[] {
  const byDefault = listener['defaultFilterChain'];
  return isObject(byDefault) ? [...list(listener, 'filterChains'), byDefault] : list(listener, 'filterChains');
}

/** HTTP, TCP, HTTP+TCP or UNKNOWN; what only throws connections away does not count. */
function typeOf(listener: Raw): string {
  const filters = chainsOf(listener).flatMap((chain) => list(chain, 'filters'));
  const http = filters.some((each) => text(each, 'name') === HTTP);
  const tcp = filters.some((each) => text(each, 'name') === TCP && !blackHole(each));
  if (http) return tcp ? 'HTTP+TCP' : 'HTTP';
  return tcp ? 'TCP' : 'UNKNOWN';
}

function blackHole(filter: Raw): boolean {
  return JSON.stringify(filter['typedConfig'] ?? {}).includes('BlackHoleCluster');
}

/** Lists of application protocols that istioctl has a name for. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  'http/1.0,http/1.1,h2c,istio-http/1.0,istio-http/1.1,istio-h2': 'HTTP TLS',
  'istio,istio-http/1.0,istio-http/1.1,istio-h2': 'Istio HTTP Plain',
  'istio-peer-exchange,istio': 'TCP TLS',
  'http/1.0,http/1.1,h2c': 'HTTP',
};

function matchOf(match: Raw): string {
  const [names, protocols] = [strings(match, 'serverNames'), strings(match, 'applicationProtocols').join(',')];
  const transport = text(match, 'transportProtocol');
  const port = match['destinationPort'] === undefined ? '' : `:${number(match, 'destinationPort')}`;
  const ranges = list(match, 'prefixRanges').map(
    (range) => `${text(range, 'addressPrefix')}/${number(range, 'prefixLen')}`,
  );
  const address = ranges.length > 0 ? ranges.join(',') : port === '' ? '' : '*';
  const parts = [
    names.length === 0 ? '' : `SNI: ${names.join(',')}`,
    transport === '' ? '' : `Trans: ${transport}`,
    protocols === '' ? '' : `App: ${PROTOCOLS[protocols] ?? protocols}`,
    address === '' ? '' : `Addr: ${address}${port}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'ALL' : parts.join('; ');
}

function destinationOf(filters: readonly Raw[]): string {
  for (const filter of filters) {
    const config = message(filter, 'typedConfig');
    if (text(filter, 'name') === HTTP) {
      if (isObject(config['routeConfig'])) return describeRouteConfig(config['routeConfig']);
      const name = text(message(config, 'rds'), 'routeConfigName');
      return name === '' ? 'HTTP' : `Route: ${name}`;
    }
    if (text(filter, 'name') === TCP && !blackHole(filter)) return describeCluster(text(config, 'cluster'));
  }
  return 'Non-HTTP/Non-TCP';
}

import { goSorted } from './go-sort.ts';
import { managedBy } from './origin-column.ts';
import { type Dump, DumpError, isObject, list, message, type Raw, strings, text } from './read-dump.ts';
import { describeMatch } from './route-match.ts';
import { tabulate } from './tabulate.ts';

/** The route configurations of a dump, by number where their names are numbers. @throws DumpError */
export function routesOf(dump: Dump, name: string): readonly Raw[] {
  const part = dump.part('RoutesConfigDump');
  const all = [...list(part, 'dynamicRouteConfigs'), ...list(part, 'staticRouteConfigs')]
    .map(({ routeConfig }) => routeConfig)
    .filter(isObject);
  if (all.length === 0) throw new DumpError('no routes found');
  return goSorted(all, before).filter((each) => name === '' || text(each, 'name') === name);
}

function before(a: Raw, b: Raw): boolean {
  const [x, y] = [text(a, 'name'), text(b, 'name')];
  return isInteger(x) && isInteger(y) && Number(x) < Number(y);
}

function isInteger(name: string): boolean {
  return /^[+-]?\d+$/.test(name);
}

export interface RouteTableOptions {
  readonly verbose: boolean;
  readonly prefixed?: boolean;
}

/** With `verbose` a row for each route, else one for each configuration with the number of its virtual hosts. */
export function routeTable(routes: readonly Raw[], { verbose, prefixed = false }: RouteTableOptions): string {
  const label = (config: Raw): string => `${prefixed ? 'route/' : ''}${text(config, 'name')}`;
  if (!verbose) {
    const counts = routes.map((each) => [label(each), String(list(each, 'virtualHosts').length)]);
    return tabulate([['NAME', 'VIRTUAL HOSTS'], ...counts], 5);
  }
  const rows = routes.flatMap((config) =>
    list(config, 'virtualHosts').flatMap((host) => {
      const start = [label(config), text(host, 'name'), describeDomains(strings(host, 'domains'))];
      const own = list(host, 'routes');
      if (own.length === 0) return [[...start, '/*', '404']];
      return own
        .filter((route) => text(message(route, 'route'), 'cluster') !== 'PassthroughCluster')
        .map((route) => [...start, describeMatch(message(route, 'match')), managedBy(route)]);
    }),
  );
  return tabulate([['NAME', 'VHOST NAME', 'DOMAINS', 'MATCH', 'VIRTUAL SERVICE'], ...rows], 5);
}

const MOST_DOMAINS = 2;

/** The first domains without port and without longer forms of others. */
function describeDomains(domains: readonly string[]): string {
  if (domains.length <= 1) return domains[0] ?? '';
  const colons = (domain: string): number => domain.split(':').length - 1;
  const shown = unexpanded(domains.filter((each) => colons(each) === 0 || (colons(each) > 2 && each.endsWith(']'))));
  const first = shown.slice(0, MOST_DOMAINS).join(', ');
  return shown.length > MOST_DOMAINS ? `${first} + ${shown.length - MOST_DOMAINS} more...` : first;
}

function unexpanded(domains: readonly string[]): readonly string[] {
  const all = new Set(domains);
  return domains.filter(
    (each) => !['.svc.cluster.local', '.svc'].some((end) => each.endsWith(end) && all.has(each.slice(0, -end.length))),
  );
}

import { isObject, list, message, type Raw, strings, text } from './read-dump.ts';

/** A RouteMatch in short: `/reviews*`, `PathPrefix:/reviews`, `/reviews`, `regex …`. Headers are not told. */
export function describeMatch(match: Raw): string {
  const regex = text(message(match, 'safeRegex'), 'regex');
  return [
    text(match, 'prefix') === '' ? '' : `${text(match, 'prefix')}*`,
    text(match, 'pathSeparatedPrefix') === '' ? '' : `PathPrefix:${text(match, 'pathSeparatedPrefix')}`,
    text(match, 'path'),
    isObject(match['safeRegex']) ? `regex ${regex}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** A route configuration inside a listener; the cluster alone where all goes to one. */
export function describeRouteConfig(config: Raw): string {
  const hosts = list(config, 'virtualHosts');
  const cluster = onlyCluster(hosts);
  if (cluster !== '') return describeCluster(cluster);
  const texts = hosts.map((host) => {
    const domains = strings(host, 'domains');
    const routes = list(host, 'routes').map((route) => describeMatch(message(route, 'match')));
    const label = domains.length === 1 && domains[0] === '*' ? '' : domains.join('/');
    return label === '' ? routes.join(', ') : `${label} ${routes.join(', ')}`;
  });
  return `Inline Route: ${texts.join('; ')}`;
}

/** `PassthroughCluster` and the like speak for themselves. */
export function describeCluster(name: string): string {
  return name.includes('Cluster') ? name : `Cluster: ${name}`;
}

function onlyCluster(hosts: readonly Raw[]): string {
  const [host, ...others] = hosts;
  if (host === undefined || others.length > 0) return '';
  const domains = strings(host, 'domains');
  const [route, ...more] = list(host, 'routes');
  if (domains.length !== 1 || domains[0] !== '*' || route === undefined || more.length > 0) return '';
  if (text(message(route, 'match'), 'prefix') !== '/') return '';
  return text(message(route, 'route'), 'cluster');
}

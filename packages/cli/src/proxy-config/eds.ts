import { placeOf } from './address.ts';
import type { EndpointFilter } from './endpoints.ts';
import { goSorted } from './go-sort.ts';
import { type Dump, isObject, list, message, type Raw, text } from './read-dump.ts';
import { lessByKey } from './subset-key.ts';
import { tabulate } from './tabulate.ts';

/** The ClusterLoadAssignments of a dump, each with only the endpoints that fit; those without any are left out. */
export function assignmentsOf(dump: Dump, filter: EndpointFilter): readonly Raw[] {
  const part = dump.find('EndpointsConfigDump');
  const all = [...list(part, 'dynamicEndpointConfigs'), ...list(part, 'staticEndpointConfigs')]
    .map(({ endpointConfig }) => endpointConfig)
    .filter(isObject)
    .map((assignment) => filtered(assignment, filter))
    .filter((assignment) => list(assignment, 'endpoints').some((group) => list(group, 'lbEndpoints').length > 0));
  return goSorted(all, (a, b) => lessByKey(text(a, 'clusterName'), text(b, 'clusterName')));
}

function filtered(assignment: Raw, filter: EndpointFilter): Raw {
  const cluster = text(assignment, 'clusterName');
  const endpoints = list(assignment, 'endpoints').map((group) => ({
    ...group,
    lbEndpoints: list(group, 'lbEndpoints').filter((endpoint) => fits(endpoint, cluster, filter)),
  }));
  return { ...assignment, endpoints };
}

function fits(endpoint: Raw, name: string, { address, port, cluster, status }: EndpointFilter): boolean {
  const own = placeOf(message(endpoint, 'endpoint', 'address'));
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return (
    (address === '' || addresses(endpoint).some((each) => same(each, address))) &&
    (port === 0 || own.port === port) &&
    (cluster === '' || same(name, cluster)) &&
    (status === '' || same(statusOf(endpoint), status))
  );
}

/** A row for each endpoint. */
export function assignmentTable(assignments: readonly Raw[], prefixed = false): string {
  const rows = assignments.flatMap((assignment) =>
    list(assignment, 'endpoints').flatMap((group) =>
      list(group, 'lbEndpoints').map((endpoint) => [
        `${prefixed ? 'endpoint/' : ''}${addresses(endpoint).join(',')}`,
        statusOf(endpoint),
        localityText(message(group, 'locality')),
        text(assignment, 'clusterName'),
      ]),
    ),
  );
  return tabulate([['NAME', 'STATUS', 'LOCALITY', 'CLUSTER'], ...rows], 5);
}

function addresses(endpoint: Raw): string[] {
  const own = message(endpoint, 'endpoint');
  const more = list(own, 'additionalAddresses').map((each) => message(each, 'address'));
  return [message(own, 'address'), ...more].map((each) => {
    const { kind, address, port } = placeOf(each);
    if (kind === 'socket') return `${address}:${port}`;
    return kind === 'pipe' ? address : kind === 'internal' ? `envoy://${address}` : 'unknown';
  });
}

function statusOf(endpoint: Raw): string {
  const status = text(endpoint, 'healthStatus');
  return status === '' ? 'UNKNOWN' : status;
}

/** `REGION/ZONE/SUBZONE`, as far as they are given. */
function localityText(locality: Raw): string {
  const [region, zone, subzone] = [text(locality, 'region'), text(locality, 'zone'), text(locality, 'subZone')];
  if (zone === '' && subzone === '') return region;
  return subzone === '' ? `${region}/${zone}` : `${region}/${zone}/${subzone}`;
}

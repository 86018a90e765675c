import { type Place, placeOf } from './address.ts';
import { goSorted } from './go-sort.ts';
import { type Dump, list, message, type Raw, text } from './read-dump.ts';
import { tabulate } from './tabulate.ts';

export interface EndpointFilter {
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  /** The whole name. */
  readonly cluster: string;
  readonly status: string;
}

/** The clusters of `/clusters?format=json` that have an endpoint that fits, whole. */
export function clusterStatusesOf(dump: Dump, filter: EndpointFilter): readonly Raw[] {
  return dump
    .clusterStatuses()
    .filter((cluster) => list(cluster, 'hostStatuses').some((host) => fits(host, text(cluster, 'name'), filter)));
}

function fits(host: Raw, name: string, { address, port, cluster, status }: EndpointFilter): boolean {
  const place = placeOf(message(host, 'address'));
  return (
    (address === '' || equalFold(addressText(place), address)) &&
    (port === 0 || place.port === port) &&
    (cluster === '' || equalFold(name, cluster)) &&
    (status === '' || equalFold(statusOf(host), status))
  );
}

function equalFold(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * A row for each endpoint that fits, by address, port and cluster. `outlier`: what is said where nothing tells whether
 * an endpoint was ejected.
 */
export function endpointTable(clusters: readonly Raw[], filter: EndpointFilter, outlier = 'OK'): string {
  const hosts = clusters.flatMap((cluster) => {
    const name = text(cluster, 'name');
    return list(cluster, 'hostStatuses')
      .filter((host) => fits(host, name, filter))
      .map((host) => ({ host, name, place: placeOf(message(host, 'address')) }));
  });
  const sorted = goSorted(hosts, (a, b) => {
    const [x, y] = [addressText(a.place), addressText(b.place)];
    if (x !== y) return x < y;
    return a.place.port === b.place.port ? a.name < b.name : a.place.port < b.place.port;
  });
  const rows = sorted.map(({ host, name, place }) => [
    place.port === 0 ? addressText(place) : `${addressText(place)}:${place.port}`,
    statusOf(host),
    message(host, 'healthStatus')['failedOutlierCheck'] === true ? 'FAILED' : outlier,
    name,
  ]);
  return tabulate([['ENDPOINT', 'STATUS', 'OUTLIER CHECK', 'CLUSTER'], ...rows], 5);
}

function addressText({ kind, address }: Place): string {
  if (kind === 'socket') return address;
  return kind === 'pipe' ? `unix://${address}` : kind === 'internal' ? `envoy://${address}` : 'unknown';
}

function statusOf(host: Raw): string {
  const status = text(message(host, 'healthStatus'), 'edsHealthStatus');
  return status === '' ? 'UNKNOWN' : status;
}

import { goSorted } from './go-sort.ts';
import { managedBy } from './origin-column.ts';
import { type Dump, DumpError, isObject, list, type Raw, text } from './read-dump.ts';
import { lessByKey, parseSubsetKey } from './subset-key.ts';
import { tabulate } from './tabulate.ts';

export interface ClusterFilter {
  /** Part of the name. */
  readonly fqdn: string;
  /** 0: any. */
  readonly port: number;
  readonly subset: string;
  readonly direction: string;
}

/** The clusters of a dump that fit, in the order of istioctl. @throws DumpError */
export function clustersOf(dump: Dump, filter: ClusterFilter): readonly Raw[] {
  const part = dump.part('ClustersConfigDump');
  const all = [...list(part, 'dynamicActiveClusters'), ...list(part, 'staticClusters')]
    .map(({ cluster }) => cluster)
    .filter(isObject);
  if (all.length === 0) throw new DumpError('no clusters found');
  return goSorted(all, (a, b) => lessByKey(text(a, 'name'), text(b, 'name'))).filter((each) => fits(each, filter));
}

function fits(cluster: Raw, { fqdn, port, subset, direction }: ClusterFilter): boolean {
  const name = text(cluster, 'name');
  const parts = [fqdn, direction, subset, port === 0 ? '' : `|${port}|`];
  return parts.every((part) => name.includes(part));
}

/** `prefixed`: among the tables of all kinds, where each row begins with what it is. */
export function clusterTable(clusters: readonly Raw[], prefixed = false): string {
  const head = ['SERVICE FQDN', 'PORT', 'SUBSET', 'DIRECTION', 'TYPE', 'DESTINATION RULE'];
  return tabulate([prefixed ? ['NAME', ...head] : head, ...clusters.map((each) => row(each, prefixed))], 5);
}

function row(cluster: Raw, prefixed: boolean): string[] {
  const name = text(cluster, 'name');
  const key = parseSubsetKey(name);
  const label = prefixed ? [`cluster/${name}`] : [];
  const cells =
    key === undefined
      ? [prefixed ? `cluster/${name}` : name, '-', '-', '-']
      : [key.host, String(key.port), key.subset === '' ? '-' : key.subset, key.direction];
  const type = text(cluster, 'type');
  return [...label, ...cells, type === '' ? 'STATIC' : type, managedBy(cluster)];
}

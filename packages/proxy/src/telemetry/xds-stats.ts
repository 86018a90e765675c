import { xxHash64 } from '../lb/xxhash64.ts';
import type { ProxyNode } from '../process/proxy-node.ts';
import { singleSources } from '../program/route-source.ts';
import type { UpdateCounts } from '../xds/records.ts';
import { addAll, type Values } from './collect.ts';

/** What is text, and numbers that a double does not hold. */
export interface OtherStats {
  readonly texts: Map<string, string>;
  readonly large: Map<string, bigint>;
}

interface Source {
  readonly counts: UpdateCounts;
  readonly version: string;
  /** When the last version came into force, milliseconds since the epoch; 0: never. */
  readonly updated: number;
  readonly late?: number;
}

/** How resources came that are not part of the bootstrap. */
export function addXdsStats(values: Values, { texts, large }: OtherStats, node: ProxyNode): void {
  const { records, clusters } = node;
  const add = (prefix: string, { counts, version, updated, late = 0 }: Source): void => {
    addAll(values, prefix, { ...counts, update_failure: 0, init_fetch_timeout: late, update_time: updated });
    large.set(`${prefix}.version`, version === '' ? 0n : xxHash64(version));
    texts.set(`${prefix}.version_text`, version);
  };
  const ofKind = (kind: 'cluster' | 'listener'): Source => ({
    counts: records.counts(kind),
    version: records.version(kind),
    updated: [...records.all(kind)].reduce(
      (last, [, { updated, static: own }]) => (own ? last : Math.max(last, updated)),
      0,
    ),
  });
  const ofName = (kind: 'endpoint' | 'route' | 'extension', name: string): Source => {
    const record = records.get(kind, name);
    const { accepted = 0, rejected = 0, version = '', updated = 0, late = 0 } = record ?? {};
    return {
      counts: { update_attempt: accepted + rejected, update_success: accepted, update_rejected: rejected },
      version,
      updated,
      late,
    };
  };
  if (records.counts('cluster').update_attempt > 0) {
    const source = ofKind('cluster');
    add('cluster_manager.cds', source);
    addReloads(values, 'cluster_manager.cds', source);
  }
  if (records.counts('listener').update_attempt > 0) add('listener_manager.lds', ofKind('listener'));
  for (const { program } of clusters.active()) {
    if (program.type !== 'EDS') continue;
    const prefix = `cluster.${program.statName}`;
    values.delete(`${prefix}.version`);
    add(prefix, ofName('endpoint', program.edsServiceName));
  }
  for (const { kind, name } of node.listeners.programs().flatMap(({ extensions }) => extensions)) {
    const prefix = `extension_config_discovery.${kind}.${name}`;
    const source = ofName('extension', name);
    const { update_success: config_reload, update_rejected: config_fail } = source.counts;
    add(prefix, source);
    const failed = config_fail + (source.late ?? 0);
    addAll(values, prefix, { config_reload, config_fail: failed, config_conflict: 0 });
  }
  for (const [prefix, name] of routesByName(node)) {
    const source = ofName('route', name);
    add(`http.${prefix}.rds.${name}`, source);
    addReloads(values, `http.${prefix}.rds.${name}`, source);
    addAll(values, `http.${prefix}.rds.${name}`, { update_empty: 0 });
  }
}

function addReloads(values: Values, prefix: string, { counts, updated }: Source): void {
  addAll(values, prefix, { config_reload: counts.update_success, config_reload_time_ms: updated });
}

/** Stat prefixes of connection managers and the route configurations they follow. */
function routesByName({ listeners }: ProxyNode): Iterable<readonly [string, string]> {
  const found = new Map<string, readonly [string, string]>();
  for (const { listener } of listeners.active()) {
    const { chains, defaultChain } = listener.program;
    for (const { filters } of defaultChain === undefined ? chains : [...chains, defaultChain]) {
      for (const filter of filters) {
        if (filter.kind !== 'http_connection_manager' || filter.hcm.routes.kind === 'inline') continue;
        const { statPrefix, routes } = filter.hcm;
        for (const source of singleSources(routes))
          if (source.kind === 'rds') found.set(`${statPrefix} ${source.name}`, [statPrefix, source.name]);
      }
    }
  }
  return found.values();
}

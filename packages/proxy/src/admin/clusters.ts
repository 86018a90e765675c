import type { ClusterHost } from '../cluster/host.ts';
import type { ManagedCluster } from '../cluster/managed.ts';
import type { ClusterProgram } from '../program/types.ts';
import { HOST_COUNTERS, HOST_GAUGES, hostStats } from '../telemetry/endpoint-stats.ts';
import { json, text, type AdminAnswer, type AdminContext } from './context.ts';
import { adminRegex } from './regex.ts';

/** `/clusters`, as text or `format=json`. */
export function clusters({ node }: AdminContext, query: URLSearchParams): AdminAnswer {
  let all = [...node.clusters.active()];
  const filter = query.get('filter') ?? '';
  if (filter !== '') {
    const regex = adminRegex(filter);
    if (typeof regex === 'string') return text('Invalid re2 regex', 400);
    all = all.filter(({ program }) => regex.matcher(program.name).find());
  }
  const viaApi = ({ program }: ManagedCluster): boolean => node.records.get('cluster', program.name)?.static !== true;
  if (query.get('format') === 'json')
    return json({ cluster_statuses: all.map((managed) => status(managed, viaApi(managed))) });
  return text(all.map((managed) => lines(managed, viaApi(managed))).join(''));
}

interface HostInfo {
  readonly priority: number;
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** Hosts with where they are. */
function* hostsOf({ cluster }: ManagedCluster): Generator<readonly [ClusterHost, HostInfo]> {
  const seen = new Set<ClusterHost>();
  for (const locality of cluster.endpoints?.localities ?? []) {
    for (const endpoint of locality.endpoints) {
      const host = cluster.hostOf(endpoint);
      if (host === undefined || seen.has(host)) continue;
      seen.add(host);
      yield [host, locality];
    }
  }
}

function lines(managed: ManagedCluster, viaApi: boolean): string {
  const { program } = managed;
  const out = [`observability_name::${program.statName}`];
  if (program.outlierDetection !== undefined) {
    const rates = managed.cluster.outliers;
    for (const [name, judged] of [
      ['success_rate', rates?.external],
      ['local_origin_success_rate', rates?.local],
    ] as const) {
      out.push(`outlier::${name}_average::${shortest(judged?.average ?? -1)}`);
      out.push(`outlier::${name}_ejection_threshold::${shortest(judged?.threshold ?? -1)}`);
    }
  }
  for (const [name, priority] of [
    ['default', 'DEFAULT'],
    ['high', 'HIGH'],
  ] as const) {
    const limits = program.thresholds[priority];
    out.push(
      `${name}_priority::max_connections::${limits.maxConnections}`,
      `${name}_priority::max_pending_requests::${limits.maxPendingRequests}`,
      `${name}_priority::max_requests::${limits.maxRequests}`,
      `${name}_priority::max_retries::${maxRetries(managed, priority)}`,
    );
  }
  out.push(`added_via_api::${viaApi}`);
  const { edsServiceGiven: eds } = program;
  if (eds !== '') out.push(`eds_service_name::${eds}`);
  for (const [host, at] of hostsOf(managed)) {
    const put = (key: string, value: string | number | boolean): void =>
      void out.push(`${host.authority}::${key}::${value}`);
    for (const [name, value] of Object.entries(hostStats(host))) put(name, value);
    put('hostname', host.hostname);
    put('health_flags', healthFlags(host));
    put('weight', host.weight);
    put('region', at.region);
    put('zone', at.zone);
    put('sub_zone', at.subZone);
    put('canary', host.endpoint.metadata?.['envoy.lb']?.['canary'] === true);
    put('priority', at.priority);
    put('success_rate', host.monitor?.rates.external ?? -1);
    put('local_origin_success_rate', host.monitor?.rates.local ?? -1);
  }
  return out.map((line) => `${program.name}::${line}\n`).join('');
}

/** Six digits at most, as C prints `%g`. */
function shortest(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function healthFlags(host: ClusterHost): string {
  const { health } = host.endpoint;
  const flags = [
    ...(host.failedActiveHc ? ['/failed_active_hc'] : []),
    ...(host.ejected ? ['/failed_outlier_check'] : []),
    ...(health === 'UNHEALTHY' || health === 'TIMEOUT' ? ['/failed_eds_health'] : []),
    ...(host.degradedActiveHc ? ['/degraded_active_hc'] : []),
    ...(health === 'DEGRADED' ? ['/degraded_eds_health'] : []),
    ...(host.pendingDynamicRemoval ? ['/pending_dynamic_removal'] : []),
    ...(host.pendingActiveHc ? ['/pending_active_hc'] : []),
    ...(host.excludedViaImmediateHcFail ? ['/excluded_via_immediate_hc_fail'] : []),
    ...(host.activeHcTimeout ? ['/active_hc_timeout'] : []),
    ...(health === 'DRAINING' ? ['/eds_status_draining'] : []),
    ...(host.degradedByOutlierDetection ? ['/degraded_outlier_detection'] : []),
  ];
  return flags.length === 0 ? 'healthy' : flags.join('');
}

function status(managed: ManagedCluster, viaApi: boolean): object {
  const { program } = managed;
  const hosts = [...hostsOf(managed)];
  return {
    name: program.name,
    ...(viaApi ? { added_via_api: true } : {}),
    ...(hosts.length === 0 ? {} : { host_statuses: hosts.map(hostStatus) }),
    circuit_breakers: {
      thresholds: [limits(managed, 'DEFAULT'), { priority: 'HIGH', ...limits(managed, 'HIGH') }],
    },
    observability_name: program.statName,
    ...(program.edsServiceGiven === '' ? {} : { eds_service_name: program.edsServiceGiven }),
  };
}

function hostStatus([host, at]: readonly [ClusterHost, HostInfo]): object {
  const stats = hostStats(host);
  const stat = (name: keyof typeof stats): object => ({
    ...(stats[name] === 0 ? {} : { value: String(stats[name]) }),
    name,
  });
  return {
    address: addressOf(host),
    stats: [...HOST_COUNTERS.map(stat), ...HOST_GAUGES.map((name) => ({ type: 'GAUGE', ...stat(name) }))],
    health_status: health(host),
    weight: host.weight,
    ...(host.hostname === '' ? {} : { hostname: host.hostname }),
    ...(at.priority === 0 ? {} : { priority: at.priority }),
    locality: {
      ...(at.region === '' ? {} : { region: at.region }),
      ...(at.zone === '' ? {} : { zone: at.zone }),
      ...(at.subZone === '' ? {} : { sub_zone: at.subZone }),
    },
  };
}

export function addressOf(host: ClusterHost): object {
  const { address } = host.endpoint;
  if (address.kind === 'pipe') return { pipe: { path: address.path } };
  if (address.kind === 'internal') {
    const id = host.endpoint.endpointId;
    return {
      envoy_internal_address: { server_listener_name: address.name, ...(id === '' ? {} : { endpoint_id: id }) },
    };
  }
  return { socket_address: { address: address.address, port_value: address.port } };
}

function health(host: ClusterHost): object {
  return {
    ...(host.failedActiveHc ? { failed_active_health_check: true } : {}),
    ...(host.ejected ? { failed_outlier_check: true } : {}),
    ...(host.degradedActiveHc ? { failed_active_degraded_check: true } : {}),
    ...(host.pendingDynamicRemoval ? { pending_dynamic_removal: true } : {}),
    ...(host.pendingActiveHc ? { pending_active_hc: true } : {}),
    ...(host.excludedViaImmediateHcFail ? { excluded_via_immediate_hc_fail: true } : {}),
    ...(host.activeHcTimeout ? { active_hc_timeout: true } : {}),
    eds_health_status: edsHealth(host),
    ...(host.degradedByOutlierDetection ? { failed_degraded_outlier_detection: true } : {}),
  };
}

/** What EDS said of a host, as it is shown. */
export function edsHealth({ endpoint: { health: said } }: ClusterHost): string {
  if (said === 'UNKNOWN') return 'HEALTHY';
  return said === 'TIMEOUT' ? 'UNHEALTHY' : said;
}

type Priority = keyof ClusterProgram['thresholds'];

function limits(managed: ManagedCluster, priority: Priority): object {
  const thresholds = managed.program.thresholds[priority];
  return {
    max_connections: thresholds.maxConnections,
    max_pending_requests: thresholds.maxPendingRequests,
    max_requests: thresholds.maxRequests,
    max_retries: maxRetries(managed, priority),
  };
}

/** Of a budget, what it comes to now. */
function maxRetries({ program, cluster }: ManagedCluster, priority: Priority): number {
  const { retryBudget, maxRetries: most } = program.thresholds[priority];
  return retryBudget === undefined ? most : cluster.limits[priority].maxRetries;
}

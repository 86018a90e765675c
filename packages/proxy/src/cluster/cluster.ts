import type { ExchangeProgram } from '../istio/exchange.ts';
import type { Deps } from '../deps.ts';
import type { JsonObject } from '@mizzen/xds';
import { makePicker, nobodyPicker, type Level, type Picker, type PickerOptions } from '../lb/picker.ts';
import { inPanic } from '../lb/priority-load.ts';
import { overridePicker } from '../lb/override-host.ts';
import { SubsetWatch } from './assignment-counts.ts';
import { countDuplicates, subsetPicker } from '../lb/subsets.ts';
import type { BalancedHost, PriorityHosts } from '../lb/types.ts';
import type { ZoneOptions } from '../lb/zone.ts';
import type { SuccessRates } from '../health/outlier.ts';
import type {
  ClusterProgram,
  DnsProgram,
  EndpointProgram,
  EndpointsProgram,
  SourceAddresses,
  SubsetProgram,
} from '../program/types.ts';
import { Headers } from '../http/headers.ts';
import { upstreamOverrides } from '../filter-state/upstream.ts';
import { trackedBy, type Tracked } from '../telemetry/tracked.ts';
import type { TlsContexts } from '../tls/context.ts';
import type { LbContext, RequestHead, UpstreamCluster, UpstreamHost } from '../types.ts';
import { ClusterCircuitBreaker } from './circuit-breaker.ts';
import { ClusterHost } from './host.ts';
import { FAILED_BY_EDS, withThoseThatPass } from './kept-hosts.ts';
import { namedFor } from './named-for.ts';
import { NamedHost } from './named-host.ts';
import { heaviestOfLast, prioritiesOf, updatedPriorities } from './assignment.ts';
import { hostKey, localityKey, priorities } from './priorities.ts';
import type { ClusterDetailStats } from './stats.ts';
import { ClusterTransports, type Transport } from './transport.ts';
import type { PriorityUpdate } from './update-merging.ts';

const NO_REQUEST: RequestHead = { method: '', path: '', authority: '', scheme: '', headers: new Headers() };
/** What comes of their assignments is counted before they are made. */
const ASSIGNED: ReadonlySet<ClusterProgram['type']> = new Set(['STATIC', 'EDS']);
/** Whose endpoints are in the cluster itself: what is not there is known not to be. */
const LISTED: ReadonlySet<ClusterProgram['type']> = new Set(['STATIC', 'STRICT_DNS']);
function keyOf({ endpoint }: ClusterHost): string {
  return hostKey(endpoint);
}

/** What zone-aware routing knows of the cluster that the proxy is part of. */
export type Neighbours = Pick<ZoneOptions, 'local' | 'localPanics' | 'ownLocality'>;

/** A cluster in force. Who finds its endpoints (`discovery`, EDS) tells it through `setEndpoints`. */
export class Cluster implements UpstreamCluster {
  readonly name: string;
  readonly program: ClusterProgram;
  readonly deps: Deps;
  readonly stats: ClusterDetailStats;
  readonly tracked: Tracked | undefined;
  readonly http: ClusterProgram['http'];
  readonly maintenance: ClusterProgram['maintenance'];
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  readonly maxRequestsPerConnection: number;
  readonly maxConnectionDuration: number;
  readonly preconnectRatio: number;
  readonly limits: { readonly DEFAULT: ClusterCircuitBreaker; readonly HIGH: ClusterCircuitBreaker };
  readonly #transports: ClusterTransports;
  /** Connections depend on the request they are for. */
  readonly #perRequest: boolean;
  #endpoints: EndpointsProgram | undefined;
  #hosts = new Map<string, ClusterHost>();
  /** As far as changes have taken effect. */
  #priorities: readonly PriorityHosts[] = [];
  #picker: Picker = nobodyPicker;
  /** Made when a request names its host. */
  #byAddress: Map<string, ClusterHost> | undefined;
  /** Counts the changes of hosts and of their health. */
  version = 0;
  readonly statName: string;
  /** What outlier detection last found, where there is one. */
  outliers: SuccessRates | undefined = undefined;
  /** Where connections come from when the cluster says nothing of it. */
  defaultSources: SourceAddresses | undefined = undefined;
  /** Who knows its names when the cluster says nothing of it. */
  defaultDnsServers: DnsProgram['servers'] = undefined;
  /** What the proxy says of itself to hosts that agree to hear it. */
  peerExchange: ExchangeProgram | undefined = undefined;
  /** The zone that the proxy is in; '': not known. */
  ownZone = '';
  /** For zone-aware routing. */
  neighbours: ((panicThreshold: number) => Neighbours | undefined) | undefined = undefined;
  /** Told which priorities change, before they do, and whether by one assignment. */
  onUpdates: ((updates: readonly PriorityUpdate[], together: boolean) => void) | undefined = undefined;
  /** Whether changes of a priority are yet to take effect. */
  waits: ((priority: number) => boolean) | undefined = undefined;
  /** How many priorities there have been at a time. */
  priorityCount = 1;
  subsetWatch = new SubsetWatch();
  #hadHosts = false;
  #closed = false;
  readonly #watchers = new Set<() => void>();

  constructor(program: ClusterProgram, contexts: TlsContexts, stats: ClusterDetailStats, deps: Deps) {
    this.name = program.name;
    this.program = program;
    this.deps = deps;
    this.stats = stats;
    this.tracked = trackedBy(program.tracking, stats);
    this.http = program.http;
    this.statName = program.statName;
    this.maintenance = program.maintenance;
    this.connectTimeout = program.connectTimeout;
    this.idleTimeout = program.http.idleTimeout;
    this.maxRequestsPerConnection = program.http.maxRequestsPerConnection;
    this.maxConnectionDuration = program.http.maxConnectionDuration;
    this.preconnectRatio = program.preconnectRatio;
    this.limits = {
      DEFAULT: new ClusterCircuitBreaker(program.thresholds.DEFAULT, deps.clock),
      HIGH: new ClusterCircuitBreaker(program.thresholds.HIGH, deps.clock),
    };
    this.#transports = new ClusterTransports(program, contexts, deps.clock, stats.ssl);
    const { autoSni, autoSanValidation } = program.http;
    this.#perRequest = autoSni || autoSanValidation || this.#transports.namesClients || program.poolPerConnection;
  }

  /** Endpoints have been told once, be they none. */
  get warm(): boolean {
    return this.#endpoints !== undefined;
  }

  get hashes(): boolean {
    const { policy } = this.program.lb;
    return policy === 'RING_HASH' || policy === 'MAGLEV';
  }

  get metadata(): ClusterProgram['metadata'] {
    return this.program.metadata;
  }

  transportOf(match: JsonObject): Transport {
    return this.#transports.matching(match);
  }

  get hosts(): Iterable<ClusterHost> {
    return this.#hosts.values();
  }

  hostOf(endpoint: EndpointProgram): ClusterHost | undefined {
    return this.#hosts.get(hostKey(endpoint));
  }

  get endpoints(): EndpointsProgram | undefined {
    return this.#endpoints;
  }

  get dropOverload(): number {
    return this.#endpoints?.dropOverload ?? 0;
  }

  /** What reports call those that are dropped by what the assignment says. */
  get dropCategory(): string {
    return this.#endpoints?.dropCategory ?? '';
  }

  choose(given: LbContext): UpstreamHost | null | Promise<UpstreamHost | null> {
    const context = this.program.hashKey === undefined ? given : this.#hashed(this.program.hashKey, given);
    if (context.override !== undefined) {
      const host = this.#named(context.override.address);
      if (host !== null || context.override.strict) return this.underName(host, context);
    }
    if (!this.#perRequest && context.alpn === undefined && upstreamOverrides(context) === undefined)
      return this.#picker.pick(context);
    const avoid = context.avoid?.map((host) => (host instanceof NamedHost ? host.base : host));
    return this.underName(this.#picker.pick({ ...context, avoid }) as ClusterHost | null, context);
  }

  /** A connection without requests is hashed by what the cluster says, too. */
  #hashed(hashKey: NonNullable<ClusterProgram['hashKey']>, context: LbContext): LbContext {
    const { stream } = context;
    if (stream === undefined || stream.request !== undefined) return context;
    return { ...context, hash: hashKey(NO_REQUEST, stream).key };
  }

  hasHost(address: string): boolean {
    return this.#at(address) !== undefined;
  }

  #at(address: string): ClusterHost | undefined {
    this.#byAddress ??= new Map([...this.#hosts.values()].map((host) => [host.authority, host]));
    return this.#byAddress.get(address);
  }

  /** The host of that address, if its health is one that requests may ask for it with. */
  #named(address: string): ClusterHost | null {
    const host = this.#at(address);
    return host !== undefined && this.program.overrideHealth.has(healthOf(host)) ? host : null;
  }

  /** Hosts by priority, as far as they are known. */
  get levels(): readonly PriorityHosts[] {
    const overprovisioningFactor = this.#endpoints?.overprovisioningFactor ?? 140;
    return this.#priorities.map((priority) => ({ ...priority, overprovisioningFactor }));
  }

  /** A host where an aggregate has chosen the priority. */
  chooseAt(level: Level, context: LbContext): UpstreamHost | null {
    if (!this.#perRequest && context.alpn === undefined) return this.#picker.pickAt(level, context);
    const avoid = context.avoid?.map((host) => (host instanceof NamedHost ? host.base : host));
    return this.underName(this.#picker.pickAt(level, { ...context, avoid }) as ClusterHost | null, context);
  }

  /** Called after the hosts or their health changed. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  /**
   * Replaces the endpoints: hosts that stay are the same objects with their connections, those that go are retired. Says
   * whether anything is another now. `said`: somebody has said so, more than that nobody knows of any.
   */
  setEndpoints(given: EndpointsProgram, said = true): boolean {
    if (this.#closed) return false;
    const now = this.deps.clock.now();
    const endpoints = withThoseThatPass(given, this.#endpoints, this.program, this.#hosts);
    const hosts = new Map<string, ClusterHost>();
    const anew = new Set<number>();
    for (const locality of endpoints.localities) {
      const zones = this.ownZone === '' || locality.zone === '' ? undefined : `${this.ownZone}.${locality.zone}`;
      for (const endpoint of locality.endpoints) {
        const key = hostKey(endpoint);
        if (hosts.has(key)) continue;
        const transport = this.#transports.of(endpoint, locality);
        const known = this.#hosts.get(key);
        const place = localityKey(locality);
        if (known !== undefined && known.locality === place && !this.#checkedOtherwise(known, endpoint)) {
          known.describe(endpoint, transport);
          known.zones = zones;
          hosts.set(key, known);
          continue;
        }
        if (!ASSIGNED.has(this.program.type)) {
          const matches = this.stats.transport_matches;
          matches.set(transport.name, (matches.get(transport.name) ?? 0) + 1);
        }
        const host = new ClusterHost(this, endpoint, transport, now);
        host.zones = zones;
        host.locality = place;
        host.failedActiveHc = this.program.healthChecks.length > 0 && !endpoint.healthCheckDisabled;
        host.pendingActiveHc = host.failedActiveHc && this.program.ignoreNewHosts && this.program.type !== 'STATIC';
        hosts.set(key, host);
        if (known !== undefined) anew.add(locality.priority);
      }
    }
    const gone = [...this.#hosts.values()].filter((host) => hosts.get(keyOf(host)) !== host);
    const updates = this.#updates(endpoints, anew);
    const moved = updates.filter(({ membership }) => membership).length;
    this.stats.membership_change += moved;
    this.priorityCount = Math.max(this.priorityCount, prioritiesOf(endpoints));
    if (this.program.type === 'EDS' ? said : this.program.type === 'STRICT_DNS' && hosts.size > 0)
      this.stats.max_host_weight = heaviestOfLast(endpoints, this.priorityCount);
    if (updates.length > 0) this.onUpdates?.(updates, this.program.type === 'EDS');
    this.#endpoints = endpoints;
    this.#hosts = hosts;
    this.#hadHosts ||= hosts.size > 0 || (said && this.program.type === 'EDS') || LISTED.has(this.program.type);
    this.refresh();
    for (const host of gone) host.retire();
    if (moved > 0 && this.program.closeConnectionsOnHostSetChange) for (const host of hosts.values()) host.drainPools();
    return updates.length > 0;
  }

  /** Priorities that change; hosts that are checked elsewhere now (`anew`) come and go. */
  #updates(now: EndpointsProgram, anew: ReadonlySet<number>): PriorityUpdate[] {
    return updatedPriorities(this.#endpoints, now).map(({ priority, membership }) => ({
      priority,
      membership: membership || anew.has(priority),
    }));
  }

  /** A host that was only kept because it passed its checks, and does not any more. */
  drop(host: ClusterHost): void {
    const endpoints = this.#endpoints;
    if (endpoints === undefined || this.#closed) return;
    this.#hosts.delete(keyOf(host));
    this.stats.membership_change++;
    const left = endpoints.localities.find((locality) => locality.endpoints.includes(host.endpoint))?.priority;
    this.#updateAll(left);
    this.#endpoints = {
      ...endpoints,
      localities: endpoints.localities.map((locality) => ({
        ...locality,
        endpoints: locality.endpoints.filter((endpoint) => endpoint !== host.endpoint),
      })),
    };
    this.refresh();
    host.retire();
  }

  /** A host whose health is asked for elsewhere than before, or is not any more, begins anew. */
  #checkedOtherwise({ endpoint: before }: ClusterHost, now: EndpointProgram): boolean {
    const [from, to] = [before.healthCheckAddress, now.healthCheckAddress];
    return (
      this.program.healthChecks.length > 0 &&
      (from?.address !== to?.address ||
        from?.port !== to?.port ||
        before.healthCheckDisabled !== now.healthCheckDisabled)
    );
  }

  /** The health of a host changed. */
  healthChanged(): void {
    this.#updateAll(undefined);
    this.refresh();
  }

  /** As Envoy has it, a change of health is one of all priorities, of which one may have lost a host. */
  #updateAll(left: number | undefined): void {
    this.onUpdates?.(
      Array.from({ length: this.priorityCount }, (_, priority) => ({ priority, membership: priority === left })),
      false,
    );
  }

  /** Makes the picker anew. */
  refresh(): void {
    if (this.#endpoints === undefined) return;
    // As in Envoy, who has had hosts, or an assignment of none, panics without them, and who never had any does not.
    const now = priorities(this.#endpoints, this.#hosts, this.#hadHosts ? this.priorityCount : 0);
    this.#priorities = now.map((each, i) => (this.waits?.(i) === true ? (this.#priorities[i] ?? each) : each));
    this.#picker = this.#makePicker(this.#endpoints);
    this.#byAddress = undefined;
    this.version++;
    this.stats.membership_total = this.#hosts.size;
    this.stats.membership_healthy = now.reduce((sum, { healthy }) => sum + healthy.length, 0);
    this.stats.membership_excluded = now.reduce((sum, { excluded }) => sum + excluded, 0);
    this.stats.membership_degraded = now.reduce((sum, { degraded }) => sum + degraded.length, 0);
    for (const watcher of this.#watchers) watcher();
  }

  protected underName(host: ClusterHost | null, context: LbContext): UpstreamHost | null {
    const asItIs = !this.#perRequest && context.alpn === undefined && upstreamOverrides(context) === undefined;
    return host === null || asItIs ? host : namedFor(context, host);
  }

  /** How the healthy hosts of the first priority are spread over localities. */
  firstPriority(panicThreshold: number): Omit<Neighbours, 'ownLocality'> {
    const first = this.#priorities[0];
    if (first === undefined) return { local: [], localPanics: false };
    return {
      local: first.localities
        .filter(({ hosts }) => hosts.length > 0)
        .map(({ key, healthy }) => ({
          locality: key,
          healthy: healthy.length,
          weight: healthy.reduce((sum, { weight }) => sum + weight, 0),
        })),
      localPanics: inPanic(first, panicThreshold),
    };
  }

  #zone(): ZoneOptions | undefined {
    const { zoneAware, panicThreshold } = this.program;
    const neighbours = this.neighbours?.(panicThreshold);
    if (neighbours === undefined) return undefined;
    return { ...neighbours, program: zoneAware, stats: this.stats };
  }

  #makePicker(endpoints: EndpointsProgram): Picker {
    const { program } = this;
    const options: PickerOptions = {
      lb: program.lb,
      localityWeighted: program.localityWeighted,
      panicThreshold: program.panicThreshold,
      overprovisioningFactor: endpoints.overprovisioningFactor,
      weightedPriorityHealth: endpoints.weightedPriorityHealth,
      boundedLoad: { hashBalanceFactor: program.hashBalanceFactor, active: () => this.stats.upstream_rq_active },
      zone: this.#zone(),
      failOnPanic: program.zoneAware.failOnPanic,
      onPanic: () => this.stats.lb_healthy_panic++,
      onSpread: (spread) => (this.stats.lb_spread = spread),
    };
    const picker = this.#balancer(options);
    if (program.overrides === undefined) return picker;
    const named = new Map([...this.#hosts.values()].map((host) => [host.authority, host]));
    return overridePicker(program.overrides, named, picker);
  }

  #countSubsets(subsets: SubsetProgram): void {
    const { stats } = this;
    const hosts = Array.from(this.#hosts.values(), ({ endpoint }) => endpoint);
    const metadata = hosts.map((host) => host.metadata?.['envoy.lb']);
    stats.lb_subsets_single_host_per_subset_duplicate = countDuplicates(metadata, subsets);
    this.subsetWatch.take(hosts, this.program, stats);
  }

  #balancer(options: PickerOptions): Picker {
    const { program, deps } = this;
    if (program.subsets === undefined) return makePicker(this.#priorities, options, deps);
    const metadataOf = (host: BalancedHost): JsonObject | undefined =>
      (host as ClusterHost).endpoint.metadata?.['envoy.lb'];
    const make = (narrowed: readonly PriorityHosts[]): Picker => makePicker(narrowed, options, deps);
    this.#countSubsets(program.subsets);
    return subsetPicker(this.#priorities, program.subsets, metadataOf, make, this.stats);
  }

  /** Removed or replaced: nothing new is opened, what is under way may finish. */
  close(): void {
    this.#closed = true;
    for (const host of this.#hosts.values()) host.retire();
  }
}

/** Checks come before what was said of the host. */
function healthOf(host: ClusterHost): EndpointProgram['health'] {
  if (host.failedActiveHc || host.ejected) return 'UNHEALTHY';
  const { health } = host.endpoint;
  if (FAILED_BY_EDS.has(health) || health === 'DRAINING') return health;
  return host.degradedActiveHc || host.degradedByOutlierDetection ? 'DEGRADED' : health;
}

import { isIP } from 'node:net';
import type { Deps, Timer } from '../deps.ts';
import { withCopies } from '../program/endpoints.ts';
import type { DnsProgram, EndpointProgram, EndpointsProgram } from '../program/types.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterDetailStats } from './stats.ts';

/** Stops a discovery. */
export interface Discovery {
  stop(): void;
}

/**
 * STRICT_DNS and LOGICAL_DNS: resolves the names of a cluster's endpoints again and again. Strict: every address is a
 * host, and a name that is gone has none; logical: all addresses are those of one host, and of a name that is gone they
 * stay. A name that cannot be resolved keeps the addresses it had.
 */
export function discoverByDns(cluster: Cluster, deps: Deps): Discovery {
  const { endpoints, dns, type } = cluster.program;
  if (endpoints === undefined) throw new Error(`cluster ${cluster.name} has no endpoints to resolve`);
  const asked = { ...dns, servers: dns.servers ?? cluster.defaultDnsServers };
  const names = new Map<string, NameWatch>();
  const publish = (): void => {
    if (names.size === 0 || [...names.values()].some(({ answered }) => answered))
      cluster.setEndpoints(resolved(endpoints, names, type === 'LOGICAL_DNS'));
  };
  for (const endpoint of endpoints.localities.flatMap((locality) => locality.endpoints)) {
    const { address } = endpoint;
    if (address.kind !== 'socket' || names.has(address.address)) continue;
    const watch = new NameWatch(address.address, asked, type === 'LOGICAL_DNS', deps, cluster.stats, publish);
    names.set(address.address, watch);
  }
  for (const watch of names.values()) watch.start();
  publish();
  return {
    stop: () => {
      for (const watch of names.values()) watch.stop();
    },
  };
}

function resolved(
  endpoints: EndpointsProgram,
  names: ReadonlyMap<string, NameWatch>,
  logical: boolean,
): EndpointsProgram {
  const expand = (endpoint: EndpointProgram): readonly EndpointProgram[] => {
    const { address } = endpoint;
    const watch = address.kind === 'socket' ? names.get(address.address) : undefined;
    if (address.kind !== 'socket' || watch === undefined) return [endpoint];
    const hostname = endpoint.hostname === '' ? address.address : endpoint.hostname;
    const at = (found: string): EndpointProgram => ({ ...endpoint, hostname, address: { ...address, address: found } });
    if (!logical) return watch.addresses.map(at);
    const [first, ...others] = watch.addresses;
    if (first === undefined) return [];
    return [{ ...at(first), additionalAddresses: others.map((other) => ({ address: other, port: address.port })) }];
  };
  return withCopies({
    ...endpoints,
    localities: endpoints.localities.map((locality) => ({
      ...locality,
      endpoints: locality.endpoints.flatMap(expand),
    })),
  });
}

type UpdateStats = Pick<
  ClusterDetailStats,
  'update_attempt' | 'update_success' | 'update_failure' | 'update_no_rebuild' | 'max_host_weight'
>;

/** One name, resolved every so often. */
class NameWatch {
  addresses: readonly string[] = [];
  answered = false;
  #timer: Timer | undefined;
  #failures = 0;
  #stopped = false;
  readonly #name: string;
  readonly #dns: DnsProgram;
  readonly #logical: boolean;
  readonly #deps: Deps;
  readonly #stats: UpdateStats;
  readonly #onChange: () => void;

  constructor(name: string, dns: DnsProgram, logical: boolean, deps: Deps, stats: UpdateStats, onChange: () => void) {
    this.#name = name;
    this.#dns = dns;
    this.#logical = logical;
    this.#deps = deps;
    this.#stats = stats;
    this.#onChange = onChange;
  }

  start(): void {
    this.#stats.update_attempt++;
    if (isIP(this.#name) !== 0) {
      this.#take([this.#name], undefined);
      return;
    }
    resolveAddresses(this.#name, this.#dns, this.#deps).then(
      ({ addresses, ttl }) => this.#take(addresses, ttl),
      () => this.#failed(),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #take(addresses: readonly string[], ttl: number | undefined): void {
    if (this.#stopped) return;
    if (this.#logical && addresses.length === 0) return this.#failed();
    this.#failures = 0;
    this.#stats.update_success++;
    const changed = !this.answered || !this.#same(addresses);
    this.answered = true;
    const nobody = this.addresses.length === 0;
    if (changed) this.addresses = this.#logical ? addresses : addresses.toSorted();
    if (!changed || (!this.#logical && addresses.length === 0 && nobody)) this.#stats.update_no_rebuild++;
    if (!this.#logical) this.#stats.max_host_weight ||= 1;
    const rate = this.#dns.respectTtl && ttl !== undefined && ttl > 0 ? ttl * 1000 : this.#dns.refreshRate;
    this.#again(rate + this.#deps.random.float() * this.#dns.jitter);
    if (changed) this.#onChange();
  }

  /** Order says nothing but which address is the first of a logical host. */
  #same(addresses: readonly string[]): boolean {
    const before = this.addresses;
    if (addresses.length !== before.length) return false;
    return addresses.every((address, i) => (this.#logical ? before[i] === address : before.includes(address)));
  }

  #failed(): void {
    if (this.#stopped) return;
    this.#stats.update_failure++;
    const { failureBacksOff, failureBase, failureMax } = this.#dns;
    const limit = Math.min(failureMax, failureBase * 2 ** Math.min(this.#failures++, 20));
    this.#again(failureBacksOff ? Math.max(1, limit * this.#deps.random.float()) : failureBase);
    if (this.answered) return;
    this.answered = true;
    this.#onChange();
  }

  #again(ms: number): void {
    this.#timer = this.#deps.clock.after(ms, () => this.start());
  }
}

/** In the order of the answer, each once; `ttl` is the shortest, in seconds. */
export async function resolveAddresses(
  name: string,
  { family, servers }: Pick<DnsProgram, 'family' | 'servers'>,
  deps: Deps,
): Promise<{ readonly addresses: readonly string[]; readonly ttl: number | undefined }> {
  const wanted = family === 'V4_ONLY' ? 4 : family === 'V6_ONLY' ? 6 : 0;
  const found = await deps.net.lookup(name, wanted, servers === 'system' ? undefined : servers);
  const four = found.filter(({ address }) => isIP(address) === 4);
  const six = found.filter(({ address }) => isIP(address) === 6);
  const chosen =
    family === 'ALL'
      ? [...four, ...six]
      : family === 'V4_PREFERRED' || family === 'V4_ONLY'
        ? four.length > 0
          ? four
          : six
        : six.length > 0
          ? six
          : four;
  const ttls = chosen.flatMap(({ ttl }) => (ttl === undefined ? [] : [ttl]));
  return {
    addresses: [...new Set(chosen.map(({ address }) => address))],
    ttl: ttls.length === 0 ? undefined : Math.min(...ttls),
  };
}

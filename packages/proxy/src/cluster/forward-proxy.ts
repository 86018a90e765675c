import { isIP } from 'node:net';
import { filterStateOf } from '../filter-state/state.ts';
import type { EndpointProgram } from '../program/types.ts';
import type { LbContext, UpstreamHost } from '../types.ts';
import { Cluster } from './cluster.ts';
import { resolveAddresses } from './dns.ts';

interface Known {
  readonly endpoint: EndpointProgram;
  usedAt: number;
  resolvedAt: number;
}

/**
 * A dynamic forward proxy: the host is whatever the request names, resolved when first asked for and again when it got
 * old. An address that is an address already needs no resolving.
 */
export class ForwardProxyCluster extends Cluster {
  readonly resolvesNames = true;
  readonly #known = new Map<string, Known>();
  readonly #pending = new Map<string, Promise<UpstreamHost | null>>();

  override choose(context: LbContext): UpstreamHost | null | Promise<UpstreamHost | null> {
    const key = nameOf(context).toLowerCase();
    const known = this.#known.get(key);
    if (known === undefined) return this.#pending.get(key) ?? this.#resolve(key, context);
    const now = this.deps.clock.now();
    known.usedAt = now;
    if (
      now - known.resolvedAt > this.program.dns.refreshRate &&
      isIP(known.endpoint.hostname) === 0 &&
      !this.#pending.has(key)
    ) {
      void this.#resolve(key, context);
    }
    return this.#host(known, context);
  }

  #host(known: Known, context: LbContext): UpstreamHost | null {
    return this.underName(this.hostOf(known.endpoint) ?? null, context);
  }

  #resolve(key: string, context: LbContext): Promise<UpstreamHost | null> | UpstreamHost | null {
    const target = splitAuthority(key);
    if (target === undefined) return null;
    const { host, port } = target;
    if (isIP(host) !== 0) return this.#learn(key, host, host, port, context);
    if (this.#known.size >= this.program.dns.maxHosts) return null;
    const pending = resolveAddresses(host, this.program.dns.family, this.deps).then(
      ({ addresses }) => {
        this.#pending.delete(key);
        const [address] = addresses;
        return address === undefined ? null : this.#learn(key, host, address, port, context);
      },
      () => {
        this.#pending.delete(key);
        this.stats.update_failure++;
        return null;
      },
    );
    this.#pending.set(key, pending);
    return pending;
  }

  #learn(key: string, hostname: string, address: string, port: number, context: LbContext): UpstreamHost | null {
    const now = this.deps.clock.now();
    const before = this.#known.get(key)?.endpoint;
    const same = before?.address.kind === 'socket' && before.address.address === address;
    const endpoint: EndpointProgram = same ? before : newEndpoint(hostname, address, port);
    this.#known.set(key, { endpoint, usedAt: this.#known.get(key)?.usedAt ?? now, resolvedAt: now });
    for (const [other, { usedAt }] of this.#known)
      if (now - usedAt > this.program.dns.hostTtl) this.#known.delete(other);
    if (!same) this.#publish();
    return this.#host(this.#known.get(key)!, context);
  }

  #publish(): void {
    this.setEndpoints({
      name: this.name,
      localities: [
        {
          region: '',
          zone: '',
          subZone: '',
          priority: 0,
          weight: undefined,
          endpoints: [...this.#known.values()].map(({ endpoint }) => endpoint),
        },
      ],
      overprovisioningFactor: 140,
      weightedPriorityHealth: false,
      dropOverload: 0,
    });
  }
}

/** The filter state may name the host, and its port, in place of the request. */
function nameOf({ authority, stream }: LbContext): string {
  if (stream === undefined) return authority;
  const { info } = stream;
  if (info.filterState === undefined && info.connection.filterState === undefined) return authority;
  const host = filterStateOf(info, 'envoy.upstream.dynamic_host')?.value ?? authority;
  const port = filterStateOf(info, 'envoy.upstream.dynamic_port')?.value;
  if (port === undefined || port === '0') return host;
  const bare = splitAuthority(host)?.host ?? host;
  return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`;
}

function newEndpoint(hostname: string, address: string, port: number): EndpointProgram {
  return {
    address: { kind: 'socket', address, port, ipv4Compat: false },
    endpointId: '',
    hostname,
    weight: 1,
    health: 'UNKNOWN',
    healthCheckAddress: undefined,
    additionalAddresses: [],
    healthCheckHostname: '',
    healthCheckDisabled: true,
    metadata: undefined,
  };
}

/** Port 80 when none is given, as for a request in clear text. */
function splitAuthority(authority: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority);
  if (match === null) return undefined;
  const port = match[3] === undefined ? 80 : Number(match[3]);
  return port > 65535 ? undefined : { host: (match[1] ?? match[2])!, port };
}

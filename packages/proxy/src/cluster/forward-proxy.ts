import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { filterStateOf } from '../filter-state/state.ts';
import type { EndpointProgram } from '../program/types.ts';
import type { LbContext, UpstreamHost } from '../types.ts';
import { resolveAddresses } from './dns.ts';
import { learnedEndpoint, LearningCluster } from './learned-hosts.ts';

interface Known {
  readonly endpoint: EndpointProgram;
  usedAt: number;
  resolvedAt: number;
}

/**
 * A dynamic forward proxy: the host is whatever the request names, resolved when first asked for and again when it got
 * old. An address that is an address already needs no resolving.
 */
export class ForwardProxyCluster extends LearningCluster<Known> {
  /** Why a request got no host when one last did. */
  noHost: 'unresolved' | 'overflow' = 'unresolved';
  readonly #pending = new Map<string, Promise<UpstreamHost | null>>();

  override choose(context: LbContext): UpstreamHost | null | Promise<UpstreamHost | null> {
    const key = nameOf(context).toLowerCase();
    const known = this.known.get(key);
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
    if (target === undefined) return this.#none('unresolved');
    const { host, port } = target;
    if (!this.known.has(key) && this.#full()) return this.#none('overflow');
    if (isIP(host) !== 0) return this.#learn(key, host, [host], port, context);
    const { family, servers } = this.program.dns;
    const pending = resolveAddresses(host, { family, servers: servers ?? this.defaultDnsServers }, this.deps).then(
      ({ addresses }) => {
        this.#pending.delete(key);
        if (addresses.length > 0) return this.#learn(key, host, addresses, port, context);
        this.stats.update_failure++;
        return this.#none('unresolved');
      },
      () => {
        this.#pending.delete(key);
        this.stats.update_failure++;
        return this.#none('unresolved');
      },
    );
    this.#pending.set(key, pending);
    return pending;
  }

  #learn(
    key: string,
    hostname: string,
    [address = '', ...others]: readonly string[],
    port: number,
    context: LbContext,
  ): UpstreamHost | null {
    const now = this.deps.clock.now();
    const before = this.known.get(key);
    const found = learnedEndpoint(hostname, address, port, others);
    const same = before !== undefined && isDeepStrictEqual(before.endpoint, found);
    const endpoint = same ? before.endpoint : found;
    const known: Known = { endpoint, usedAt: before?.usedAt ?? now, resolvedAt: now };
    this.known.set(key, known);
    if (this.#forget(key) || !same) this.publish();
    return this.#host(known, context);
  }

  #none(why: ForwardProxyCluster['noHost']): null {
    this.noHost = why;
    return null;
  }

  /** No other name can be taken, even when those that nobody uses any more are forgotten. */
  #full(): boolean {
    const { maxHosts } = this.program.dns;
    const names = (): number => {
      let count = this.known.size;
      for (const key of this.#pending.keys()) if (!this.known.has(key)) count++;
      return count;
    };
    if (names() < maxHosts) return false;
    if (this.#forget(undefined)) this.publish();
    return names() >= maxHosts;
  }

  /** Forgets all that has not been used for as long as hosts are kept, but for one; says whether there was any. */
  #forget(but: string | undefined): boolean {
    const oldest = this.deps.clock.now() - this.program.dns.hostTtl;
    const before = this.known.size;
    for (const [key, { usedAt }] of this.known) if (usedAt < oldest && key !== but) this.known.delete(key);
    return this.known.size < before;
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

/** Port 80 when none is given, as for a request in clear text. */
function splitAuthority(authority: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority);
  if (match === null) return undefined;
  const port = match[3] === undefined ? 80 : Number(match[3]);
  return port > 65535 ? undefined : { host: (match[1] ?? match[2])!, port };
}

import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { filterStateOf } from '../filter-state/state.ts';
import type { EndpointProgram } from '../program/types.ts';
import type { ForwardProxyFailure, LbContext, NamingContext, UpstreamHost } from '../types.ts';
import { resolveAddresses } from './dns.ts';
import { learnedEndpoint, LearningCluster } from './learned-hosts.ts';

interface Known {
  readonly endpoint: EndpointProgram;
  usedAt: number;
  resolvedAt: number;
  /** Its name is an address. */
  readonly literal: boolean;
}

interface Failed {
  readonly why: ForwardProxyFailure;
  /** Until then it is not asked for again. */
  readonly until: number;
}

const OVERFLOW: ForwardProxyFailure = { details: 'dns_cache_overflow', overflow: true };
/** As the c-ares library words it, which Envoy's logs repeat. */
const MISFORMATTED = { details: 'dns_resolution_failure{cares_failure:Misformatted_domain_name}' };
const NO_RECORDS = { details: 'dns_resolution_failure{cares_norecords:Domain_name_not_found}' };
const SERVER_FAILURE = 'DNS_server_returned_general_failure';
const TEXTS: Readonly<Record<string, string>> = {
  ETIMEOUT: 'Timeout_while_contacting_DNS_servers',
  ECONNREFUSED: 'Could_not_contact_DNS_servers',
  EREFUSED: 'DNS_server_refused_query',
  ENOTIMP: 'DNS_server_does_not_implement_requested_operation',
  EFORMERR: 'DNS_server_claims_query_was_misformatted',
  EBADNAME: 'Misformatted_domain_name',
  EBADRESP: 'Misformatted_DNS_reply',
};

/** Of the cache of names, under Envoy's names. */
export interface DnsCacheStats {
  dns_query_attempt: number;
  dns_query_failure: number;
  dns_query_success: number;
  host_added: number;
  host_address_changed: number;
  host_overflow: number;
  host_removed: number;
}

/**
 * A dynamic forward proxy: the host is whatever the request names, resolved when first asked for and again when it got
 * old. An address that is an address already needs no resolving. A name that was not found is not asked for again at once.
 */
export class ForwardProxyCluster extends LearningCluster<Known> {
  /** Why a request got no host when one last did: what the resolver said of its name, or that there were too many. */
  noHost: ForwardProxyFailure = MISFORMATTED;
  readonly cacheStats: DnsCacheStats = {
    dns_query_attempt: 0,
    dns_query_failure: 0,
    dns_query_success: 0,
    host_added: 0,
    host_address_changed: 0,
    host_overflow: 0,
    host_removed: 0,
  };
  readonly #pending = new Map<string, Promise<Known | ForwardProxyFailure>>();
  readonly #failed = new Map<string, Failed>();

  /** Names in the cache, found or not. */
  get nameCount(): number {
    let count = this.known.size + this.#failed.size;
    for (const key of this.#pending.keys()) if (!this.#has(key)) count++;
    return count;
  }

  override choose(context: LbContext): UpstreamHost | null | Promise<UpstreamHost | null> {
    const found = this.#look(nameOf(context, true));
    return found instanceof Promise ? found.then((known) => this.#given(known, context)) : this.#given(found, context);
  }

  /** Has the name of a request resolved before it is asked for a host of it. Undefined: there are addresses. */
  lookUp(
    context: NamingContext,
    byFilterState: boolean,
  ): ForwardProxyFailure | undefined | Promise<ForwardProxyFailure | undefined> {
    const found = this.#look(nameOf(context, byFilterState));
    return found instanceof Promise ? found.then(failureOf) : failureOf(found);
  }

  #look(name: string): Known | ForwardProxyFailure | Promise<Known | ForwardProxyFailure> {
    const now = this.deps.clock.now();
    // Names that are known have a port.
    const key = this.known.has(name) ? name : this.#withPort(name);
    const known = this.known.get(key);
    if (known === undefined) {
      const failed = this.#failed.get(key);
      if (failed !== undefined && now < failed.until) return failed.why;
      return this.#pending.get(key) ?? this.#resolve(key);
    }
    known.usedAt = now;
    if (now - known.resolvedAt > this.program.dns.refreshRate && !known.literal && !this.#pending.has(key)) {
      void this.#resolve(key);
    }
    return known;
  }

  #given(found: Known | ForwardProxyFailure, context: LbContext): UpstreamHost | null {
    if (isFailure(found)) {
      this.noHost = found;
      return null;
    }
    return this.underName(this.hostOf(found.endpoint) ?? null, context);
  }

  #has(key: string): boolean {
    return this.known.has(key) || this.#failed.has(key);
  }

  #resolve(key: string): Promise<Known | ForwardProxyFailure> | Known | ForwardProxyFailure {
    const stats = this.cacheStats;
    if (!this.#has(key)) {
      if (this.#full()) {
        stats.host_overflow++;
        return OVERFLOW;
      }
      stats.host_added++;
    }
    stats.dns_query_attempt++;
    const target = splitAuthority(key);
    if (target === undefined) return this.#fail(key, MISFORMATTED);
    const { host, port } = target;
    const { family, servers } = this.program.dns;
    const literal = isIP(host);
    if (literal !== 0) {
      const other = family === 'V4_ONLY' ? 6 : family === 'V6_ONLY' ? 4 : 0;
      return literal === other ? this.#fail(key, MISFORMATTED) : this.#learn(key, [host], port);
    }
    const pending = resolveAddresses(host, { family, servers: servers ?? this.defaultDnsServers }, this.deps).then(
      ({ addresses }) => {
        this.#pending.delete(key);
        return addresses.length > 0 ? this.#learn(key, addresses, port) : this.#fail(key, NO_RECORDS);
      },
      (error: NodeJS.ErrnoException) => {
        this.#pending.delete(key);
        return this.#fail(key, {
          details: `dns_resolution_failure{cares_failure:${TEXTS[error.code ?? ''] ?? SERVER_FAILURE}}`,
        });
      },
    );
    this.#pending.set(key, pending);
    return pending;
  }

  #learn(key: string, [address = '', ...others]: readonly string[], port: number): Known {
    const now = this.deps.clock.now();
    const before = this.known.get(key);
    const found = learnedEndpoint(key, address, port, others);
    const same = before !== undefined && isDeepStrictEqual(before.endpoint, found);
    const endpoint = same ? before.endpoint : found;
    const known: Known = {
      endpoint,
      usedAt: before?.usedAt ?? now,
      resolvedAt: now,
      literal: isIP(splitAuthority(key)?.host ?? '') !== 0,
    };
    this.cacheStats.dns_query_success++;
    if (!same) this.cacheStats.host_address_changed++;
    this.#failed.delete(key);
    this.known.set(key, known);
    if (this.#forget(key) || !same) this.publish();
    return known;
  }

  /** A name that was known keeps its addresses. */
  #fail(key: string, why: ForwardProxyFailure): ForwardProxyFailure {
    const { refreshRate, failureBase } = this.program.dns;
    // That there is nothing is an answer, too.
    if (why === NO_RECORDS) this.cacheStats.dns_query_success++;
    else this.cacheStats.dns_query_failure++;
    const until = this.deps.clock.now() + (why === NO_RECORDS ? refreshRate : failureBase);
    if (!this.known.has(key)) this.#failed.set(key, { why, until });
    return why;
  }

  /** With the port of its scheme when it names none. */
  #withPort(authority: string): string {
    if (authority === '' || /:\d{1,5}$/.test(authority.slice(authority.lastIndexOf(']') + 1))) return authority;
    return `${authority}:${this.program.transport.kind === 'tls' ? 443 : 80}`;
  }

  /** No other name can be taken, even when those that nobody uses any more are forgotten. */
  #full(): boolean {
    const { maxHosts } = this.program.dns;
    if (this.nameCount < maxHosts) return false;
    if (this.#forget(undefined)) this.publish();
    return this.nameCount >= maxHosts;
  }

  /** Forgets all that has not been used for as long as hosts are kept, but for one; says whether that had addresses. */
  #forget(but: string | undefined): boolean {
    const now = this.deps.clock.now();
    const oldest = now - this.program.dns.hostTtl;
    const before = this.known.size;
    const names = before + this.#failed.size;
    for (const [key, { usedAt }] of this.known) if (usedAt < oldest && key !== but) this.known.delete(key);
    for (const [key, { until }] of this.#failed) if (until <= now) this.#failed.delete(key);
    this.cacheStats.host_removed += names - this.known.size - this.#failed.size;
    return this.known.size < before;
  }
}

function isFailure(found: Known | ForwardProxyFailure): found is ForwardProxyFailure {
  return 'details' in found;
}

function failureOf(found: Known | ForwardProxyFailure): ForwardProxyFailure | undefined {
  return isFailure(found) ? found : undefined;
}

/** The filter state may name the host, and its port, in place of the request. */
function nameOf({ authority, stream }: NamingContext, byFilterState: boolean): string {
  if (stream === undefined || !byFilterState) return authority;
  const { info } = stream;
  if (info.filterState === undefined && info.connection.filterState === undefined) return authority;
  const host = filterStateOf(info, 'envoy.upstream.dynamic_host')?.value ?? authority;
  const port = filterStateOf(info, 'envoy.upstream.dynamic_port')?.value;
  if (port === undefined || port === '0') return host;
  const bare = splitAuthority(host)?.host ?? host.replaceAll(/[[\]]/g, '');
  return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`;
}

function splitAuthority(authority: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(authority);
  if (match === null) return undefined;
  const port = Number(match[3]);
  return port > 65535 ? undefined : { host: (match[1] ?? match[2])!, port };
}

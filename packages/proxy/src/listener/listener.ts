import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { openLogs, type AccessLogger } from '../telemetry/open-logs.ts';
import { keepAlive } from '../keepalive.ts';
import type { AddressProgram, FilterChainProgram, KeepaliveProgram, ListenerProgram } from '../program/types.ts';
import { ResponseFlag, type ConnectionInfo } from '../types.ts';
import { Binding, type BindFailure } from './binding.ts';
import { ConnectionLog } from './connection-log.ts';
import { ChainRuntime, type PlainInfo } from './chain.ts';
import { CHAIN_GONE, LISTENER_GONE } from './connections.ts';
import { atOnce, drainDecision, type DrainDecision, type DrainPolicy } from './drain.ts';
import { inspect, newInspection, type Inspection, type Step } from './inspect.ts';
import type { HandedOver, ListenerServices, ListenerStats } from './services.ts';
import { leaveUnread } from './splice.ts';
import { stepOf } from './steps.ts';

export interface ListenerEvents {
  onBound(): void;
  onBindFailure(failure: BindFailure): void;
}

/** What a connection's addresses are: read off its socket, or told by whoever handed it over. */
type Addresses = HandedOver;

const NOTHING_SEEN: Inspection = newInspection();
const NO_STEPS: readonly Step[] = [];

/**
 * A listener in force. Its configuration is replaced in place: sockets whose address stays keep listening, filter chains
 * that did not change keep their connections, and the connections of those that did are drained.
 */
export class Listener {
  readonly name: string;
  readonly #services: ListenerServices;
  readonly #events: ListenerEvents;
  /** Connections count where they were accepted. */
  #stats!: ListenerStats;
  #program: ListenerProgram;
  #loggers: readonly AccessLogger[] = [];
  #steps: readonly Step[] = NO_STEPS;
  /** The configuration of some listener filter has not come. */
  #lacksFilter = false;
  /** Connections, those that filters still look at included. */
  #open = 0;
  #chains = new Map<FilterChainProgram, ChainRuntime>();
  /** What connections know of the listener's own metadata. */
  get #configured(): Pick<ConnectionInfo, 'configured'> {
    const { metadata } = this.#program;
    return metadata === undefined ? {} : { configured: { listener: metadata, chain: undefined } };
  }
  readonly #bindings = new Map<string, Binding>();
  readonly #keepalives = new Map<string, KeepaliveProgram>();
  readonly #policy: DrainPolicy;
  #stopped = false;
  #announced = false;

  /** `chainKeys` gives for every chain, by its place, a text that changes with its configuration; -1 for the default. */
  constructor(
    program: ListenerProgram,
    chainKeys: ReadonlyMap<number, string>,
    services: ListenerServices,
    events: ListenerEvents,
    policy: DrainPolicy,
  ) {
    this.name = program.name;
    this.#services = services;
    this.#events = events;
    this.#program = program;
    this.#policy = policy;
    this.update(program, chainKeys);
  }

  get program(): ListenerProgram {
    return this.#program;
  }

  /** Every socket listens. Listeners without sockets always do. */
  get bound(): boolean {
    return [...this.#bindings.values()].every(({ bound }) => bound);
  }

  get bindings(): Iterable<Binding> {
    return this.#bindings.values();
  }

  get activeConnections(): number {
    return this.#stats.downstream_cx_active;
  }

  /** `inPlace`: only filter chains change. Returns how many of them go. */
  update(program: ListenerProgram, chainKeys: ReadonlyMap<number, string>, inPlace = true): number {
    const { name, statPrefix, direction: ofTraffic } = program;
    this.#stats = this.#services.stats.listener(statPrefix === '' ? name : statPrefix, ofTraffic);
    const before = new Map([...this.#chains.values()].map((chain) => [chain.key, chain]));
    const chains = new Map<FilterChainProgram, ChainRuntime>();
    for (const chain of [...program.chains, ...(program.defaultChain === undefined ? [] : [program.defaultChain])]) {
      const { direction, drainType, perConnectionBufferLimit } = program;
      const key = `${direction} ${drainType} ${perConnectionBufferLimit} ${chainKeys.get(chain.index) ?? ''}`;
      chains.set(chain, before.get(key) ?? new ChainRuntime(key, chain, program, this.#services, this.#stats));
      before.delete(key);
    }
    this.#program = program;
    this.#chains = chains;
    this.#takeFilters();
    this.#loggers = openLogs(program.accessLogs, this.#services.accessLog);
    this.#bind();
    if (before.size === 0) return 0;
    const decision = this.#decision();
    const { time } = this.#policy;
    for (const chain of before.values())
      void this.#drain(chain, decision, time, time, inPlace ? CHAIN_GONE : LISTENER_GONE);
    return before.size;
  }

  /** Goes on with a program of the same configuration, of which only what filters discovered is different. */
  adopt(program: ListenerProgram): void {
    const byIndex = new Map([...this.#chains.values()].map((chain) => [chain.index, chain]));
    const chains = new Map<FilterChainProgram, ChainRuntime>();
    for (const chain of [...program.chains, ...(program.defaultChain === undefined ? [] : [program.defaultChain])]) {
      const runtime = byIndex.get(chain.index)!;
      runtime.adopt(chain);
      chains.set(chain, runtime);
    }
    this.#program = program;
    this.#chains = chains;
    this.#takeFilters();
  }

  #takeFilters(): void {
    const { listenerFilters } = this.#program;
    this.#steps = listenerFilters.flatMap((filter) => stepOf(filter) ?? []);
    this.#lacksFilter = listenerFilters.some(({ kind }) => kind === 'missing');
  }

  /** Takes over a connection that was accepted elsewhere in this proxy. */
  acceptInternal(socket: Socket | TLSSocket, from: ConnectionInfo): void {
    this.#accept(socket, this.#meant(from));
  }

  /** With `original_dst` a connection from within has the addresses that the filter state says. */
  #meant(from: ConnectionInfo): ConnectionInfo {
    if (from.filterState === undefined) return from;
    if (!this.#program.listenerFilters.some(({ kind }) => kind === 'original_dst')) return from;
    const local = from.filterState.get('envoy.filters.listener.original_dst.local_ip')?.fields;
    const remote = from.filterState.get('envoy.filters.listener.original_dst.remote_ip')?.fields;
    return {
      ...from,
      ...(local === undefined ? {} : { localAddress: String(local['ip']), localPort: Number(local['port']) }),
      ...(remote === undefined
        ? {}
        : { directRemoteAddress: String(remote['ip']), remotePort: Number(remote['port']) }),
    };
  }

  /** As if it were gone: stops listening, and brings connections to an end as the drain policy says. */
  remove(): void {
    const { time } = this.#policy;
    void this.stop(time, time, this.#decision());
  }

  /** Stops listening, lets connections finish for up to `drainMs` (idle ones for up to `idleMs`), then ends them. */
  async stop(drainMs: number, idleMs: number, decision = atOnce): Promise<void> {
    for (const binding of this.#bindings.values()) binding.close();
    this.#bindings.clear();
    await Promise.all(
      [...this.#chains.values()].map((chain) => this.#drain(chain, decision, idleMs, drainMs, LISTENER_GONE)),
    );
  }

  /** Takes no further connections; those there are go on as they are. False: it had stopped before. */
  stopListening(): boolean {
    if (this.#stopped) return false;
    this.#stopped = true;
    for (const binding of this.#bindings.values()) binding.close();
    return true;
  }

  announceDrain(): void {
    if (this.#announced) return;
    this.#announced = true;
    const decision = this.#decision();
    for (const chain of this.#chains.values()) chain.connections.announceDrain(decision);
  }

  #decision(): DrainDecision {
    return drainDecision(this.#policy, this.#services.deps);
  }

  #drain(chain: ChainRuntime, decision: DrainDecision, idleMs: number, ms: number, why: string): Promise<void> {
    return new Promise((done) => chain.connections.drain(decision, idleMs, ms, this.#services.deps.clock, done, why));
  }

  #bind(): void {
    const wanted = new Map<string, AddressProgram>();
    if (this.#program.bindToPort) {
      const { address: first, additionalAddresses, keepalives } = this.#program;
      this.#keepalives.clear();
      for (const [i, address] of [first, ...additionalAddresses].entries()) {
        if (address.kind === 'internal') continue;
        const key = JSON.stringify(address);
        wanted.set(key, address);
        const keepalive = keepalives[i];
        if (keepalive !== undefined && address.kind === 'socket') this.#keepalives.set(key, keepalive);
      }
    }
    for (const [key, binding] of this.#bindings) {
      if (wanted.has(key)) continue;
      binding.close();
      this.#bindings.delete(key);
    }
    for (const [key, address] of wanted) {
      if (this.#bindings.has(key) || address.kind === 'internal') continue;
      const target =
        address.kind === 'socket'
          ? { address: address.address, port: address.port, mode: 0, backlog: this.#program.backlog }
          : { address: address.path, port: undefined, mode: address.mode, backlog: this.#program.backlog };
      const { clock } = this.#services.deps;
      const pipe = address.kind === 'pipe' ? { pipe: address.path } : undefined;
      this.#bindings.set(
        key,
        new Binding(
          target,
          clock,
          (socket) => {
            const keepalive = this.#keepalives.get(key);
            if (keepalive !== undefined) keepAlive(socket, keepalive);
            this.#accept(socket, { ...addressesOf(socket), ...pipe });
          },
          () => this.#events.onBound(),
          (failure) => this.#events.onBindFailure(failure),
        ),
      );
    }
  }

  /** Takes a connection whose destination another listener has restored; it is handed on no further. */
  readonly takeOver = (socket: Socket | TLSSocket, ends: HandedOver): void => this.#accept(socket, ends, true);

  #accept(socket: Socket | TLSSocket, addresses: Addresses, handedOver = false): void {
    const { connections } = this.#services;
    // One that comes from this proxy, or from another listener, has been counted.
    const outside = !handedOver && this.#program.address.kind !== 'internal';
    const { unlimited } = this.#program;
    if (outside && !unlimited && connections.reached) {
      this.#stats.downstream_global_cx_overflow++;
      return void socket.destroy();
    }
    const counted = outside && (connections.countsAll || !unlimited);
    if (this.#open >= this.#program.connectionLimit.value) {
      this.#stats.downstream_cx_overflow++;
      return void socket.destroy();
    }
    this.#open++;
    if (counted) connections.active++;
    socket.once('close', () => {
      this.#open--;
      if (counted) connections.active--;
    });
    const info: PlainInfo = {
      id: this.#services.nextConnectionId(),
      ...addresses,
      requestedServerName: '',
      applicationProtocol: '',
      listenerName: this.#program.name,
      ...this.#configured,
    };
    const { accessLogs } = this.#program;
    const log =
      accessLogs.length === 0
        ? undefined
        : new ConnectionLog(socket, { ...info, tls: undefined }, this.#services.deps.clock);
    const stats = this.#stats;
    const pending: Pending = {
      stats,
      socket,
      info,
      log,
      loggers: this.#loggers,
      handedOver,
      state: 'accepted',
      begun: 0,
    };
    socket.on('error', ignore);
    if (this.#lacksFilter) {
      stats.extension_config_missing++;
      this.#watch(pending);
      return void socket.destroy();
    }
    const steps = this.#stepsFor(addresses.localPort);
    if (steps.length === 0) {
      this.#watch(pending);
      return this.#choose(pending, info, NOTHING_SEEN);
    }
    stats.downstream_pre_cx_active++;
    pending.state = 'inspected';
    this.#watch(pending);
    const { listenerFiltersTimeout, continueOnListenerFiltersTimeout } = this.#program;
    const { clock } = this.#services.deps;
    inspect(
      socket,
      steps,
      listenerFiltersTimeout,
      clock,
      (found) => this.#inspected(pending, found),
      (why, found) => {
        switch (why) {
          case 'timeout':
            stats.downstream_pre_cx_timeout++;
            if (continueOnListenerFiltersTimeout) this.#inspected(pending, found);
            else leaveUnread(socket);
            return;
          case 'remote':
            stats.downstream_listener_filter_remote_close++;
            return;
          case 'error':
            stats.downstream_listener_filter_error++;
            return;
          case 'closed':
            if (found.failure !== undefined) log?.fail({ downstreamTransportFailureReason: found.failure });
            if (found.metadata !== undefined && log !== undefined) log.info.dynamicMetadata = { ...found.metadata };
            return;
        }
      },
      true,
    );
  }

  /** Counts and logs what becomes of a connection. */
  #watch(pending: Pending): void {
    pending.socket.once('close', () => {
      if (pending.state === 'inspected') pending.stats.downstream_pre_cx_active--;
      else if (pending.state === 'active') {
        pending.stats.downstream_cx_active--;
        pending.stats.downstream_cx_destroy++;
        const { clock } = this.#services.deps;
        pending.stats.downstream_cx_length_ms.record(Math.trunc(clock.now() - pending.begun));
      } else if (pending.state === 'handed over') return;
      pending.log?.write(pending.loggers);
    });
  }

  /** The filters have seen enough. */
  #inspected(pending: Pending, found: Inspection): void {
    pending.stats.downstream_pre_cx_active--;
    pending.state = 'accepted';
    const { metadata, ja3, ja4, notTls } = found;
    const told = withProxyHeader(pending.info, found);
    const info =
      metadata === undefined && ja3 === undefined && ja4 === undefined
        ? told
        : { ...told, listenerMetadata: metadata, ja3, ja4, notTls };
    if (this.#program.useOriginalDst && !pending.handedOver && destinationChanged(pending.info, info)) {
      const handOver = this.#services.listenerFor(info.localAddress, info.localPort);
      if (handOver !== undefined) {
        pending.state = 'handed over';
        return handOver(pending.socket, info);
      }
    }
    this.#choose(pending, info, found);
  }

  /** What the listener filters look for on connections to that port. */
  #stepsFor(port: number): readonly Step[] {
    const { listenerFilters } = this.#program;
    if (listenerFilters.length === 0) return NO_STEPS;
    if (listenerFilters.every(({ disabled }) => disabled === undefined)) return this.#steps;
    return listenerFilters.flatMap((filter) => (filter.disabled?.(port) === true ? [] : (stepOf(filter) ?? [])));
  }

  #choose(pending: Pending, plain: PlainInfo, { hello, httpProtocol, proxy }: Inspection): void {
    const { socket, log } = pending;
    const info: PlainInfo = {
      ...plain,
      requestedServerName: hello?.serverName ?? '',
      applicationProtocol: httpProtocol,
    };
    if (log !== undefined) {
      log.connection = { ...info, tls: undefined };
      if (info.notTls !== undefined) log.info.downstreamTransportFailureReason = info.notTls;
      if (info.listenerMetadata !== undefined) log.info.dynamicMetadata = { ...info.listenerMetadata };
    }
    const chain = this.#program.selectChain({
      destinationAddress: plain.localAddress,
      destinationPort: plain.localPort,
      sourceAddress: plain.directRemoteAddress,
      sourcePort: plain.remotePort,
      directSourceAddress: plain.socketEnds?.remoteAddress ?? plain.directRemoteAddress,
      serverName: hello?.serverName ?? '',
      transportProtocol: hello === undefined ? 'raw_buffer' : 'tls',
      applicationProtocols: hello?.applicationProtocols ?? (httpProtocol === '' ? [] : [httpProtocol]),
    });
    const runtime = chain === undefined ? undefined : this.#chains.get(chain);
    if (runtime === undefined) {
      pending.stats.no_filter_chain_match++;
      log?.fail({ responseFlags: ResponseFlag.NR, responseCodeDetails: 'filter_chain_not_found' });
      leaveUnread(socket);
      return;
    }
    pending.state = 'active';
    pending.begun = this.#services.deps.clock.now();
    pending.stats.downstream_cx_total++;
    pending.stats.downstream_cx_active++;
    if (log !== undefined) {
      log.begun = true;
      log.dropped = proxy?.header.length ?? 0;
    }
    runtime.accept(socket, info, hello, log);
  }
}

/** A connection on its way to a filter chain. */
interface Pending {
  readonly stats: ListenerStats;
  readonly socket: Socket | TLSSocket;
  readonly info: PlainInfo;
  readonly log: ConnectionLog | undefined;
  readonly loggers: readonly AccessLogger[];
  readonly handedOver: boolean;
  state: 'accepted' | 'inspected' | 'active' | 'handed over';
  /** When it became active. */
  begun: number;
}

/** What a PROXY protocol header said of the connection. */
function withProxyHeader(info: PlainInfo, { proxy }: Inspection): PlainInfo {
  if (proxy === undefined) return info;
  const { source, destination } = proxy.header;
  const { passed } = proxy;
  return {
    ...info,
    proxyTlvs: passed,
    ...(source === undefined || destination === undefined
      ? {}
      : {
          directRemoteAddress: source.address,
          remotePort: source.port,
          localAddress: destination.address,
          localPort: destination.port,
          pipe: undefined,
          socketEnds: info.socketEnds ?? { ...info, remoteAddress: info.directRemoteAddress },
        }),
  };
}

function destinationChanged(before: PlainInfo, after: PlainInfo): boolean {
  return before.localAddress !== after.localAddress || before.localPort !== after.localPort;
}

function addressesOf(socket: Socket): Addresses {
  return {
    directRemoteAddress: plain(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localAddress: plain(socket.localAddress),
    localPort: socket.localPort ?? 0,
  };
}

/** IPv4-mapped IPv6 counts as IPv4. */
function plain(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** A broken connection also closes, which is where it is dealt with. */
function ignore(): void {}

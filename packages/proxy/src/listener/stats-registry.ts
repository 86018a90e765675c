import { RequestGroups } from '../telemetry/request-groups.ts';
import { Histogram } from '../telemetry/histogram.ts';
import { newHcmStats, type CodecStats, type HcmStats } from '../http/runtime.ts';
import { newDownstreamTlsStats } from '../tls/server.ts';
import type { Direction, ListenerStats, ListenerStatsRegistry } from './services.ts';
import { newTcpProxyStats, type TcpProxyStats } from './tcp-runtime.ts';

interface Entry<T> {
  readonly prefix: string;
  readonly direction: Direction;
  readonly stats: T;
}

/** Counters of a proxy's listeners, by stat prefix and direction. */
export class ListenerStatsStore implements ListenerStatsRegistry {
  readonly requestGroups = new RequestGroups();
  readonly codec: CodecStats = {
    dropped_headers_with_underscores: 0,
    requests_rejected_with_underscores_in_headers: 0,
  };
  readonly #hcm = new Map<string, Entry<HcmStats>>();
  readonly #tcp = new Map<string, Entry<TcpProxyStats>>();
  readonly #listeners = new Map<string, Entry<ListenerStats>>();

  hcm(statPrefix: string, direction: Direction): HcmStats {
    return entry(this.#hcm, statPrefix, direction, newHcmStats);
  }

  tcp(statPrefix: string, direction: Direction): TcpProxyStats {
    return entry(this.#tcp, statPrefix, direction, newTcpProxyStats);
  }

  listener(statPrefix: string, direction: Direction): ListenerStats {
    return entry(this.#listeners, statPrefix, direction, newListenerStats);
  }

  allHcm(): Iterable<Entry<HcmStats>> {
    return this.#hcm.values();
  }

  allTcp(): Iterable<Entry<TcpProxyStats>> {
    return this.#tcp.values();
  }

  allListeners(): Iterable<Entry<ListenerStats>> {
    return this.#listeners.values();
  }
}

function entry<T>(entries: Map<string, Entry<T>>, prefix: string, direction: Direction, make: () => T): T {
  const key = `${direction} ${prefix}`;
  let found = entries.get(key);
  if (found === undefined) entries.set(key, (found = { prefix, direction, stats: make() }));
  return found.stats;
}

export function newListenerStats(): ListenerStats {
  return {
    downstream_cx_total: 0,
    downstream_cx_active: 0,
    downstream_cx_destroy: 0,
    downstream_cx_overflow: 0,
    downstream_global_cx_overflow: 0,
    downstream_pre_cx_active: 0,
    downstream_pre_cx_timeout: 0,
    downstream_cx_transport_socket_connect_timeout: 0,
    downstream_listener_filter_remote_close: 0,
    downstream_listener_filter_error: 0,
    no_filter_chain_match: 0,
    extension_config_missing: 0,
    network_extension_config_missing: 0,
    downstream_cx_length_ms: new Histogram(),
    answers: new Map(),
    ssl: newDownstreamTlsStats(),
  };
}

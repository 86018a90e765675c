import type { Runtime } from '../runtime/runtime.ts';
import { nodeStats } from '../telemetry/node-stats.ts';
import { daysUntilFirstExpiry } from './certs.ts';
import { serverState, text, type AdminAnswer, type AdminContext } from './context.ts';
import { isGauge } from './gauges.ts';
import { prometheus } from './prometheus.ts';
import type { TagExtractor } from './tags.ts';
import { adminRegex } from './regex.ts';

const TYPES = ['All', 'Counters', 'Gauges', 'Histograms', 'TextReadouts'];

/** All statistics of a proxy, and what counters were when they were last reset. */
export class AdminStats {
  readonly #context: AdminContext;
  readonly #accepts: (name: string) => boolean;
  readonly #tags: TagExtractor;
  #zero = new Map<string, number>();

  constructor(context: AdminContext, accepts: (name: string) => boolean, tags: TagExtractor) {
    this.#context = context;
    this.#accepts = accepts;
    this.#tags = tags;
  }

  /** `/stats` in all its forms. */
  answer(query: URLSearchParams, prometheusOnly = false): AdminAnswer {
    const format = prometheusOnly ? 'prometheus' : (query.get('format') ?? 'text');
    if (!['text', 'json', 'prometheus', 'html', 'active-html'].includes(format))
      return text('usage: /stats?format=(html|active-html|json|prometheus|text)\n\n', 400);
    if (format.endsWith('html')) return text('statistics come as text, json or prometheus\n', 400);
    const type = query.get('type') ?? 'All';
    if (!TYPES.includes(type)) return text('invalid &type= param', 400);
    const filter = query.get('filter') ?? '';
    const inverted = query.has('invert_filter');
    let wanted = (_name: string): boolean => true;
    if (filter !== '') {
      const regex = adminRegex(filter);
      if (typeof regex === 'string') return text(`Invalid re2 regex: ${regex}`, 400);
      wanted = (name) => regex.matcher(name).find() !== inverted;
    }
    const usedOnly = query.has('usedonly');
    const stats = [...this.#all()].filter(
      ([name, value]) =>
        wanted(name) &&
        (!usedOnly || value !== 0) &&
        (type === 'All' || (type === 'Counters' && !isGauge(name)) || (type === 'Gauges' && isGauge(name))),
    );
    if (format === 'prometheus') return text(prometheus(stats, this.#tags));
    if (format === 'json') {
      const list = stats.map(([name, value]) => ({ name, value }));
      return { status: 200, type: 'application/json', body: JSON.stringify({ stats: list }) };
    }
    return text(stats.map(([name, value]) => `${name}: ${value}\n`).join(''));
  }

  /** Counters start from 0 again; gauges stay. */
  reset(): void {
    this.#zero = new Map([...nodeStats(this.#context.node)].filter(([name]) => !isGauge(name)));
  }

  #all(): Map<string, number> {
    const all = new Map<string, number>();
    for (const [name, value] of nodeStats(this.#context.node)) all.set(name, value - (this.#zero.get(name) ?? 0));
    for (const [name, value] of Object.entries(serverStats(this.#context))) all.set(name, value);
    const names = [...all.keys()].filter(this.#accepts).sort((a, b) => (a < b ? -1 : 1));
    return new Map(names.map((name) => [name, all.get(name)!]));
  }
}

/** Envoy's order of states in `server.state`. */
const STATES = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2 } as const;

function serverStats(context: AdminContext): Record<string, number> {
  const { deps, started, controlPlane, node } = context;
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  const state = serverState(context);
  let connections = 0;
  for (const { stats } of node.stats.allListeners()) connections += stats.downstream_cx_active;
  return {
    'server.concurrency': 1,
    'server.days_until_first_cert_expiring': daysUntilFirstExpiry(context),
    'server.dynamic_unknown_fields': 0,
    'server.hot_restart_epoch': 0,
    'server.live': state === 'LIVE' ? 1 : 0,
    'server.memory_allocated': heapUsed,
    'server.memory_heap_size': heapTotal,
    'server.memory_physical_size': rss,
    'server.parent_connections': 0,
    'server.state': STATES[state],
    'server.static_unknown_fields': 0,
    'server.total_connections': connections,
    'server.uptime': Math.floor((deps.clock.wall() - started) / 1000),
    ...runtimeStats(node.runtime),
    ...(context.bootstrap.ads === undefined
      ? {}
      : {
          'control_plane.connected_state': controlPlane.connected_state,
          'control_plane.pending_requests': controlPlane.pending_requests,
        }),
  };
}

function runtimeStats(runtime: Runtime | undefined): Record<string, number> {
  if (runtime === undefined) return {};
  const { load_error, load_success, override_dir_exists, override_dir_not_exists } = runtime.stats;
  return {
    'runtime.admin_overrides_active': Number(runtime.overridden),
    'runtime.load_error': load_error,
    'runtime.load_success': load_success,
    'runtime.num_keys': runtime.keys,
    'runtime.num_layers': runtime.layers.length,
    'runtime.override_dir_exists': override_dir_exists,
    'runtime.override_dir_not_exists': override_dir_not_exists,
  };
}

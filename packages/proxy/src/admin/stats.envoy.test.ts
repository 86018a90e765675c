import { expect, test } from 'vitest';
import { CONNECTIONS } from './testing/connection-scenarios.ts';
import { FILES } from './testing/file-scenarios.ts';
import { FILTERS } from './testing/filter-scenarios.ts';
import { LABELS } from './testing/label-scenarios.ts';
import { HTTP } from './testing/http-scenarios.ts';
import { AUTHORIZATION, HASHES, SECRETS } from './testing/more-scenarios.ts';
import { statsBeside, type Side } from './testing/stats-beside.ts';

/** Names that only Envoy has, and why. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/^(server\.)?(main_thread|worker_\d+|workers)\.watchdog_/, 'there are no threads to watch'],
  [/^thread_local_cluster_manager\./, 'there are no threads that have copies of clusters'],
  [/^(filesystem|overload|envoy\.overload_actions)\./, 'parts that there are not'],
  [/\.update_duration$/, 'updates take effect at once'],
  [/^server\.(stats_recent_lookups|version|initialization_time_ms)$/, 'about the process in C++'],
  [/\.circuit_breakers\.\w+\.remaining_cx_pools$/, 'pools are not limited'],
  [/\.connections_accepted_per_socket_event$/, 'Node hands over connections one by one'],
];
/** Values that differ by nature, and why. */
const APART: readonly (readonly [RegExp, string])[] = [
  [
    /^server\.(memory_|uptime|dropped_stat_flushes|total_connections|days_until_first_cert_expiring)/,
    'of the process, at that moment',
  ],
  [/^(http|listener)\.admin\./, 'how often each is asked whether it is ready'],
  [/\.downstream_cx_delayed_close_timeout$/, 'Envoy waits for clients that would see a half-closed connection here'],
  [/^runtime\.deprecated_feature_/, 'nothing is deprecated here'],
  [/\.(update_time|config_reload_time_ms)$/, 'times'],
  [/_cx_[rt]x_bytes_buffered$/, 'what lies in buffers at that moment'],
];

const values = ({ stats }: Side, other: Side): Record<string, string> => {
  const out: Record<string, string> = {};
  for (const [name, value] of stats) {
    if (ABSENT.some(([pattern]) => pattern.test(name)) && !other.stats.has(name)) continue;
    // Of histograms: whether there is something in them.
    out[name] = APART.some(([pattern]) => pattern.test(name))
      ? 'differs'
      : value.startsWith('P0(')
        ? 'recorded'
        : value;
  }
  return out;
};

/** Names and labels for Prometheus, without values. */
async function series({ text, port, admin }: Side): Promise<ReadonlySet<string>> {
  const lines = (await text('/stats/prometheus')).split('\n').filter((line) => /^[^#]/.test(line));
  return new Set(
    lines.map((line) => line.replace(/ \S+$/, '').replaceAll(String(port), 'PORT').replaceAll(String(admin), 'ADMIN')),
  );
}

const NO_SERIES =
  /watchdog|^envoy_(filesystem|overload|envoy_overload|thread_local|server|runtime|main_thread|workers|http_admin|listener_admin)|connections_accepted_per_socket|remaining_cx_pools|update_duration/;

for (const scenario of [...HTTP, ...CONNECTIONS, ...FILES, ...FILTERS, LABELS, HASHES, AUTHORIZATION, SECRETS]) {
  test(`statistics are those of Envoy: ${scenario.name}`, async () => {
    await statsBeside(scenario, async (ours, theirs) => {
      expect(values(ours, theirs)).toEqual(values(theirs, ours));
      const [own, other] = [await series(ours), await series(theirs)];
      const only = (some: ReadonlySet<string>, not: ReadonlySet<string>): string[] =>
        [...some].filter((each) => !not.has(each) && !NO_SERIES.test(each));
      expect({ ours: only(own, other), theirs: only(other, own) }).toEqual({ ours: [], theirs: [] });
    });
  }, 60_000);
}

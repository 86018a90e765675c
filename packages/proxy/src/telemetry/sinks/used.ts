/** Gauges that are set by whoever has set the counter beside them, at the latest: their zeros are values too. */
const SET_WITH: readonly (readonly [RegExp, string])[] = [
  [/^(.+\.upstream_(cx|rq))_active$/, '$1_total'],
  [/^(.+\.upstream_rq_pending)_active$/, '$1_total'],
  [/^(.+\.downstream_(cx|rq))_active$/, '$1_total'],
  [/^(.+\.downstream_cx_(http1|http2|http3|ssl))_active$/, '$1_total'],
  [/^(.+)\.downstream_pre_cx_active$/, '$1.downstream_cx_total'],
  [/^(.+\.(down|up)stream_cx_rx_bytes)_buffered$/, '$1_total'],
  [/^(cluster\..+)\.circuit_breakers\.default\.cx(_pool)?_open$/, '$1.upstream_cx_total'],
  [/^(cluster\..+)\.circuit_breakers\.default\.rq_open$/, '$1.upstream_rq_total'],
  [/^(cluster\..+)\.circuit_breakers\.default\.rq_pending_open$/, '$1.upstream_rq_pending_total'],
];

/** What is said of a proxy from its start, though it be 0. */
const ALWAYS =
  /^(server\.(?!debug_assertion_failures|dropped_stat_flushes|envoy_bug_failures|envoy_notifications|seconds_until)|runtime\.num_|cluster_manager\.warming_clusters$|listener_manager\.total_listeners_(active|warming)$|cluster\..+\.(membership_(healthy|degraded|excluded|total)|warming_state)$)/;

/** Which statistics have been used, as Envoy sees it: what has never been touched is not sent anywhere. */
export class UsedStats {
  readonly #seen = new Set<string>();

  used(name: string, value: number | bigint, values: ReadonlyMap<string, number | bigint>): boolean {
    if (this.#seen.has(name)) return true;
    const used = (value !== 0 && value !== 0n) || ALWAYS.test(name) || setBeside(name, values);
    if (used) this.#seen.add(name);
    return used;
  }
}

function setBeside(name: string, values: ReadonlyMap<string, number | bigint>): boolean {
  return SET_WITH.some(([pattern, counter]) => {
    if (!pattern.test(name)) return false;
    const value = values.get(name.replace(pattern, counter));
    return value !== undefined && value !== 0 && value !== 0n;
  });
}

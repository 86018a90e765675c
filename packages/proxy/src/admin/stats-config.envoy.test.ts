/** What a `statsConfig` makes of names, labels and buckets, beside real Envoy. */
import { expect, test } from 'vitest';
import { bootstrap, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { get, http } from './testing/scenario-parts.ts';
import { statsBeside, type Side } from './testing/stats-beside.ts';

const CONFIGS: Readonly<Record<string, object>> = {
  'tags of its own alone': {
    useAllDefaultTags: false,
    statsTags: [
      { tagName: 'fixed', fixedValue: 'here' },
      { tagName: 'envoy.cluster_name' },
      { tagName: 'prefix', regex: '^http\\.((.*?)\\.)' },
      { tagName: 'whole', regex: '^listener_manager\\.(total_.*)$' },
      { tagName: 'code', regex: '_rq(_(\\d{3}))$' },
    ],
  },
  'tags beside those of Envoy, several for one part of a name, and one of several rules': {
    statsTags: [
      { tagName: 'fixed', fixedValue: 'here' },
      { tagName: 'fixed', fixedValue: 'there' },
      { tagName: 'envoy.cluster_name', regex: '^cluster\\.((o.*?)\\.)' },
      { tagName: 'second', regex: '^http\\.((.*?)\\.)' },
      { tagName: 'empty', regex: '^http\\.(.*\\.)?()downstream_rq_total$' },
      { tagName: 'no-group', regex: 'upstream_cx_total$' },
      { tagName: 'class', regex: '(_[[:digit:]])xx$' },
      { tagName: 'twice', regex: '(_total)$' },
      { tagName: 'twice', regex: '(upstream_cx)' },
      { tagName: 'envoy.response_code' },
      { tagName: 'overlap', regex: 'upst(ream_(rq))' },
      { tagName: 'cut', regex: '(rq_time)' },
    ],
  },
  'all but some': {
    statsMatcher: {
      exclusionList: {
        patterns: [
          { prefix: 'HTTP.', ignoreCase: true },
          { suffix: '_total' },
          { safeRegex: { regex: 'cluster\\.up\\.upstream_cx_.*' } },
          { contains: 'external' },
          { exact: 'cluster.up.upstream_rq_time' },
        ],
      },
    },
  },
  'nothing but some': {
    statsMatcher: { inclusionList: { patterns: [{ prefix: 'cluster.up.upstream_rq' }, { suffix: 'rq_time' }] } },
  },
  nothing: { statsMatcher: { rejectAll: true } },
  'everything, said aloud': { statsMatcher: { rejectAll: false } },
  'buckets by name, the first that fits': {
    statsMatcher: { inclusionList: { patterns: [{ suffix: '_time' }, { suffix: '_ms' }] } },
    histogramBucketSettings: [
      { match: { prefix: 'cluster.up.external' }, buckets: [1, 5, 2.5] },
      { match: { prefix: 'cluster.up' }, buckets: [0.5, 1_000_000] },
      { match: { suffix: 'downstream_rq_time' }, buckets: [7] },
    ],
  },
};

/** Only Envoy has them, or each counts in its own way. */
const APART =
  /watchdog|^(# TYPE )?envoy_(filesystem|overload|envoy_overload|thread_local|server|runtime|main_thread|workers|http_admin|dns)|connections_accepted_per_socket|_bytes_buffered|initialization_time|admin/;

async function pages({ text, port }: Side): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of ['/stats/prometheus', '/stats?usedonly']) {
    for (const line of (await text(path)).split('\n')) {
      if (APART.test(line.replace(/^(?:server|filesystem|thread_local|runtime|main_thread)[.\w]*/, 'envoy_server')))
        continue;
      // How long something took differs, and so in which bucket it is.
      found.push(
        line
          .replaceAll(String(port), 'PORT')
          .replace(/(_bucket\{.*|_sum\{.*)\} [\d.]+$/, '$1}')
          .replace(/: P0.*/, ': recorded'),
      );
    }
  }
  return found;
}

test.each(Object.entries(CONFIGS))('as Envoy: %s', { timeout: 60_000 }, async (_, statsConfig) => {
  await statsBeside(
    {
      name: '',
      config: (port, up) => ({
        ...bootstrap([listener(port, [{ filters: [http([routeTo('up')])] }])], [staticCluster('up', [up])]),
        statsConfig,
      }),
      asks: [get(), get('/b', 'x-answer: 404')],
    },
    async (ours, theirs) => {
      expect(await pages(ours)).toEqual(await pages(theirs));
    },
  );
});

/** How large messages are, and what of their time requests need, as Envoy counts it. */
import { expect, test } from 'vitest';
import { TYPE } from '../filter/testing/beside.ts';
import { get, http, onOne } from '../admin/testing/scenario-parts.ts';
import { statsBeside, type Scenario, type Side } from '../admin/testing/stats-beside.ts';
import { bootstrap, listener, staticCluster } from '../process/testing/bootstraps.ts';

const all = { timeoutBudgets: true, requestResponseSizes: true, perEndpointStats: true };
const to = (prefix: string, cluster: string, more: object): object => ({
  match: { prefix },
  route: { cluster, prefixRewrite: '/', ...more },
});
const post = (path: string, body: string, ...fields: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, 'host: a', ...fields, '', body].join('\r\n');

/** Has the proxy itself ask for something, once. */
const KEYS = {
  name: 'jwt',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication`,
    providers: {
      p: {
        remoteJwks: {
          httpUri: { uri: 'http://keys/jwks', cluster: 'keys', timeout: '5s' },
          asyncFetch: { fastListener: true, failedRefetchDuration: '1000s' },
        },
      },
    },
  },
};

const scenario: Scenario = {
  name: '',
  config: (port, up, closed) =>
    bootstrap(
      [
        listener(port, [
          {
            filters: [
              http(
                [
                  to('/retried/', 'up', { timeout: '10s', retryPolicy: { retryOn: '5xx', numRetries: 2 } }),
                  to('/tries/', 'up', { timeout: '0.4s', retryPolicy: { retryOn: '5xx', perTryTimeout: '0.3s' } }),
                  to('/try/', 'up', { timeout: '100s', retryPolicy: { perTryTimeout: '0.2s' } }),
                  to('/short/', 'up', { timeout: '0.2s' }),
                  to('/closed/', 'closed', { requestMirrorPolicies: [{ cluster: 'copies' }] }),
                  to('/alone/', 'alone', {}),
                  to('/', 'up', { timeout: '0s' }),
                ],
                {},
                [KEYS],
              ),
            ],
          },
        ]),
      ],
      [
        staticCluster('up', [up], { trackClusterStats: all }),
        staticCluster('copies', [up], { trackClusterStats: all, altStatName: 'co.pies' }),
        staticCluster('keys', [up], { trackClusterStats: all }),
        staticCluster('closed', [closed], { trackClusterStats: { requestResponseSizes: true } }),
        staticCluster('alone', [up], { trackTimeoutBudgets: true }),
      ],
    ),
  asks: [
    get('/'),
    get('/', 'x-a: 1', 'x-a: 22', 'x-answer: 404'),
    'HEAD / HTTP/1.1\r\nhost: a\r\nx-answer: empty\r\n\r\n',
    post('/', 'twelve bytes', 'content-length: 12'),
    post('/', '6\r\nchunks\r\n3\r\nabc\r\n0\r\n\r\n', 'transfer-encoding: chunked'),
    get('/', 'x-answer: until-close'),
    get('/', 'x-answer: short'),
    get('/', 'x-answer: close'),
    get('/retried/', 'x-answer: 503'),
    get('/short/', 'x-answer: slow'),
    get('/try/', 'x-answer: slow'),
    get('/tries/', 'x-answer: slow'),
    get('/alone/'),
  ],
  drive: async (port) => {
    await onOne(get('/closed/'))(port);
  },
};

const SIZES = /^cluster\.(up|co\.pies|closed|alone|keys)\.upstream_r[qs]_(headers_size|headers_count|body_size)$/;
const BUDGETS = /^cluster\.(up|co\.pies|alone|keys)\.upstream_rq_timeout_budget_/;

/** By name: how often something was recorded, by its size where that is certain. */
async function recorded({ text }: Side): Promise<Record<string, readonly string[]>> {
  const out: Record<string, readonly string[]> = {};
  let name = '';
  for (const line of (await text('/stats?histogram_buckets=detailed&type=Histograms')).split('\n')) {
    if (!line.startsWith(' ')) name = line.replace(/:.*/, '');
    else if (line.startsWith('  totals=') && SIZES.test(name)) out[name] = line.slice(9).split(', ');
    else if (line.startsWith('  totals=') && BUDGETS.test(name)) {
      // Of what is over at once, some hundredths.
      const much = (text: string): string => (Number(text) < 45 ? 'little' : Number(text) < 90 ? 'much' : 'all');
      out[name] = line
        .slice(9)
        .split(', ')
        .flatMap((bin) => Array.from({ length: Number(/\d+$/.exec(bin)![0]) }, () => much(bin.split(',')[0]!)));
    }
  }
  return out;
}

test('sizes, budgets and endpoints', { timeout: 60_000 }, async () => {
  await statsBeside(scenario, async (ours, theirs) => {
    expect(await recorded(ours)).toEqual(await recorded(theirs));
    const endpoints = ({ stats }: Side): [string, string][] =>
      [...stats]
        .filter(([name]) => /\.endpoint\.|_budget_|_size$|headers_count$/.test(name) && !/memory/.test(name))
        .map(([name, value]) => [name, value.startsWith('P0') ? 'recorded' : value]);
    expect(Object.fromEntries(endpoints(ours))).toEqual(Object.fromEntries(endpoints(theirs)));
    const labelled = async ({ text }: Side): Promise<string[]> =>
      (await text('/stats/prometheus')).split('\n').filter((line) => /cluster_endpoint/.test(line));
    expect((await labelled(ours)).toSorted()).toEqual((await labelled(theirs)).toSorted());
  });
});

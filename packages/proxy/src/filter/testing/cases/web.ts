import { filter, type FilterCase } from './case.ts';

const fault = (config: object): object => filter('fault.v3.HTTPFault', config);

const cors = filter('cors.v3.Cors', {});

const corsPolicy = (config: object): object => ({
  'envoy.filters.http.cors': {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
    ...config,
  },
});

export const WEB_CASES: readonly FilterCase[] = [
  {
    name: 'fault: abort',
    filters: [fault({ abort: { httpStatus: 418, percentage: { numerator: 100 } } })],
    ask: ['GET / h'],
  },
  {
    name: 'fault: abort never',
    filters: [fault({ abort: { httpStatus: 418, percentage: { numerator: 0 } } })],
    ask: ['GET / h'],
  },
  {
    name: 'fault: for some headers and another cluster',
    filters: [
      fault({
        abort: { httpStatus: 503, percentage: { numerator: 100 } },
        headers: [{ name: 'x-a', stringMatch: { exact: '1' } }],
      }),
      fault({
        abort: { httpStatus: 500, percentage: { numerator: 1_000_000, denominator: 'MILLION' } },
        upstreamCluster: 'other',
      }),
    ],
    ask: ['GET / h', 'GET / h\nx-a: 1'],
  },
  {
    name: 'fault: by headers',
    filters: [fault({ abort: { headerAbort: {}, percentage: { numerator: 100 } } })],
    ask: [
      'GET / h',
      'GET / h\nx-envoy-fault-abort-request: 429',
      'GET / h\nx-envoy-fault-abort-request: 100',
      'GET / h\nx-envoy-fault-abort-request: 429\nx-envoy-fault-abort-request-percentage: 0',
    ],
  },
  {
    name: 'fault: from the route',
    filters: [fault({})],
    perRoute: {
      'envoy.filters.http.fault': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
        abort: { httpStatus: 555, percentage: { numerator: 100 } },
      },
    },
    ask: ['GET / h'],
  },
  {
    name: 'cors',
    filters: [cors],
    perRoute: corsPolicy({
      allowOriginStringMatch: [{ exact: 'https://a.com' }, { suffix: '.b.com' }],
      allowMethods: 'GET, POST',
      allowHeaders: 'x-a',
      exposeHeaders: 'x-e',
      maxAge: '600',
      allowCredentials: true,
    }),
    ask: [
      'GET / h',
      'GET / h\norigin: https://a.com',
      'GET / h\norigin: https://c.com',
      'OPTIONS / h\norigin: https://x.b.com\naccess-control-request-method: POST',
      'OPTIONS / h\norigin: https://c.com\naccess-control-request-method: POST',
      'OPTIONS / h\norigin: https://a.com',
    ],
  },
  {
    name: 'cors: everybody, nothing else',
    filters: [cors],
    perRoute: corsPolicy({
      allowOriginStringMatch: [{ exact: '*' }],
      forwardNotMatchingPreflights: false,
      allowPrivateNetworkAccess: true,
    }),
    ask: [
      'GET / h\norigin: o',
      'OPTIONS / h\norigin: o\naccess-control-request-method: GET\naccess-control-request-private-network: true',
    ],
  },
  {
    name: 'cors: not everybody, and no forwarding',
    filters: [cors],
    perRoute: corsPolicy({ allowOriginStringMatch: [{ exact: 'a' }], forwardNotMatchingPreflights: false }),
    ask: ['OPTIONS / h\norigin: o\naccess-control-request-method: GET'],
  },
  {
    name: 'cors: no policy',
    filters: [cors],
    ask: ['GET / h\norigin: o', 'OPTIONS / h\norigin: o\naccess-control-request-method: GET'],
  },
  {
    name: 'local rate limit',
    filters: [
      filter('local_ratelimit.v3.LocalRateLimit', {
        statPrefix: 'l',
        tokenBucket: { maxTokens: 1, tokensPerFill: 1, fillInterval: '3600s' },
        filterEnabled: { defaultValue: { numerator: 100 } },
        filterEnforced: { defaultValue: { numerator: 100 } },
        responseHeadersToAdd: [{ header: { key: 'x-limited', value: 'yes' } }],
        enableXRatelimitHeaders: 'DRAFT_VERSION_03',
      }),
    ],
    ask: ['GET /1 h', 'GET /2 h', 'GET /3 h'],
  },
  {
    name: 'header mutation',
    filters: [
      filter('header_mutation.v3.HeaderMutation', {
        mutations: {
          requestMutations: [
            { remove: 'x-gone' },
            { append: { header: { key: 'x-new', value: '%REQ(:path)%' } } },
            { append: { header: { key: 'x-set', value: 'v' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
          ],
          responseMutations: [{ append: { header: { key: 'x-answer', value: '42' } } }],
        },
      }),
    ],
    ask: ['GET /a h\nx-gone: 1\nx-set: old\nx-new: 1'],
  },
];

/** Configurations of filters that cannot be meant are refused when they are read, here as by Envoy. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { compileListener } from '../program/listener/compile.ts';
import { testDeps } from '../program/testing/deps.ts';
import { TYPE } from './testing/beside.ts';
import { jwks } from './testing/tokens.ts';

const filter = (name: string, type: string, config: object): object => ({
  name: `envoy.filters.http.${name}`,
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.${name}.v3.${type}`, ...config },
});
const router = filter('router', 'Router', {});
const local = (config: object): object => filter('local_ratelimit', 'LocalRateLimit', { statPrefix: 'l', ...config });
const global = (config: object): object =>
  filter('ratelimit', 'RateLimit', {
    domain: 'd',
    rateLimitService: { grpcService: { envoyGrpc: { clusterName: 'up' } }, transportApiVersion: 'V3' },
    ...config,
  });
const jwt = (provider: object): object =>
  filter('jwt_authn', 'JwtAuthentication', { providers: { p: { issuer: 'i', localJwks: jwks, ...provider } } });
const tokenBucket = { maxTokens: 1, fillInterval: '1s' };
const actions = [{ remoteAddress: {} }];
const ofA = { entries: [{ key: 'a', value: 'b' }], tokenBucket };
const metadata = { dynamicMetadata: { metadataKey: { key: 'a', path: [{ key: 'b' }] } } };
const localOfRoute = (config: object): object => ({
  ...routeTo('up'),
  typedPerFilterConfig: {
    'envoy.filters.http.local_ratelimit': {
      '@type': `${TYPE}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`,
      statPrefix: 'r',
      ...config,
    },
  },
});

const route = (action: object): object => ({ match: { prefix: '/' }, route: action });
const ruled = (permission: object): object =>
  filter('rbac', 'RBAC', { rules: { policies: { p: { permissions: [permission], principals: [{ any: true }] } } } });
const sized = (regex: string, maxProgramSize: number): object => ({
  ...routeTo('up'),
  match: { safeRegex: { regex, googleRe2: { maxProgramSize } } },
});
const http = (config: object): object =>
  filter('ext_authz', 'ExtAuthz', {
    httpService: { serverUri: { uri: 'http://a', cluster: 'up', timeout: '1s' } },
    ...config,
  });

interface Manager {
  readonly filters?: readonly object[];
  readonly route?: object;
  /** Of the virtual host, and of the route configuration. */
  readonly host?: object;
  readonly routes?: object;
  readonly more?: object;
}

const REFUSED: Readonly<Record<string, Manager>> = {
  'two descriptors of the same entries': { filters: [local({ tokenBucket, descriptors: [ofA, ofA] })] },
  'a stage of a local limit’s own policy': { filters: [local({ tokenBucket, rateLimits: [{ stage: 0, actions }] })] },
  'a key that switches it off': { filters: [local({ tokenBucket, rateLimits: [{ disableKey: 'x', actions }] })] },
  'a limit that a local one cannot have': {
    filters: [local({ tokenBucket, rateLimits: [{ limit: metadata, actions }] })],
  },
  'hits that are not said': { filters: [local({ tokenBucket, rateLimits: [{ hitsAddend: {}, actions }] })] },
  'a route without a bucket': { filters: [local({ tokenBucket })], route: localOfRoute({}) },
  'a stage of a global limit’s own policy': { filters: [global({ rateLimits: [{ stage: 0, actions }] })] },
  'hits of it that are not said': { filters: [global({ rateLimits: [{ hitsAddend: {}, actions }] })] },
  'a claim without a name': { filters: [jwt({ claimToHeaders: [{ headerName: 'a' }] })] },
  'a claim with two': {
    filters: [jwt({ claimToHeaders: [{ headerName: 'a', claimName: 'b', claimPath: [{ key: 'c' }] }] })],
  },
  'a path of a claim with a gap': { filters: [jwt({ claimToHeaders: [{ headerName: 'a', claimPath: [{}] }] })] },
  'an interval of logs that is said twice': { more: { accessLogFlushInterval: '1s', accessLogOptions: {} } },
  'logs of new requests that are said twice': { more: { flushAccessLogOnNewRequest: true, accessLogOptions: {} } },
  'ports that there are not': { filters: [ruled({ destinationPortRange: { start: 1, end: 65_537 } })] },
  'ports below 0': { filters: [ruled({ destinationPortRange: { start: -1, end: 2 } })] },
  'a mirror of a host that nobody knows': { host: { requestMirrorPolicies: [{ cluster: 'nobody' }] } },
  'a mirror of all routes that nobody knows': { routes: { requestMirrorPolicies: [{ cluster: 'nobody' }] } },
  'a weight that is not said': {
    route: route({ weightedClusters: { clusters: [{ name: 'up' }, { name: 'up', weight: 1 }] } }),
  },
  'weights beyond 32 bits': {
    route: route({ weightedClusters: { clusters: ['up', 'up'].map((name) => ({ name, weight: 4_294_967_295 })) } }),
  },
  'an expression that is too large': { route: sized('/[a-z]+/x', 5) },
  'a line break in the field of hosts': { routes: { vhostHeader: 'a\r\nb' } },
  'a field without a name that routes anew': { filters: [http({ clearRouteCacheHeaders: [''] })] },
  'a prefix of an authorizer that is no path': { filters: [http({ httpService: { pathPrefix: 'x' } })] },
  'no users': { filters: [filter('basic_auth', 'BasicAuth', { users: { inlineString: '' } })] },
};
const TAKEN: Readonly<Record<string, Manager>> = {
  'descriptors without a bucket for the rest': { filters: [local({ descriptors: [ofA] })] },
  'a limit of a global one': { filters: [global({ rateLimits: [{ limit: metadata, actions }] })] },
  'hits of a route that are not said': {
    route: { match: { prefix: '/' }, route: { cluster: 'up', rateLimits: [{ hitsAddend: {}, actions }] } },
  },
  'a route with a bucket': { filters: [local({})], route: localOfRoute({ tokenBucket }) },
  'a key set without text': { filters: [jwt({ localJwks: { inlineString: '' } })] },
  'when keys are fetched again': {
    filters: [
      jwt({
        localJwks: undefined,
        remoteJwks: {
          httpUri: { uri: 'http://a/', cluster: 'up', timeout: '1s' },
          retryPolicy: { retryOn: '5xx', hostSelectionRetryMaxAttempts: 3 },
        },
      }),
    ],
  },
  'an IPv4 range of more bits than there are': {
    filters: [ruled({ destinationIp: { addressPrefix: '1.2.3.4', prefixLen: 100 } })],
  },
  'an expression that is small enough': { route: sized('/[a-z]+/x', 100) },
  'older fields of internal redirects': {
    route: route({ cluster: 'up', internalRedirectAction: 'HANDLE_INTERNAL_REDIRECT', maxInternalRedirects: 2 }),
  },
  'a direct response without a limit': {
    routes: { maxDirectResponseBodySizeBytes: 0 },
    route: { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'x'.repeat(9000) } } },
  },
  'an HTTP service of an older version': { filters: [http({ transportApiVersion: 'V2' })] },
  'an authorizer that nobody names': { filters: [http({ httpService: {} })] },
  'when streams of an authorizer are begun again': {
    filters: [
      http({
        httpService: undefined,
        grpcService: { envoyGrpc: { clusterName: 'up', retryPolicy: { numRetries: 1 }, maxReceiveMessageLength: 100 } },
      }),
    ],
  },
  'shares of healthy hosts that are not asked': {
    filters: [
      filter('health_check', 'HealthCheck', {
        passThroughMode: true,
        clusterMinHealthyPercentages: { up: { value: 1 } },
        headers: [{ name: 'x', presentMatch: true }],
      }),
    ],
  },
  'nothing to take out of bodies': { filters: [filter('json_to_metadata', 'JsonToMetadata', {})] },
  'a rewrite of what is not there': {
    filters: [
      filter('header_to_metadata', 'Config', {
        requestRules: [
          { header: 'x', onHeaderMissing: { key: 'k', value: 'v', regexValueRewrite: { pattern: { regex: '[' } } } },
        ],
      }),
    ],
  },
  'an older option that is off': { more: { flushAccessLogOnNewRequest: false, accessLogOptions: {} } },
};

const folder = mkdtempSync(join(tmpdir(), 'mizzen-refused-'));
function theirs(config: object): boolean {
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(config));
  const args = ['--mode', 'validate', '-c', file, '--concurrency', '1'];
  return spawnSync(envoyBinary(), args, { stdio: 'pipe' }).status === 0;
}

test.each([...Object.entries(REFUSED), ...Object.entries(TAKEN)])('%s', { timeout: 30_000 }, (name, manager) => {
  const { filters = [], route: given = routeTo('up'), host = {}, routes = {}, more = {} } = manager;
  const routeConfig = { virtualHosts: [{ name: 'all', domains: ['*'], routes: [given], ...host }], ...routes };
  const one = listener(10_000, [{ filters: [hcm([], { httpFilters: [...filters, router], routeConfig, ...more })] }]);
  const deps = { ...testDeps, hasCluster: (cluster: string) => cluster === 'up' };
  expect(compileListener(one, deps).nacks === undefined).toBe(name in TAKEN);
  expect(theirs(bootstrap([one], [staticCluster('up', [10_001])]))).toBe(name in TAKEN);
});

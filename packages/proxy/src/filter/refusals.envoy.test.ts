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

interface Manager {
  readonly filters?: readonly object[];
  readonly route?: object;
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
  const { filters = [], route = routeTo('up'), more = {} } = manager;
  const one = listener(10_000, [{ filters: [hcm([route], { httpFilters: [...filters, router], ...more })] }]);
  expect(compileListener(one, testDeps).nacks === undefined).toBe(name in TAKEN);
  expect(theirs(bootstrap([one], [staticCluster('up', [10_001])]))).toBe(name in TAKEN);
});

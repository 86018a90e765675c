/** Which files are taken, here as by Envoy. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { checkResources } from './check-resources.ts';
import { compileBootstrap, parseBootstrap } from './bootstrap.ts';
import { bootstrap, hcm, listener, staticCluster, tcpProxy } from './testing/bootstraps.ts';
import { testDeps } from '../program/testing/deps.ts';

const TYPE = 'type.googleapis.com/';
const HTTP = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const file = join(mkdtempSync(join(tmpdir(), 'mizzen-acceptance-')), 'bootstrap.json');

const toOne = [{ match: { prefix: '/' }, route: { cluster: 'c' } }];
const manager = (more: object): object =>
  bootstrap([listener(10_000, [{ filters: [hcm(toOne, more)] }])], [staticCluster('c', [9])]);
const host = (more: object): object =>
  manager({ routeConfig: { virtualHosts: [{ name: 'v', domains: ['*'], routes: toOne, ...more }] } });
const cluster = (more: object): object =>
  bootstrap([listener(10_000, [{ filters: [hcm(toOne)] }])], [staticCluster('c', [9], more)]);
const withSecrets = (of: object, ...secrets: readonly object[]): object => {
  const { staticResources } = of as { readonly staticResources: object };
  return { ...of, staticResources: { ...staticResources, secrets } };
};
const trusting = (name: string): object =>
  cluster({
    transportSocket: {
      name: 'tls',
      typedConfig: {
        '@type': `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        commonTlsContext: { validationContextSdsSecretConfig: { name } },
      },
    },
  });
const listeners = (...more: readonly object[]): object =>
  bootstrap(
    more.map((each, i) => ({ ...listener(10_000, [{ filters: [hcm(toOne)] }]), name: `l${i}`, ...each })),
    [staticCluster('c', [9])],
  );
const filter = (typedConfig: object): object =>
  bootstrap([listener(10_000, [{ filters: [{ name: 'f', typedConfig }] }])], []);
const http = (more: object): object =>
  cluster({ typedExtensionProtocolOptions: { [HTTP]: { '@type': TYPE + HTTP, ...more } } });
const DIRECT = 'envoy.extensions.filters.network.direct_response.v3.Config';

const chains = (...matches: readonly object[]): object => {
  const each = matches.map((filterChainMatch) => ({ filterChainMatch, filters: [hcm(toOne)] }));
  return bootstrap([listener(10_000, each)], [staticCluster('c', [9])]);
};

/** A policy whose condition holds `constExpr`. */
const constant = (constExpr: object): object =>
  manager({
    httpFilters: [
      {
        name: 'rbac',
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.filters.http.rbac.v3.RBAC`,
          rules: {
            policies: {
              one: { permissions: [{ any: true }], principals: [{ any: true }], condition: { constExpr } },
            },
          },
        },
      },
      { name: 'router', typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` } },
    ],
  });

const admission = (more: object): object =>
  manager({
    httpFilters: [
      {
        name: 'admission',
        typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.admission_control.v3.AdmissionControl`, ...more },
      },
      { name: 'router', typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` } },
    ],
  });
const statuses = (start: number, end: number): object => ({
  successCriteria: { httpCriteria: { httpSuccessStatus: [{ start, end }] } },
});

const tlvs = (...proxyProtocolTlvs: readonly object[]): object =>
  bootstrap([listener(10_000, [{ filters: [tcpProxy('c', { proxyProtocolTlvs })] }])], [staticCluster('c', [9])]);
const format = (inlineString: string): object => ({ textFormatSource: { inlineString } });

const TAKEN: Readonly<Record<string, object>> = {
  'a secret of the kind that is asked for': withSecrets(trusting('roots'), { name: 'roots', validationContext: {} }),
  'a secret whose kind is spelled with underscores': withSecrets(trusting('roots'), {
    name: 'roots',
    validation_context: {},
  }),
  'TLVs that are made for each connection': tlvs(
    { type: 200, formatString: format('') },
    { type: 3, formatString: { jsonFormat: { a: '%PROTOCOL%' } } },
  ),
  'admission by the usual criteria': admission({ successCriteria: {} }),
  'admission by no status': admission(statuses(200, 200)),
  'admission by what has been of late no time at all': admission({ successCriteria: {}, samplingWindow: '0.5s' }),
  'an aggression below 1': admission({ successCriteria: {}, aggression: { defaultValue: 0, runtimeKey: 'k' } }),
  'a back-off of less than a millisecond': host({ retryPolicy: { retryBackOff: { baseInterval: '0.0001s' } } }),
  'an enum value in lower case': cluster({ lbPolicy: 'round_robin' }),
  'the number of an enum value in quotes': cluster({ lbPolicy: '1' }),
  'one domain that is no list': host({ domains: '*' }),
  'one route that is no list': host({ routes: toOne[0]! }),
  'a list in a list': host({ domains: [['*']] }),
  'a boolean in quotes': manager({ mergeSlashes: 'TRUE' }),
  'a number in quotes, with a fraction of nothing': manager({ xffNumTrustedHops: '1.0' }),
  'a wrapper as an object': manager({ normalizePath: { value: true }, maxRequestHeadersKb: { value: '5' } }),
  'an empty wrapper': manager({ normalizePath: {} }),
  'a duration as an object': manager({ requestTimeout: { seconds: '1', nanos: 5 } }),
  'no limit as the largest number': host({ requestBodyBufferLimit: '18446744073709551615' }),
  'two listeners at ports that the system chooses': listeners(
    { address: { socketAddress: { address: '127.0.0.1', portValue: 0 } } },
    { address: { socketAddress: { address: '127.0.0.1', portValue: 0 } } },
  ),
  'thresholds of one priority twice': cluster({ circuitBreakers: { thresholds: [{ maxRequests: 1 }, {}] } }),
  'a total of weights that is none': host({
    routes: [
      {
        match: { prefix: '/' },
        route: { weightedClusters: { totalWeight: 7, clusters: [{ name: 'c', weight: 1 }] } },
      },
    ],
  }),
  'chains that differ in one port': chains(
    { serverNames: ['a'], sourcePorts: [1] },
    { serverNames: ['a'], sourcePorts: [2] },
  ),
  'a bucket that never holds a token': manager({
    httpFilters: [
      {
        name: 'limit',
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`,
          statPrefix: 'limit',
          tokenBucket: { maxTokens: 0, fillInterval: '1s' },
        },
      },
      {
        name: 'router',
        typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
      },
    ],
  }),
  'null in an expression, by its name': constant({ nullValue: 'NULL_VALUE' }),
  'null in an expression': constant({ nullValue: null }),
  'a number in an expression that is none': constant({ doubleValue: 'NaN' }),
  'a time in an expression': constant({ timestampValue: '2024-02-29T00:00:00.5+02:00' }),
  'one listener that is no list': { staticResources: { listeners: listener(10_000, [{ filters: [hcm([])] }]) } },
};

const REFUSED: Readonly<Record<string, object>> = {
  'an enum value with a dash': cluster({ type: 'strict-dns' }),
  'original destinations that are balanced': cluster({ type: 'ORIGINAL_DST', loadAssignment: undefined }),
  'subsets of what a cluster provides': cluster({
    type: 'ORIGINAL_DST',
    lbPolicy: 'CLUSTER_PROVIDED',
    loadAssignment: undefined,
    lbSubsetConfig: { subsetSelectors: [{ keys: ['a'] }] },
  }),
  'more drops than requests': cluster({
    loadAssignment: {
      clusterName: 'c',
      policy: { dropOverloads: [{ category: 'a', dropPercentage: { numerator: 101 } }] },
    },
  }),
  'no version of the PROXY protocol': listeners({
    listenerFilters: [
      {
        name: 'proxy',
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol`,
          disallowedVersions: ['V1', 'V2'],
        },
      },
    ],
  }),
  'a boolean as a number': manager({ mergeSlashes: 1 }),
  'a number with a blank': manager({ xffNumTrustedHops: ' 1' }),
  'a wrapper of another field': manager({ normalizePath: { valu: true } }),
  'a constant without a value': constant({}),
  'a time that is none': constant({ timestampValue: 'yesterday' }),
  'a duration below nothing in an expression': constant({ durationValue: '-1.5s' }),
  'a whole number beyond 64 bits': constant({ int64Value: '9223372036854775808' }),
  'a negative duration': manager({ requestTimeout: '-1s' }),
  'a duration of centuries': manager({ requestTimeout: '9223372036s' }),
  'a percentage above 100': cluster({ commonLbConfig: { healthyPanicThreshold: { value: 101 } } }),
  'a field that does nothing, of the wrong type': cluster({ perConnectionBufferLimitBytes: 'much' }),
  'a field that does nothing, with a field that there is not': {
    ...manager({}),
    node: { userAgentBuildVersion: { nope: 1 } },
  },
  'a type without a host before it': filter({ '@type': 'envoy.extensions.filters.network.echo.v3.Echo' }),
  'bytes that are no base64': filter({ '@type': TYPE + DIRECT, response: { inlineBytes: '!!' } }),
  'an empty header to remove': host({ requestHeadersToRemove: '' }),
  'TLS for clients by name alone': bootstrap(
    [listener(10_000, [{ filters: [hcm(toOne)], transportSocket: { name: 'envoy.transport_sockets.tls' } }])],
    [staticCluster('c', [9])],
  ),
  'TLS to hosts by name alone': cluster({ transportSocket: { name: 'envoy.transport_sockets.tls' } }),
  'no transport for a match': cluster({ transportSocketMatches: [{ name: 'a' }] }),
  'a tracer by name alone': manager({ tracing: { provider: { name: 'envoy.tracers.zipkin' } } }),
  'a protocol to agree on without TLS': http({ autoConfig: {} }),
  'endpoints to fetch for a cluster that has its own': cluster({
    edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: 'V3' } },
  }),
  'two listeners at one address': listeners({}, {}),
  'two listeners at one address, one among others': listeners(
    {},
    {
      address: { socketAddress: { address: '127.0.0.1', portValue: 10_001 } },
      additionalAddresses: [{ address: { socketAddress: { address: '127.0.0.1', portValue: 10_000 } } }],
    },
  ),
  'two listeners at one address that is not bound': listeners({ bindToPort: false }, {}),
  'chains that have one name of several in common': chains({ serverNames: ['a', 'b'] }, { serverNames: ['B'] }),
  'chains that have one protocol of several in common': chains(
    { applicationProtocols: ['h2', 'http/1.1'] },
    { applicationProtocols: ['http/1.1'] },
  ),
  'chains with one range in two spellings': chains(
    { prefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
    { prefixRanges: [{ addressPrefix: '10.1.0.0', prefixLen: 8 }] },
  ),
  'a chain with a name twice': chains({ serverNames: ['a', 'a'] }),
  'ejections that may not last as long as the first': cluster({ outlierDetection: { maxEjectionTime: '1s' } }),
  'a limit of answers where requests come from': manager({ commonHttpProtocolOptions: { maxResponseHeadersKb: 1 } }),
  'subsets by the weight of localities that have none': cluster({
    lbSubsetConfig: { localityWeightAware: true, subsetSelectors: [{ keys: ['a'] }] },
  }),
  'a limit by a field that is gone': host({
    rateLimits: [
      { actions: [{ dynamicMetadata: { descriptorKey: 'k', metadataKey: { key: 'a', path: [{ key: 'b' }] } } }] },
    ],
  }),
  'a secret that is not there': cluster({
    transportSocket: {
      name: 'tls',
      typedConfig: {
        '@type': `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        commonTlsContext: { validationContextSdsSecretConfig: { name: 'roots' } },
      },
    },
  }),
  'a secret of another kind': withSecrets(trusting('roots'), {
    name: 'roots',
    genericSecret: { secret: { inlineString: 'a' } },
  }),
  'two certificates of a client': cluster({
    transportSocket: {
      name: 'tls',
      typedConfig: {
        '@type': `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        commonTlsContext: {
          tlsCertificateSdsSecretConfigs: ['a', 'b'].map((name) => ({
            name,
            sdsConfig: { resourceApiVersion: 'V3', pathConfigSource: { path: import.meta.filename } },
          })),
        },
      },
    },
  }),
  'a TLV that is made and fixed': tlvs({ type: 200, value: 'YQ==', formatString: format('a') }),
  'a TLV of nothing': tlvs({ type: 200 }),
  'a TLV of an operator that there is not': tlvs({ type: 200, formatString: format('%NOPE%') }),
  'admission without criteria': admission({}),
  'admission by what is no status': admission(statuses(99, 200)),
  'admission by statuses from 600 on': admission(statuses(600, 600)),
  'admission by a range that ends before it begins': admission(statuses(300, 200)),
  'admission by what is no status of gRPC': admission({
    successCriteria: { grpcCriteria: { grpcSuccessStatus: [17] } },
  }),
  'a success rate of nothing': admission({ successCriteria: {}, srThreshold: { runtimeKey: 'k' } }),
  'a success rate of more than all': admission({
    successCriteria: {},
    srThreshold: { defaultValue: { value: 200 }, runtimeKey: 'k' },
  }),
  'a success rate below 1': admission({
    successCriteria: {},
    srThreshold: { defaultValue: { value: 0.5 }, runtimeKey: 'k' },
  }),
  'a limit of connections without a bucket': listeners({
    listenerFilters: [
      {
        name: 'limit',
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit`,
          statPrefix: 'l',
        },
      },
    ],
  }),
  'routes to fetch from nowhere': manager({ routeConfig: undefined, rds: { routeConfigName: 'r' } }),
  'a watched file that is not there': {
    node: { id: 'n', cluster: 'c' },
    dynamicResources: { cdsConfig: { resourceApiVersion: 'V3', pathConfigSource: { path: '/nowhere/cds.yaml' } } },
  },
};

function envoyTakes(config: object): boolean {
  writeFileSync(file, JSON.stringify(config));
  const flags = ['--mode', 'validate', '--concurrency', '1', '--disable-hot-restart', '-l', 'off'];
  return spawnSync(envoyBinary(), [...flags, '-c', file], { timeout: 60_000 }).status === 0;
}

function refusals(config: object): readonly string[] {
  const raw = parseBootstrap(JSON.stringify(config), file);
  const deps = { ...testDeps, readFile: (path: string) => readFileSync(path) };
  const program = compileBootstrap(raw, file, { node: {}, statsTags: [] }, deps);
  return [...program.refused, ...checkResources(program, deps)].map(({ field, message }) => `${field}: ${message}`);
}

test.each(Object.entries(TAKEN))('%s is taken', { timeout: 60_000 }, (_, config) => {
  expect([refusals(config), envoyTakes(config)]).toEqual([[], true]);
});

test.each(Object.entries(REFUSED))('%s is refused', { timeout: 60_000 }, (_, config) => {
  expect([refusals(config).length, envoyTakes(config)]).toEqual([1, false]);
});

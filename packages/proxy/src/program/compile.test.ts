import { expect, test } from 'vitest';
import { compileCluster } from './cluster/compile.ts';
import { compileEndpoints } from './endpoints.ts';
import { compileListener } from './listener/compile.ts';
import { compileRouteConfiguration } from './route/compile.ts';
import { compileSecret } from './secret.ts';
import { testAuthority } from '../tls/testing/certificates.ts';
import { testDeps } from './testing/deps.ts';

const any = (name: string): string => `type.googleapis.com/${name}`;
const said = (compiled: { readonly nacks?: readonly { field: string; message: string }[] | undefined }): string[] =>
  (compiled.nacks ?? []).map(({ field, message }) => `${field}: ${message}`);

test('a cluster has Envoy’s defaults', () => {
  const { program } = compileCluster(
    { name: 'c', type: 'EDS', edsClusterConfig: { edsConfig: { ads: {} } } },
    testDeps,
  );
  expect(program).toMatchObject({
    edsServiceName: 'c',
    lb: { policy: 'ROUND_ROBIN' },
    connectTimeout: 5000,
    panicThreshold: 0.5,
    thresholds: {
      DEFAULT: {
        maxConnections: 1024,
        maxPendingRequests: 1024,
        maxRequests: 1024,
        maxRetries: 3,
        retryBudget: undefined,
      },
    },
    outlierDetection: undefined,
    transport: { kind: 'raw' },
    http: { idleTimeout: 3_600_000, maxRequestsPerConnection: 0 },
    dns: { refreshRate: 5000 },
  });
});

test('servers of DNS are asked no longer and no more often than can be', () => {
  const typedConfig = {
    '@type': any('envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig'),
    resolvers: [{ socketAddress: { address: '127.0.0.1', portValue: 53 } }],
    queryTimeoutSeconds: '3000000',
    queryTries: 4_294_967_295,
  };
  const endpoints = [
    { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: 'a.test', portValue: 80 } } } }] },
  ];
  const { program } = compileCluster(
    {
      name: 'c',
      type: 'STRICT_DNS',
      loadAssignment: { clusterName: 'c', endpoints },
      typedDnsResolverConfig: { name: 'cares', typedConfig },
    },
    testDeps,
  );
  const most = 2 ** 31 - 1;
  expect(program!.dns.servers).toEqual({ addresses: ['127.0.0.1:53'], timeout: most, tries: most });
});

test('a cluster that is named as one of DNS has nothing but defaults', () => {
  const { program } = compileCluster(
    { name: 'c', clusterType: { name: 'envoy.cluster.dns' }, dnsRefreshRate: '1s', dnsLookupFamily: 'V6_ONLY' },
    testDeps,
  );
  expect(program).toMatchObject({ type: 'STRICT_DNS', dns: { refreshRate: 5000, family: 'AUTO' } });
});

test('a cluster as Istio makes it', () => {
  const compiled = compileCluster(
    {
      name: 'outbound|80|v1|c',
      alt_stat_name: 'outbound|80|v1|c;',
      type: 'EDS',
      eds_cluster_config: { eds_config: { ads: {} }, service_name: 'outbound|80|v1|c' },
      connect_timeout: '10s',
      lb_policy: 'LEAST_REQUEST',
      circuit_breakers: {
        thresholds: [{ max_connections: 1, max_pending_requests: 2, retry_budget: { budget_percent: { value: 50 } } }],
      },
      outlier_detection: { consecutive_5xx: 7, max_ejection_percent: 100, base_ejection_time: '15s' },
      common_lb_config: { healthy_panic_threshold: {}, locality_weighted_lb_config: {} },
      filters: [
        {
          name: 'istio.metadata_exchange',
          typed_config: {
            '@type': any('udpa.type.v1.TypedStruct'),
            type_url: any('envoy.tcp.metadataexchange.config.MetadataExchange'),
            value: {},
          },
        },
      ],
      transport_socket_matches: [
        {
          name: 'tlsMode-istio',
          match: { tlsMode: 'istio' },
          transport_socket: {
            name: 'tls',
            typed_config: {
              '@type': any('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'),
              sni: 's',
              common_tls_context: {
                alpn_protocols: ['istio'],
                tls_params: {
                  tls_minimum_protocol_version: 'TLSv1_2',
                  cipher_suites: ['[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]', 'AES256-GCM-SHA384'],
                },
                tls_certificate_sds_secret_configs: [{ name: 'default' }],
                combined_validation_context: {
                  default_validation_context: { match_subject_alt_names: [{ exact: 'spiffe://a' }] },
                  validation_context_sds_secret_config: { name: 'ROOTCA' },
                },
              },
            },
          },
        },
      ],
    },
    testDeps,
  );
  expect(said(compiled)).toEqual([]);
  expect(compiled.program).toMatchObject({
    statName: 'outbound|80|v1|c;',
    lb: { policy: 'LEAST_REQUEST', choiceCount: 2, activeRequestBias: 1 },
    panicThreshold: 0,
    localityWeighted: true,
    thresholds: {
      DEFAULT: {
        maxConnections: 1,
        maxPendingRequests: 2,
        maxRequests: 1024,
        retryBudget: { fraction: 0.5, minConcurrency: 3 },
      },
    },
    outlierDetection: {
      consecutive5xx: 7,
      maxEjectionFraction: 1,
      baseEjectionTime: 15_000,
      interval: 10_000,
      enforcingConsecutiveGatewayFailure: 0,
    },
    secretNames: ['default', 'ROOTCA'],
  });
  const { transport } = compiled.program!.transportMatches[0]!;
  if (transport.kind !== 'tls') throw new Error('not TLS');
  expect(transport.tls).toMatchObject({
    minVersion: 'TLSv1.2',
    maxVersion: undefined,
    ciphers: [['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'], ['AES256-GCM-SHA384']],
    sni: 's',
  });
  expect(
    transport.tls.validation!.sanMatchers.map((matcher) => [
      matcher.type,
      matcher.matches('spiffe://a'),
      matcher.matches('spiffe://b'),
    ]),
  ).toEqual([['ANY', true, false]]);
});

test.each([
  [
    { name: 'c', lbPolicy: 'MAGLEV', maglevLbConfig: { tableSize: 100 } },
    'maglevLbConfig.tableSize: must be a prime number of at most 5000011',
  ],
  [
    { name: 'c', lbPolicy: 'RING_HASH', ringHashLbConfig: { minimumRingSize: 10, maximumRingSize: 5 } },
    'ringHashLbConfig.minimumRingSize: 10 is more than `maximumRingSize` 5',
  ],
  [
    { name: 'c', lbPolicy: 'LEAST_REQUEST', leastRequestLbConfig: { choiceCount: 1 } },
    'leastRequestLbConfig.choiceCount: must be at least 2',
  ],
  [
    { name: 'c', type: 'EDS', edsClusterConfig: { edsConfig: { ads: {} } }, loadAssignment: { clusterName: 'c' } },
    'loadAssignment: a cluster of type EDS has no endpoints of its own',
  ],
  [{ name: 'c', type: 'LOGICAL_DNS' }, 'loadAssignment: a LOGICAL_DNS cluster has exactly one endpoint'],
  [
    { name: 'c', type: 'LOGICAL_DNS', loadAssignment: { clusterName: 'c' } },
    'loadAssignment: a LOGICAL_DNS cluster has exactly one endpoint',
  ],
  [
    {
      name: 'c',
      type: 'LOGICAL_DNS',
      loadAssignment: {
        clusterName: 'c',
        endpoints: [
          { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: 'a.test', portValue: 80 } } } }] },
          { priority: 1 },
        ],
      },
    },
    'loadAssignment: a LOGICAL_DNS cluster has exactly one endpoint',
  ],
  [
    {
      name: 'c',
      healthChecks: [{ timeout: '1s', interval: '1s', unhealthyThreshold: 1, httpHealthCheck: { path: '/' } }],
    },
    'healthChecks[0].healthyThreshold: must be there',
  ],
  [
    {
      name: 'c',
      typedExtensionProtocolOptions: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': any('envoy.extensions.upstreams.http.v3.HttpProtocolOptions'),
          explicitHttpConfig: { http2ProtocolOptions: {} },
        },
      },
    },
    'typedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].explicitHttpConfig.http2ProtocolOptions: there is no HTTP/2 yet',
  ],
])('%j is refused', (cluster, message) => expect(said(compileCluster(cluster, testDeps))).toEqual([message]));

test('endpoints come in order of priority', () => {
  const at = (address: string, more: object = {}): object => ({
    endpoint: { address: { socketAddress: { address, portValue: 80 } } },
    ...more,
  });
  const { program } = compileEndpoints(
    {
      clusterName: 'c',
      endpoints: [
        { priority: 1, lbEndpoints: [at('127.0.0.2')] },
        {
          locality: { region: 'r', zone: 'z' },
          loadBalancingWeight: 3,
          lbEndpoints: [
            at('127.0.0.1', {
              healthStatus: 'DRAINING',
              loadBalancingWeight: 5,
              metadata: { filterMetadata: { istio: { a: 1 } } },
            }),
          ],
        },
      ],
      policy: { overprovisioningFactor: 100, dropOverloads: [{ category: 'x', dropPercentage: { numerator: 10 } }] },
    },
    testDeps,
  );
  expect(program).toMatchObject({ name: 'c', overprovisioningFactor: 100, dropOverload: 0.1 });
  expect(
    program!.localities.map(({ priority, region, weight, endpoints }) => [priority, region, weight, endpoints[0]]),
  ).toMatchObject([
    [
      0,
      'r',
      3,
      {
        address: { kind: 'socket', address: '127.0.0.1', port: 80 },
        health: 'DRAINING',
        weight: 5,
        metadata: { istio: { a: 1 } },
      },
    ],
    [1, '', undefined, { health: 'UNKNOWN', weight: 1 }],
  ]);
  expect(
    said(compileEndpoints({ clusterName: 'c', endpoints: [{ lbEndpoints: [{ endpoint: {} }] }] }, testDeps)),
  ).toEqual(['endpoints[0].lbEndpoints[0].endpoint.address: must be there']);
});

test('secrets', () => {
  const authority = testAuthority();
  const { certificatePem, keyPem } = authority.issue('one', 'DNS:one.test');
  const other = authority.issue('other', 'DNS:other.test');
  expect(
    compileSecret(
      {
        name: 'default',
        tlsCertificate: {
          certificateChain: { inlineBytes: Buffer.from(certificatePem).toString('base64') },
          privateKey: { inlineString: keyPem },
        },
      },
      testDeps,
    ).program,
  ).toMatchObject({
    kind: 'certificate',
    name: 'default',
    certificate: { certificateChainPem: certificatePem, privateKeyPem: keyPem, passphrase: undefined },
  });
  expect(
    compileSecret({ name: 'ROOTCA', validationContext: { trustedCa: { inlineString: authority.rootPem } } }, testDeps)
      .program,
  ).toMatchObject({ kind: 'validation', validation: { trustedCaPem: authority.rootPem, sanMatchers: [] } });
  const pair = (certificate: string, key: string): string[] =>
    said(
      compileSecret(
        {
          name: 'x',
          tlsCertificate: { certificateChain: { inlineString: certificate }, privateKey: { inlineString: key } },
        },
        testDeps,
      ),
    );
  expect(pair('CERT', keyPem)).toEqual(['tlsCertificate.certificateChain: has no certificate in PEM']);
  expect(pair(certificatePem, 'KEY')[0]).toMatch(/^tlsCertificate\.privateKey: is not a private key in PEM/);
  expect(pair(certificatePem, other.keyPem)).toEqual(['tlsCertificate.privateKey: is not the key of the certificate']);
  expect(
    said(compileSecret({ name: 'x', validationContext: { trustedCa: { inlineString: 'CA' } } }, testDeps)),
  ).toEqual(['validationContext.trustedCa: has no certificate in PEM']);
  expect(
    said(compileSecret({ name: 'x', tlsCertificate: { certificateChain: { filename: '/none' } } }, testDeps)),
  ).toEqual(['tlsCertificate.privateKey: must be there']);
  expect(
    said(compileSecret({ name: 'x', validationContext: { trustedCa: { environmentVariable: 'NONE' } } }, testDeps)),
  ).toEqual(['validationContext.trustedCa.environmentVariable: `NONE` is not set']);
});

const HCM = any('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager');
const router = { name: 'router', typedConfig: { '@type': any('envoy.extensions.filters.http.router.v3.Router') } };
const listener = (hcm: object, more: object = {}): object => ({
  name: 'l',
  address: { socketAddress: { address: '127.0.0.1', portValue: 80 } },
  filterChains: [
    {
      filters: [
        {
          name: 'h',
          typedConfig: {
            '@type': HCM,
            statPrefix: 's',
            rds: { routeConfigName: 'r', configSource: { ads: {} } },
            httpFilters: [router],
            ...hcm,
          },
        },
      ],
    },
  ],
  ...more,
});
const field = (rest: string): string => `filterChains[0].filters[0].typedConfig.${rest}`;

test('a connection manager has Envoy’s defaults', () => {
  const { program } = compileListener(listener({}), testDeps);
  expect(program).toMatchObject({
    routeConfigs: [{ name: 'r', statPrefix: 's' }],
    bindToPort: true,
    listenerFiltersTimeout: 15_000,
    statPrefix: '127.0.0.1_80',
  });
  expect(program!.chains[0]!.filters[0]).toMatchObject({
    kind: 'http_connection_manager',
    hcm: {
      routes: { kind: 'rds', name: 'r' },
      maxRequestHeadersBytes: 61_440,
      maxHeadersCount: 100,
      idleTimeout: 3_600_000,
      streamIdleTimeout: 300_000,
      requestTimeout: 0,
      delayedCloseTimeout: 1000,
      serverName: 'envoy',
      clientCert: { mode: 'SANITIZE', subject: false, cert: false, dns: false, uri: false },
      generateRequestId: true,
      escapedSlashes: 'KEEP_UNCHANGED',
      stripPort: 'none',
      filters: [],
    },
  });
});

test.each<[object, object, string[]]>([
  [{ httpFilters: [] }, {}, [field('httpFilters: must end with the router')]],
  [
    { httpFilters: [router, { ...router, name: 'again' }] },
    {},
    [field('httpFilters[0]: the router must be the last filter')],
  ],
  [{ codecType: 'HTTP2' }, {}, [field('codecType: `HTTP2`: there is no HTTP/2 yet')]],
  [
    { stripAnyHostPort: true, stripMatchingHostPort: true },
    {},
    [field('stripAnyHostPort: does not go with `stripMatchingHostPort`')],
  ],
  [
    {
      httpFilters: [{ name: 'x', typedConfig: { '@type': any('envoy.extensions.filters.http.wasm.v3.Wasm') } }, router],
    },
    {},
    [field('httpFilters[0].typedConfig: `envoy.extensions.filters.http.wasm.v3.Wasm` is not supported')],
  ],
  [
    { upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'WebSocket' }] },
    {},
    [field('upgradeConfigs[1].upgradeType: `WebSocket` is there twice')],
  ],
  [{}, { address: undefined }, ['address: must be there']],
  [{}, { filterChains: [] }, ['filterChains: must not be empty']],
  [
    {},
    {
      accessLog: [
        {
          name: 'a',
          typedConfig: {
            '@type': any('envoy.extensions.access_loggers.file.v3.FileAccessLog'),
            path: '/dev/stdout',
            format: '%OOPS%',
          },
        },
      ],
    },
    ['accessLog[0].typedConfig.format: the command operator `OOPS` is not supported'],
  ],
])('%j %j is refused', (hcm, more, messages) =>
  expect(said(compileListener(listener(hcm, more), testDeps))).toEqual(messages),
);

test.each<[object, string]>([
  [
    { virtualHosts: [{ name: 'a', domains: ['x', 'X'] }] },
    'virtualHosts[0].domains[1]: `X` belongs to another virtual host',
  ],
  [
    { virtualHosts: [{ name: 'a', domains: ['*'], routes: [{ match: { prefix: '/' } }] }] },
    'virtualHosts[0].routes[0]: must have `directResponse`, `filterAction`, `nonForwardingAction`, `redirect` or `route`',
  ],
  [
    { virtualHosts: [{ name: 'a', domains: ['*'], routes: [{ match: {}, route: { cluster: 'c' } }] }] },
    'virtualHosts[0].routes[0].match: must have `connectMatcher`, `path`, `pathMatchPolicy`, `pathSeparatedPrefix`, `prefix` or `safeRegex`',
  ],
  [
    {
      virtualHosts: [
        { name: 'a', domains: ['*'], routes: [{ match: { safeRegex: { regex: '(' } }, route: { cluster: 'c' } }] },
      ],
    },
    'virtualHosts[0].routes[0].match.safeRegex.regex: `(` is not a regular expression of RE2: error parsing regexp: missing closing ): `(`',
  ],
  [
    {
      virtualHosts: [
        {
          name: 'a',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { weightedClusters: { clusters: [{ name: 'c', weight: 0 }] } } }],
        },
      ],
    },
    'virtualHosts[0].routes[0].route.weightedClusters.clusters: the weights must add up to more than 0',
  ],
  [
    { virtualHosts: [{ name: 'a', domains: ['*'], requestHeadersToAdd: [{ header: { key: 'Host', value: 'x' } }] }] },
    'virtualHosts[0].requestHeadersToAdd[0].header.key: `Host` cannot be changed',
  ],
  [
    {
      virtualHosts: [
        {
          name: 'a',
          domains: ['*'],
          routes: [
            { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'x'.repeat(5000) } } },
          ],
        },
      ],
    },
    'virtualHosts[0].routes[0].directResponse.body: has 5000 bytes, more than the 4096 of `maxDirectResponseBodySizeBytes`',
  ],
])('%j is refused', (config, message) =>
  expect(said(compileRouteConfiguration({ name: 'r', ...config }, testDeps))).toEqual([message]),
);

/**
 * What packages/api/src/support says is left out or refused, tried: files are translated for one of Mizzen's own sidecars
 * and given to its proxy's check of fields.
 */
import { expect, test } from 'vitest';
import { buildSnapshot, parseDocuments, unsupportedFields } from '../packages/api/src/index.ts';
import { buildModel } from '../packages/model/src/index.ts';
import { checkFields } from '../packages/proxy/src/program/read-resource.ts';
import { translate } from '../packages/translator/src/index.ts';
import { TypeUrl } from '../packages/xds/src/index.ts';

const WEB = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: tcp-db, port: 5432 }, { name: grpc-web, port: 81, targetPort: 8081 }] }
---
`;
const CLIENT = { httpProxy: { address: '127.0.1.1', port: 15080 } };
const SERVER = {
  ...CLIENT,
  inbound: [8080, 8081].map((port) => ({
    containerPort: port,
    address: '127.0.1.2',
    port,
    applicationAddress: '127.0.0.1',
    applicationPort: port + 10_000,
  })),
  outbound: [{ address: '127.0.1.3', port: 5432, host: 'web.default.svc.cluster.local', servicePort: 5432 }],
};
const pod = {
  name: 'web-0',
  namespace: 'default',
  owner: { kind: 'Deployment', namespace: 'default', name: 'web' },
  address: '127.0.1.2',
  boundPorts: {},
  labels: { app: 'web' },
  ready: true,
  terminating: false,
  hasSidecar: true,
};
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, ports: [{ containerPort: 8080 }, { containerPort: 8081 }] }] } } }
---
`;

/** What is warned of in some files, and what the proxy says to what becomes of them. */
function tryOut(yaml: string, mesh: object = {}): { readonly warned: string[]; readonly refused: string[] } {
  const { resources, diagnostics } = parseDocuments('a.yaml', `${WEB}${DEPLOYMENT}${yaml}`);
  expect(diagnostics).toEqual([]);
  const meshConfig = { file: 'mesh.yaml', index: 0, firstLine: 1, text: JSON.stringify(mesh) };
  const built = buildSnapshot(resources, { version: 1, meshConfig });
  const id = 'sidecar~127.0.1.2~web-0.default~default.svc.cluster.local';
  const metadata = {
    NAME: 'web-0',
    NAMESPACE: 'default',
    LABELS: { app: 'web' },
    INSTANCE_IPS: '127.0.1.2',
    MIZZEN: SERVER,
  };
  const { resources: xds } = translate(buildModel(built.snapshot, [pod]), { id, metadata });
  const refused = [
    ...xds.listeners.flatMap((each) => checkFields(TypeUrl.listener, each)),
    ...xds.routes.flatMap((each) => checkFields(TypeUrl.route, each)),
    ...xds.clusters.flatMap((each) => checkFields(TypeUrl.cluster, each)),
    ...xds.endpoints.flatMap((each) => checkFields(TypeUrl.endpoint, each)),
  ];
  const warnings = [...resources.flatMap((each) => unsupportedFields(each)), ...built.diagnostics];
  return {
    warned: warnings.map(({ message }) => message.split('`')[1] ?? '').filter((name) => name !== 'name: grpc-web'),
    refused: [...new Set(refused.map(({ field, message }) => `${field.split('.').at(-1)}: ${message}`))],
  };
}

const net = (kind: string, spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: { name: web }\nspec: ${spec}\n---\n`;
const policy = (spec: string): string =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: web }\nspec: ${spec}\n---\n`;
const telemetry = (spec: string): string =>
  `apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: { name: web }\nspec: ${spec}\n---\n`;

test.each([
  [
    'DestinationRule',
    net(
      'DestinationRule',
      '{ host: web, trafficPolicy: { loadBalancer: { simple: PASSTHROUGH, zoneAwareLbSetting: { enabled: true, minClusterSize: 2 } }, connectionPool: { http: { h2UpgradePolicy: UPGRADE, useClientProtocol: true, maxConcurrentStreams: 5, http2KeepAlive: { interval: 1s } } } } }',
    ),
    ['h2UpgradePolicy: UPGRADE'],
  ],
  [
    'VirtualService',
    net(
      'VirtualService',
      '{ hosts: [web], http: [{ match: [{ port: 80, statPrefix: a }], retries: { attempts: 1, retryRemoteLocalities: true }, route: [{ destination: { host: web, port: { number: 80 } } }] }], tcp: [{ match: [{ port: 5432, destinationSubnets: [10.0.0.0/8] }], route: [{ destination: { host: web, port: { number: 5432 } } }] }] }',
    ),
    ['destinationSubnets'],
  ],
  [
    'Telemetry',
    telemetry(
      '{ accessLogging: [{ providers: [{ name: envoy }], filter: { expression: response.code >= 400 } }], tracing: [{ randomSamplingPercentage: 5 }], metrics: [{ providers: [{ name: prometheus }] }] }',
    ),
    [],
  ],
  ['AuthorizationPolicy', policy('{ targetRefs: [{ kind: Service, name: web }], rules: [{}] }'), ['kind: Service']],
  [
    'WasmPlugin',
    'apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: web }\nspec: { url: oci://example.com/a }\n',
    ['WasmPlugin'],
  ],
  [
    'TrafficExtension',
    'apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: { name: web }\nspec: { lua: { inlineCode: x } }\n',
    ['TrafficExtension'],
  ],
])('%s: what is left out stops nothing', (_kind, yaml, warned) => {
  const result = tryOut(yaml);
  expect(result.warned.toSorted()).toEqual(warned.toSorted());
  expect(result.refused).toEqual([]);
});

test('what is supported, all at once, is neither warned of nor refused', () => {
  const yaml = [
    net(
      'DestinationRule',
      '{ host: web, subsets: [{ name: v1, labels: { version: v1 } }], trafficPolicy: { loadBalancer: { consistentHash: { httpCookie: { name: a, ttl: 1s, path: /, attributes: [{ name: SameSite, value: Lax }] }, maglev: { tableSize: "1021" } }, localityLbSetting: { failoverPriority: [region] }, warmup: { duration: 1s, aggression: 1, minimumPercent: 10 } }, connectionPool: { tcp: { maxConnections: 1, connectTimeout: 1s, tcpKeepalive: { probes: 1, time: 1s, interval: 1s }, maxConnectionDuration: 1s, idleTimeout: 1s }, http: { http1MaxPendingRequests: 1, http2MaxRequests: 1, maxRequestsPerConnection: 1, maxRetries: 1, idleTimeout: 1s } }, outlierDetection: { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 1, consecutiveGatewayErrors: 1, consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1s, maxEjectionPercent: 1, minHealthPercent: 1 }, retryBudget: { percent: 1, minRetryConcurrency: 1 }, tls: { mode: SIMPLE, sni: a.test, subjectAltNames: [a.test] }, proxyProtocol: { version: V2 }, tunnel: { targetHost: a.test, targetPort: 443 } } }',
    ),
    net(
      'VirtualService',
      '{ hosts: [web], http: [{ name: a, match: [{ name: b, uri: { regex: /a.* }, method: { exact: GET }, authority: { prefix: w }, scheme: { exact: http }, headers: { a: { exact: b } }, withoutHeaders: { c: {} }, queryParams: { d: { regex: e } }, port: 80, ignoreUriCase: true, sourceNamespace: default, sourceLabels: { app: web } }], rewrite: { uriRegexRewrite: { match: a, rewrite: b }, authority: c }, timeout: 1s, retries: { attempts: 1, perTryTimeout: 1s, retryOn: "5xx,429", backoff: 1s, retryIgnorePreviousHosts: false }, fault: { delay: { fixedDelay: 1s, percentage: { value: 1 } }, abort: { grpcStatus: UNAVAILABLE, percentage: { value: 1 } } }, mirrors: [{ destination: { host: web, port: { number: 80 } }, percentage: { value: 1 } }], corsPolicy: { allowOrigins: [{ exact: a }], allowMethods: [GET], allowHeaders: [a], exposeHeaders: [b], maxAge: 1s, allowCredentials: true, unmatchedPreflights: IGNORE }, headers: { request: { set: { a: "%START_TIME%" }, add: { b: c }, remove: [d] }, response: { set: { a: b } } }, route: [{ weight: 1, headers: { request: { set: { a: b } } }, destination: { host: web, subset: v1, port: { number: 80 } } }, { weight: 1, destination: { host: web, port: { number: 80 } } }] }, { match: [{ uri: { exact: /b } }], directResponse: { status: 200, body: { string: a } } }, { match: [{ uri: { prefix: /c } }], redirect: { uri: /d, authority: a, port: 1, scheme: https, redirectCode: 307 } }] }',
    ),
    policy('{ action: CUSTOM, provider: { name: x }, rules: [{ to: [{ operation: { paths: [/a] } }] }] }'),
    policy(
      '{ action: DENY, rules: [{ from: [{ source: { principals: [a], notNamespaces: [b], ipBlocks: [10.0.0.0/8], remoteIpBlocks: [10.0.0.0/8], requestPrincipals: ["*"], serviceAccounts: [a], trustDomains: [b] } }], to: [{ operation: { hosts: [a], methods: [GET], paths: [/a, "/b/{*}/c"], ports: ["8080"] } }], when: [{ key: "request.auth.claims[a]", values: [b] }, { key: "request.headers[a]", notValues: [c] }, { key: connection.sni, values: [d] }] }] }',
    ),
    'apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: { name: web }\nspec: { jwtRules: [{ issuer: a, audiences: [b], jwks: "{\\"keys\\":[]}", fromHeaders: [{ name: a, prefix: b }], fromParams: [c], fromCookies: [d], outputPayloadToHeader: e, forwardOriginalToken: true, outputClaimToHeaders: [{ header: f, claim: g }], spaceDelimitedClaims: [h] }] }\n---\n',
    'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: web }\nspec: { selector: { matchLabels: { app: web } }, mtls: { mode: STRICT }, portLevelMtls: { 8080: { mode: PERMISSIVE } } }\n---\n',
    net(
      'Sidecar',
      '{ egress: [{ hosts: ["./*"], port: { number: 80, protocol: HTTP, name: http } }, { hosts: ["*/*"] }], outboundTrafficPolicy: { mode: REGISTRY_ONLY }, ingress: [{ port: { number: 8080, protocol: HTTP, name: http }, defaultEndpoint: "127.0.0.1:8081", connectionPool: { tcp: { maxConnections: 3 } } }] }',
    ),
  ].join('');
  const mesh = {
    extensionProviders: [{ name: 'x', envoyExtAuthzHttp: { service: 'web.default.svc.cluster.local', port: 80 } }],
    accessLogFile: '/dev/stdout',
    accessLogEncoding: 'JSON',
    connectTimeout: '1s',
    protocolDetectionTimeout: '1s',
    tcpKeepalive: { probes: 1 },
    pathNormalization: { normalization: 'DECODE_AND_MERGE_SLASHES' },
    meshMTLS: { minProtocolVersion: 'TLSV1_3' },
    tlsDefaults: { ecdhCurves: ['P-256'] },
    trustDomainAliases: ['old'],
    defaultTrafficPolicy: { connectionPool: { tcp: { maxConnections: 9 } }, outlierDetection: { interval: '1s' } },
    serviceEntryVisibility: { applyToSidecars: true, defaultVisibility: 'NAMESPACE' },
    discoverySelectors: [{ matchLabels: { 'kubernetes.io/metadata.name': 'default' } }],
    inboundClusterStatName: 'in_%SERVICE%',
    defaultHttpRetryPolicy: { attempts: 3 },
    defaultConfig: {
      concurrency: 2,
      proxyHeaders: {
        server: { value: 'x' },
        attemptCount: { disabled: true },
        setCurrentClientCertDetails: { cert: true },
        preserveHttp1HeaderCase: true,
        xForwardedHost: { enabled: true },
        xForwardedPort: { enabled: true },
      },
      connectionSettings: { httpIdleTimeout: '1s', httpMergeSlashes: true, httpMaxConcurrentStreams: 5 },
    },
  };
  expect(tryOut(yaml, mesh)).toEqual({ warned: [], refused: [] });
});

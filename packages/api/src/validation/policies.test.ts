import { expect, test } from 'vitest';
import { findings } from './testing.ts';

type Case = readonly [spec: string, expected: readonly string[]];
const run = (apiVersion: string, kind: string, cases: readonly Case[]): void => {
  test.each(cases)(`${kind}: %s`, (spec, expected) => {
    expect(findings(apiVersion, kind, spec)).toEqual(expected);
  });
};

run('security.istio.io/v1', 'AuthorizationPolicy', [
  ['{}', []],
  ['rules: [{from: [{source: {principals: [a]}}], to: [{operation: {methods: [GET], paths: ["/a/{*}/{**}"]}}]}]', []],
  ['rules: [{from: []}]', ['MZ1006 rules.0.from']],
  ['rules: [{from: [{source: {}}]}]', ['MZ1006 rules.0.from.0.source']],
  ['rules: [{from: [{source: {principals: [a], serviceAccounts: [b]}}]}]', ['MZ1005 rules.0.from.0.source']],
  [
    'rules: [{from: [{source: {serviceAccounts: [a/b/c, "*"]}}]}]',
    ['MZ1016 rules.0.from.0.source.serviceAccounts.0', 'MZ1017 rules.0.from.0.source.serviceAccounts.1'],
  ],
  ['rules: [{from: [{source: {ipBlocks: [10.0.0.0/8, "::1", 10.0.0]}}]}]', ['MZ1014 rules.0.from.0.source.ipBlocks.2']],
  ['rules: [{to: [{operation: {ports: ["80", "x"]}}]}]', ['MZ1012 rules.0.to.0.operation.ports.1']],
  ['rules: [{to: [{operation: {ports: [80]}}]}]', ['MZ1002 rules.0.to.0.operation.ports.0']],
  [
    'rules: [{to: [{operation: {paths: ["/{**}/{*}", "/{id}"]}}]}]',
    ['MZ1017 rules.0.to.0.operation.paths.0', 'MZ1017 rules.0.to.0.operation.paths.1'],
  ],
  ['rules: [{when: [{key: request.headers, values: [a]}]}]', ['MZ1017 rules.0.when.0.key']],
  ['rules: [{when: [{key: "request.headers[x]", values: [a]}]}]', []],
  ['rules: [{when: [{key: source.ipp, values: [a]}]}]', ['MZ1017 rules.0.when.0.key']],
  ['rules: [{when: [{key: source.ip, notValues: [a]}]}]', ['MZ1014 rules.0.when.0.notValues.0']],
  ['rules: [{when: [{key: source.principal}]}]', ['MZ1006 rules.0.when.0']],
  ['rules: [{when: [{key: destination.name, values: [a]}]}]', ['MZ1007 rules.0.when.0.key']],
  ['action: DENY', ['MZ1006 ']],
  ['action: DENY\nrules: [{to: [{operation: {methods: [GET]}}]}]', ['warn MZ1203 rules.0']],
  ['action: DENY\nrules: [{to: [{operation: {methods: [GET], ports: ["80"]}}]}]', []],
  ['action: CUSTOM\nrules: [{}]', ['MZ1006 ']],
  [
    'action: CUSTOM\nprovider: {name: p}\nrules: [{from: [{source: {principals: [a]}}]}]',
    ['MZ1007 rules.0.from.0.source.principals'],
  ],
  ['provider: {name: p}', ['MZ1005 provider']],
  ['selector: {matchLabels: {a: b}}\ntargetRefs: [{kind: Service, name: a}]', ['MZ1005 targetRefs']],
  [
    'targetRefs: [{kind: Deployment, group: apps, name: a, namespace: b}]',
    ['MZ1007 targetRefs.0.namespace', 'MZ1017 targetRefs.0'],
  ],
]);

test('dry runs are for policies that allow or deny', () => {
  const find = (kind: string, value: string, spec = '{}'): string[] =>
    findings('security.istio.io/v1', kind, spec, `name: a, annotations: {istio.io/dry-run: "${value}"}`);
  expect(find('AuthorizationPolicy', 'true')).toEqual([]);
  expect(find('AuthorizationPolicy', 'maybe')).toEqual(['MZ1017 annotations.istio.io/dry-run']);
  expect(find('AuthorizationPolicy', 'true', 'action: AUDIT')).toEqual(['MZ1007 annotations.istio.io/dry-run']);
  expect(find('PeerAuthentication', 'true')).toEqual(['MZ1007 annotations.istio.io/dry-run']);
});

run('security.istio.io/v1', 'PeerAuthentication', [
  ['mtls: {mode: STRICT}', []],
  ['mtls: {mode: strict}', ['MZ1003 mtls.mode']],
  ['portLevelMtls: {80: {mode: STRICT}}', ['MZ1005 portLevelMtls']],
  ['selector: {matchLabels: {a: b}}\nportLevelMtls: {http: {mode: STRICT}}', ['MZ1012 portLevelMtls.http']],
  ['selector: {}', ['warn MZ1203 selector.matchLabels']],
]);

const KEY = '{"kty":"RSA","n":"x","e":"AQAB"}';
run('security.istio.io/v1', 'RequestAuthentication', [
  [`jwtRules: [{issuer: a, jwks: '{"keys":[${KEY}]}', fromHeaders: [{name: x}]}]`, []],
  ['jwtRules: [{}]', ['MZ1006 jwtRules.0']],
  ['jwtRules: [{issuer: a, jwksUri: example.com/keys}]', ['MZ1014 jwtRules.0.jwksUri']],
  ["jwtRules: [{issuer: a, jwks: '{'}]", ['MZ1017 jwtRules.0.jwks']],
  [`jwtRules: [{issuer: a, jwks: '{"keys":[{}]}'}]`, ['MZ1017 jwtRules.0.jwks']],
  [`jwtRules: [{issuer: a, jwks: '{"keys":[{"kty":"RSA","d":"secret"}]}'}]`, ['warn MZ1203 jwtRules.0.jwks']],
  [`jwtRules: [{issuer: a, jwksUri: "https://x", jwks: '${KEY}'}]`, ['MZ1005 jwtRules.0.jwks']],
  [
    'jwtRules: [{issuer: a, audiences: [""], outputClaimToHeaders: [{claim: b, header: "x:y"}]}]',
    ['MZ1006 jwtRules.0.audiences.0', 'MZ1016 jwtRules.0.outputClaimToHeaders.0.header'],
  ],
]);

run('telemetry.istio.io/v1', 'Telemetry', [
  ['accessLogging: [{providers: [{name: envoy}]}]', []],
  ['accessLogging: [{providers: [{}]}]', ['MZ1006 accessLogging.0.providers.0']],
  [
    'tracing: [{randomSamplingPercentage: 101, customTags: {x: {header: {}}}}]',
    ['MZ1012 tracing.0.randomSamplingPercentage', 'MZ1006 tracing.0.customTags.x.header'],
  ],
  [
    'metrics: [{overrides: [{tagOverrides: {x: {operation: REMOVE, value: y}}}]}]',
    ['MZ1005 metrics.0.overrides.0.tagOverrides.x'],
  ],
]);

run('networking.istio.io/v1beta1', 'ProxyConfig', [
  ['concurrency: 0', []],
  ['concurrency: -1', ['MZ1012 concurrency']],
]);

run('extensions.istio.io/v1alpha1', 'WasmPlugin', [
  ['url: registry.example/plugin:v1', []],
  ['url: ftp://x', ['MZ1014 url']],
  ['url: x\nsha256: abc', ['MZ1017 sha256']],
  ['url: x\nvmConfig: {env: [{name: A, valueFrom: HOST, value: b}]}', ['MZ1005 vmConfig.env.0.value']],
  ['url: x\nmatch: [{ports: [{number: 0}]}]', ['MZ1012 match.0.ports.0']],
]);

run('extensions.istio.io/v1alpha1', 'TrafficExtension', [
  ['lua: {inlineCode: "x"}', []],
  ['{}', ['MZ1005 ']],
  ['lua: {inlineCode: ""}', ['MZ1006 lua']],
]);

const ALWAYS = 'warn MZ1203 ';
const HCM = 'envoy.filters.network.http_connection_manager';
run('networking.istio.io/v1alpha3', 'EnvoyFilter', [
  ['configPatches: [{applyTo: CLUSTER, patch: {operation: REMOVE}}]', [ALWAYS]],
  ['configPatches: [{patch: {operation: REMOVE}}]', [ALWAYS, 'MZ1006 configPatches.0']],
  ['configPatches: [{applyTo: CLUSTER, patch: {operation: MERGE}}]', [ALWAYS, 'MZ1006 configPatches.0.patch']],
  [
    'configPatches: [{applyTo: CLUSTER, match: {listener: {}}, patch: {operation: REMOVE}}]',
    [ALWAYS, 'MZ1005 configPatches.0.match.listener'],
  ],
  [
    `configPatches: [{applyTo: NETWORK_FILTER, match: {listener: {filterChain: {filter: {name: ${HCM}, subFilter: {name: x}}}}}, patch: {operation: REMOVE}}]`,
    [ALWAYS, 'MZ1005 configPatches.0.match.listener.filterChain.filter.subFilter'],
  ],
  [
    'configPatches: [{applyTo: CLUSTER, match: {proxy: {proxyVersion: "("}}, patch: {operation: REMOVE}}]',
    [ALWAYS, 'MZ1017 configPatches.0.match.proxy.proxyVersion'],
  ],
]);

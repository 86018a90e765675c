import { expect, test } from 'vitest';
import { parseDocuments } from '../documents.ts';
import { readMeshConfig } from '../mesh/read.ts';
import { locate } from '../locate.ts';
import type { Engine } from './types.ts';
import { mootFields, surprisingFields, unsupportedFields } from './unsupported.ts';

function found(text: string, engine?: Engine): string[] {
  const { resources, diagnostics } = parseDocuments('a.yaml', text);
  expect(diagnostics).toEqual([]);
  return resources.flatMap((resource) =>
    unsupportedFields(resource, engine).map(({ code, message, path = [], at, help = '' }) => {
      const line = locate(resource, path, at)?.line;
      return [`${line} ${code}`, message, help].join(' | ');
    }),
  );
}

const rule = (policy: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: a\n  trafficPolicy:\n    ${policy}\n`;

test('a field that is not supported is named with its line and what stands in', () => {
  expect(found(rule('loadBalancer:\n      backendUtilization: {}'))).toEqual([
    '8 MZ1205 | `backendUtilization` is not supported yet: endpoints are balanced by requests, whatever load they report | leave it out',
  ]);
});

test('what is set asks for something, a spelled-out default does not', () => {
  expect(found(rule('loadBalancer: {backendUtilization: {}}'))).toHaveLength(1);
  expect(found(rule('outlierDetection: {consecutiveErrors: 0, outlierDetectionHttpErrorCodes: []}'))).toEqual([]);
});

test('values are told apart from fields', () => {
  expect(found(rule('connectionPool: {http: {h2UpgradePolicy: UPGRADE}}'))).toEqual([
    '7 MZ1205 | `h2UpgradePolicy: UPGRADE` is not supported yet: connections between sidecars stay HTTP/1.1 | ',
  ]);
  expect(found(rule('connectionPool: {http: {h2UpgradePolicy: DO_NOT_UPGRADE}}'))).toEqual([]);
  expect(found(rule('loadBalancer: {simple: PASSTHROUGH}'))).toEqual([]);
});

test('engines are told apart', () => {
  const upgrade = rule('connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}');
  expect(found(upgrade, 'mizzen')).toHaveLength(1);
  expect(found(upgrade, 'envoy')).toEqual([]);
});

test('what a resource uses twice is said once', () => {
  const tcp = '- match: [{destinationSubnets: [10.0.0.0/8]}]\n    route: [{destination: {host: a}}]';
  const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  tcp:\n  ${tcp}\n  ${tcp}\n  ${tcp}\n`;
  expect(found(text)).toEqual([
    expect.stringMatching(
      /^7 MZ1205 \| `destinationSubnets` is not supported yet: .* \(and in 2 more places of this resource\) \| /,
    ),
  ]);
});

test('policies that are for waypoints', () => {
  const policy = (spec: string): string[] =>
    found(`apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: ${spec}\n`);
  expect(policy('{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: a}]}')).toEqual([]);
  expect(policy('{targetRefs: [{kind: Service, group: "", name: a}]}')[0]).toMatch(
    /^4 MZ1205 \| `kind: Service` is not supported yet: it is about waypoints/,
  );
  expect(policy('{action: CUSTOM, provider: {name: x}, rules: [{}]}')).toEqual([]);
  expect(policy('{action: DENY, rules: [{}]}')).toEqual([]);
});

test('tokens whose keys would have to be looked up at the issuer', () => {
  const text =
    'apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec:\n  jwtRules:\n  - {issuer: i, jwks: "{}"}\n  - {issuer: https://b}\n';
  expect(found(text)).toEqual([
    '7 MZ1205 | no token of `https://b` is accepted: its keys are not looked up at the issuer yet | give the keys as `jwks`, or where they are as `jwksUri`',
  ]);
});

test('kinds whose resources do nothing here', () => {
  const text =
    'apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a}\nspec: {url: oci://a}\n---\napiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: {name: b}\nspec: {template: {}}\n';
  expect(found(text).map((each) => each.split(':')[0])).toEqual([
    '3 MZ1205 | `WasmPlugin` is not supported yet',
    '8 MZ1206 | WorkloadGroup `b` has no effect on one machine',
  ]);
});

test('plugins that Envoy has to fetch', () => {
  const plugin = (url: string): string =>
    `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a}\nspec: {url: ${url}, phase: AUTHN}\n`;
  expect(found(plugin('file:///a.wasm'), 'envoy')).toEqual([]);
  expect(found(plugin('oci://a'), 'envoy')).toEqual([
    expect.stringMatching(/^4 MZ1205 \| `url: oci:\/\/a` is not supported yet: Envoy by itself cannot fetch it/),
  ]);
});

test('patches of an EnvoyFilter that pass by the proxies that run here', () => {
  const patch = (match: string, applyTo = 'CLUSTER'): string[] =>
    found(
      `apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: a}\nspec:\n  configPatches:\n  - {applyTo: ${applyTo}, match: ${match}, patch: {operation: MERGE, value: {}}}\n`,
    ).map((each) => each.split('`')[1] ?? '');
  expect(patch('{proxy: {proxyVersion: 1.2}}')).toEqual(['proxyVersion']);
  expect(patch('{context: WAYPOINT}')).toEqual(['context: WAYPOINT']);
  expect(patch('{}', 'BOOTSTRAP')).toEqual(['applyTo: BOOTSTRAP']);
  expect(patch('{context: GATEWAY, proxy: {metadata: {a: b}}}')).toEqual([]);
});

const deployment = (spec: string, rest = ''): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  ${rest}\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n    spec:\n      ${spec}\n`;

test('what containers have and processes do not is not worth a word', () => {
  const spec =
    'securityContext: {runAsUser: 1}\n      volumes: [{name: t, emptyDir: {}}, {name: s, secret: {secretName: s, optional: true}}]\n      initContainers: [{name: istio-init}]\n      containers:\n      - {name: a, image: i, imagePullPolicy: Always, resources: {limits: {cpu: 1}}, command: [x], volumeMounts: [], securityContext: {}, lifecycle: {preStop: {exec: {command: [x]}}}}';
  expect(found(deployment(spec, 'revisionHistoryLimit: 3'))).toEqual([]);
});

test('what is missed by somebody who counts on it', () => {
  const spec =
    'initContainers: [{name: migrate}]\n      volumes: [{name: c, configMap: {name: c}}]\n      containers: [{name: a, lifecycle: {postStart: {exec: {command: [x]}}, preStop: {httpGet: {port: 1}}}}]';
  expect(found(deployment(spec, 'paused: true')).map((each) => each.split('`')[1])).toEqual([
    'paused',
    'initContainers',
    'configMap',
    'postStart',
    'httpGet',
  ]);
});

test('fields that Kubernetes does not have', () => {
  expect(found(deployment('containers: [{name: a}]', 'replica: 3'))).toEqual([
    '5 MZ1207 | `replica` is no field of a Deployment that Mizzen knows | it is left out; did you mean `replicas`?',
  ]);
});

test('annotations of Istio and of Mizzen', () => {
  const pod = (name: string): string[] =>
    found(
      `apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {${name}: "x"}}\nspec: {containers: [{name: a}]}\n`,
    );
  expect(pod('sidecar.istio.io/bootstrapOverride')).toEqual([]);
  expect(pod('mizzen.dev/runs')[0]).toContain('it knows `run`, `dir`, `watch`, `requires`, `build` and `engine`');
  for (const name of ['mizzen.dev/run', 'mizzen.dev/run.main', 'sidecar.istio.io/proxyCPU', 'my.own/thing'])
    expect(pod(name)).toEqual([]);
});

test("what a pod's own ProxyConfig asks for", () => {
  const pod = (config: string): string[] =>
    found(
      `apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {proxy.istio.io/config: '${config}'}}\nspec: {containers: [{name: a}]}\n`,
    );
  expect(pod('{ proxyHeaders: { server: { disabled: true } } }')).toEqual([]);
  expect(pod('{ terminationDrainDuration: 3s }')[0]).toContain('`terminationDrainDuration` is not supported yet');
});

test('ports whose protocol does not get through', () => {
  const service = (port: string): string[] =>
    found(`apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1, ${port}}]}\n`).map(
      (each) => each.split('`')[1] ?? '',
    );
  expect(service('name: grpc')).toEqual(['name: grpc']);
  expect(service('name: grpc-web')).toEqual(['name: grpc-web']);
  expect(service('appProtocol: kubernetes.io/h2c')).toEqual(['appProtocol: kubernetes.io/h2c']);
  for (const port of ['name: http-grpc', 'name: grpcs', 'protocol: UDP', 'appProtocol: http'])
    expect(service(port)).toEqual([]);
});

test('one remark for all that has no effect here although one might expect some', () => {
  const service = (name: string): string =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}\n`;
  const { resources } = parseDocuments('a.yaml', [service('a'), service('b')].join('---\n'));
  const remarks = mootFields(resources.map((resource) => [resource, surprisingFields(resource)]));
  expect(remarks.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
    'info: without effect on one machine: `nodePort` of Service `a` and 1 more (nothing listens at node ports; use a Gateway)',
  ]);
  expect(mootFields([])).toEqual([]);
});

test('the mesh configuration, where it is written', () => {
  const mesh = (text: string): string[] =>
    readMeshConfig([], { file: 'mesh.yaml', index: 0, firstLine: 1, text }).diagnostics.map(
      ({ code, message, span }) => `${span?.line} ${code} ${message.split('`')[1]}`,
    );
  expect(
    mesh('accessLogFile: /dev/stdout\nenableTracing: true\ndefaultConfig:\n  drainDuration: 5s\n  concurrency: 2\n'),
  ).toEqual(['4 MZ1205 drainDuration']);
  expect(mesh('enableTracing: false\nverifyCertificateAtClient: true\n')).toEqual([]);
  expect(mesh('verifyCertificateAtClient: false\n')).toEqual(['1 MZ1205 verifyCertificateAtClient: false']);
});

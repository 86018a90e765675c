import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { buildSnapshot } from '../build-snapshot.ts';
import { parseDocuments } from '../documents.ts';
import { validateResource } from '../validation/index.ts';

const operator = (config: string): string =>
  `apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshConfig:\n${config}`;
const configMap = (mesh: string, namespace = 'istio-system'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: ${namespace}}\ndata:\n  mesh: |\n${mesh}`;

function read(text: string, meshConfig?: string): ReturnType<typeof buildSnapshot> {
  const { resources } = parseDocuments('mesh.yaml', text);
  const file = meshConfig === undefined ? undefined : { file: 'm.yaml', index: 0, firstLine: 1, text: meshConfig };
  return buildSnapshot(resources, { version: 1, meshConfig: file });
}

test("Istio's defaults apply where nothing is said", () => {
  const { mesh, meshSource } = read('').snapshot;
  expect(meshSource).toBeUndefined();
  expect(mesh).toMatchObject({
    rootNamespace: 'istio-system',
    trustDomain: 'cluster.local',
    enableAutoMtls: true,
    outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
    protocolDetectionTimeout: '0s',
    connectTimeout: '10s',
    defaultConfig: { serviceCluster: 'istio-proxy', drainDuration: '45s' },
    defaultProviders: { metrics: ['prometheus'] },
  });
});

test('a file goes before an IstioOperator, which goes before the ConfigMap of istio-system', () => {
  const map = configMap('    accessLogFile: /map\n');
  const both = `${map}---\n${operator('    accessLogFile: /operator\n')}`;
  expect(read(both, 'accessLogFile: /file').snapshot.mesh.accessLogFile).toBe('/file');
  expect(read(both).snapshot).toMatchObject({
    mesh: { accessLogFile: '/operator' },
    meshSource: { kind: 'IstioOperator' },
  });
  expect(read(map).snapshot).toMatchObject({ mesh: { accessLogFile: '/map' }, meshSource: { kind: 'ConfigMap' } });
  expect(read(configMap('    accessLogFile: /other\n', 'default')).snapshot.mesh.accessLogFile).toBe('');
});

test('a field that is set replaces the default whole; proxy settings, providers and aliases are merged', () => {
  const { mesh } = read(
    '',
    `localityLbSetting: {failover: [{from: a, to: b}]}
trustDomainAliases: [b, a, b]
defaultConfig:
  drainDuration: 1m
  tracingServiceName: CANONICAL_NAME_ONLY
  proxyMetadata: {A: "1"}
defaultProviders: {tracing: [otel]}
extensionProviders:
- {name: otel, opentelemetry: {service: otel.local, port: 4317}}
- {name: envoy, envoyFileAccessLog: {path: /dev/null}}
`,
  ).snapshot;
  expect(mesh.localityLbSetting).toEqual({ failover: [{ from: 'a', to: 'b' }] });
  expect(mesh.trustDomainAliases).toEqual(['a', 'b']);
  expect(mesh.defaultConfig).toMatchObject({ drainDuration: '60s', statusPort: 15020, proxyMetadata: { A: '1' } });
  expect(mesh.defaultConfig).not.toHaveProperty('serviceCluster');
  expect(mesh.defaultProviders).toEqual({ tracing: ['otel'] });
  expect(mesh.extensionProviders?.map(({ name }) => name)).toEqual(['prometheus', 'stackdriver', 'envoy', 'otel']);
  expect(mesh.extensionProviders?.[2]).toMatchObject({ envoyFileAccessLog: { path: '/dev/null' } });
});

test.each([
  ['connectTimeout: 2h', 'MZ1012', 1],
  ['trustDomain: "a b"', 'MZ1013', 1],
  ['proxyListenPort: 70000', 'MZ1012', 1],
  ['defaultConfig:\n  discoveryAddress: istiod', 'MZ1014', 2],
  ['defaultConfig:\n  drainDuration: 500ms', 'MZ1012', 2],
  ['extensionProviders: [{name: a}]', 'MZ1006', 1],
  ['extensionProviders:\n- name: a\n  prometheus: {}\n  stackdriver: {}', 'MZ1005', 4],
  ['extensionProviders: [{name: a, envoyExtAuthzGrpc: {service: a.b}}]', 'MZ1012', 1],
  ['defaultProviders: {metrics: [promtheus]}', 'MZ1203', 1],
  ['serviceSettings: [{hosts: ["a b"]}]', 'MZ1013', 1],
])('%j gives %s on line %i', (text, code, line) => {
  expect(read('', text).diagnostics).toMatchObject([{ code, span: { line } }]);
});

test('every recorded mesh configuration of Istio is read without an error', () => {
  const peers = peersFolder();
  const files = peers === undefined ? [] : globSync('istio/xds/**/mesh.yaml', { cwd: peers });
  for (const file of files) {
    const { diagnostics } = read('', readFileSync(join(peers ?? '', file), 'utf8'));
    expect(
      diagnostics.filter(({ severity }) => severity === 'error'),
      file,
    ).toEqual([]);
  }
});

test('mistakes are told with their place, and the other fields count', () => {
  const { snapshot, diagnostics } = read('', 'accessLogFile: /x\nenableAutoMtls: "no"\ntrustDomian: y\n');
  expect(diagnostics).toMatchObject([
    { code: 'MZ1002', span: { file: 'm.yaml', line: 2 } },
    { code: 'MZ1001', span: { file: 'm.yaml', line: 3, column: 1 }, help: 'did you mean `trustDomain`?' },
  ]);
  expect(snapshot.mesh).toMatchObject({ accessLogFile: '/x', enableAutoMtls: true });
  const { resources } = parseDocuments('mesh.yaml', configMap('    accessLogFile: /x\n    trustDomain: 5\n'));
  expect(validateResource(resources[0]!)).toMatchObject([{ code: 'MZ1002', span: { line: 7, column: 18 } }]);
  const quoted =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: "trustDomain: 5"}';
  expect(validateResource(parseDocuments('x', quoted).resources[0]!)).toMatchObject([
    { code: 'MZ1002', span: { line: 4 } },
  ]);
});

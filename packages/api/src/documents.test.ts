import { expect, test } from 'vitest';
import { buildSnapshot } from './build-snapshot.ts';
import { parseDocuments } from './documents.ts';
import { kindKey } from './kind-table.ts';
import { locate } from './locate.ts';
import { refOf } from './resource.ts';

test('resources get their preferred version, a namespace and their place', () => {
  const { resources, diagnostics } = parseDocuments(
    'mesh.yaml',
    `apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: a, labels: {app: a}, creationTimestamp: null}
spec: {hosts: [a]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, namespace: ignored}
`,
    { namespace: 'dev' },
  );
  expect(diagnostics).toEqual([]);
  expect(resources).toMatchObject([
    { apiVersion: 'networking.istio.io/v1', metadata: { name: 'a', namespace: 'dev', labels: { app: 'a' } }, order: 0 },
    { kind: 'Namespace', metadata: { namespace: '' }, source: { index: 1, firstLine: 5 }, order: 1 },
  ]);
});

test('lists are taken apart, and their items are found in the text', () => {
  const text = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
- apiVersion: v1
  kind: ServiceList
  items:
  - metadata:
      name: b
    spec:
      type: ExternalName
`;
  const { resources } = parseDocuments('list.yaml', text);
  expect(resources.map((r) => `${r.kind} ${r.metadata.name}`)).toEqual(['Service a', 'Service b']);
  expect(locate(resources[1]!, ['spec', 'type'])).toMatchObject({ line: 13, column: 13, endColumn: 25 });
});

test('what is no resource is passed over; what Mizzen has no use for is left alone', () => {
  const text = `services: {web: {image: nginx}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: x}
`;
  const { resources, passedOver, leftAlone, diagnostics } = parseDocuments('x.yaml', text);
  expect(resources).toEqual([]);
  expect(diagnostics).toEqual([]);
  expect(passedOver).toEqual([{ file: 'x.yaml', line: 1 }]);
  expect(leftAlone).toMatchObject([
    {
      ref: { kind: 'HorizontalPodAutoscaler', namespace: 'shop' },
      insteadOf: expect.stringContaining('scale') as string,
    },
    { ref: { kind: 'Thing' }, insteadOf: undefined },
  ]);
});

const gatewayApi = (kind: string): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: {name: a}\nspec: {}\n`;

test("Istio's Gateway and that of the Gateway API are two kinds", () => {
  const text = `${gatewayApi('Gateway')}---\n${virtualService('metadata: {name: a}', 'v1', 'Gateway')}`;
  const { resources } = parseDocuments('x.yaml', text);
  expect(resources.map((each) => [each.kind, kindKey(each)])).toEqual([
    ['Gateway', 'KubernetesGateway'],
    ['Gateway', 'Gateway'],
  ]);
  const { snapshot } = buildSnapshot(resources, { version: 1 });
  expect(snapshot.list('KubernetesGateway')).toEqual([resources[0]]);
  expect(snapshot.list('Gateway')).toEqual([resources[1]]);
  for (const resource of resources) expect(snapshot.find(refOf(resource))).toBe(resource);
});

test('kinds of the Gateway API that are not read yet are warned of with their line; others do not exist', () => {
  const told = (kind: string): string[] =>
    parseDocuments('x.yaml', gatewayApi(kind)).diagnostics.map(
      ({ code, severity, message, span, help }) => `${severity} ${code} ${span?.line} ${message} ${help ?? ''}`,
    );
  expect(told('GRPCRoute')).toEqual(['warning MZ1205 2 `GRPCRoute` is not supported yet: its routes lead nowhere ']);
  expect(told('HTTPRoutes')).toEqual([
    'error MZ0006 2 `gateway.networking.k8s.io` has no kind `HTTPRoutes` did you mean `HTTPRoute`?',
  ]);
});

const virtualService = (rest: string, version = 'v1', kind = 'VirtualService'): string =>
  `apiVersion: networking.istio.io/${version}\nkind: ${kind}\n${rest}\n`;

test.each([
  ['a: [', 'MZ0001', 1],
  ['{{- if .Values.x }}\na: 1\n{{ end }}', 'MZ0001', 1],
  [virtualService('metadata:\n  name: a\n  name: b'), 'MZ0002', 5],
  [virtualService('spec: {}'), 'MZ0004', 1],
  [virtualService('metadata: {generateName: a-}'), 'MZ0004', 3],
  [virtualService('metadata: {name: a, labels: {version: 1}}'), 'MZ0004', 3],
  [virtualService('metadata: {name: a}', 'v7'), 'MZ0005', 1],
  [virtualService('metadata: {name: a}', 'v1', 'VirtualServices'), 'MZ0006', 2],
])('%j gives %s on line %i', (text, code, line) => {
  const { resources, diagnostics } = parseDocuments('x.yaml', text);
  expect(resources).toEqual([]);
  expect(diagnostics).toMatchObject([{ code, severity: 'error', span: { file: 'x.yaml', line } }]);
});

test('advice comes with the mistake', () => {
  const help = (text: string): string | undefined => parseDocuments('x.yaml', text).diagnostics[0]?.help;
  expect(help('x: {{ .Values.x }}\n{{ end }}')).toContain('helm template');
  expect(help(virtualService('metadata: {name: a}', 'v1', 'VirtualServce'))).toBe('did you mean `VirtualService`?');
  expect(help(virtualService('metadata: {name: off}'))).toBe('put it in quotes: YAML has a boolean there');
  expect(help(virtualService('metadata: {name: 2024}'))).toBe('put it in quotes: YAML has a number there');
  expect(help(virtualService('metadata: {name: a, annotations: {x: true}}'))).toBe('put it in quotes: `x: "true"`');
});

test('one bad document stops no other', () => {
  const text = `${virtualService('metadata: {name: a}')}---\na: [\n---\n${virtualService('metadata: {name: b}')}`;
  expect(parseDocuments('x.yaml', text).resources.map((r) => r.metadata.name)).toEqual(['a', 'b']);
});

test('3,000 services, 9,000 documents, are read', () => {
  const documents = Array.from({ length: 3000 }, (_, i) =>
    [
      `apiVersion: v1\nkind: Service\nmetadata:\n  name: s${i}\n  namespace: n${i % 50}\nspec:\n  selector:\n    app: s${i}\n  ports:\n  - name: http\n    port: 8080\n    targetPort: 8080\n`,
      `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: s${i}\n  namespace: n${i % 50}\nspec:\n  hosts: [s${i}]\n  http:\n  - match:\n    - uri: {prefix: /api}\n    route:\n    - destination: {host: s${i}, subset: v1}\n      weight: 90\n    - destination: {host: s${i}, subset: v2}\n      weight: 10\n    timeout: 5s\n`,
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: s${i}\n  namespace: n${i % 50}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: s${i}}}\n  template:\n    metadata:\n      labels: {app: s${i}, version: v1}\n    spec:\n      containers:\n      - name: app\n        image: app:1\n        ports: [{containerPort: 8080}]\n`,
    ].join('---\n'),
  ).join('---\n');
  const { resources, diagnostics } = parseDocuments('big.yaml', documents);
  expect(diagnostics).toEqual([]);
  expect(resources).toHaveLength(9000);
});

import { type Resource, type Snapshot, buildSnapshot, parseDocuments } from '@mizzen/api';
import { type RuntimePod, buildModel } from '@mizzen/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everything } from './testing/everything.ts';
import { translate } from './translate.ts';
import type { Node } from './types.ts';

/** Versions of resources; of each row a mesh has one, or (the last place) none. */
const ROWS: readonly (readonly string[])[] = [
  http('web', ['a', 'b', 'c']),
  http('db', ['a', 'b']),
  ['web', 'db'].map((host) =>
    networking('VirtualService', 'bytes', `hosts: [db], tcp: [{ route: [{ destination: { host: ${host} } }] }]`),
  ),
  ['web', 'db'].map((host) =>
    networking(
      'VirtualService',
      'front',
      `hosts: ['*'], gateways: [front], http: [{ route: [{ destination: { host: ${host} } }] }]`,
    ),
  ),
  [80, 81].map((port) =>
    networking(
      'Gateway',
      'front',
      `selector: { istio: ingress }, servers: [{ port: { number: ${port}, name: http, protocol: HTTP }, hosts: ['*'] }]`,
    ),
  ),
  ['ROUND_ROBIN', 'RANDOM'].map((simple) =>
    networking('DestinationRule', 'web', `host: web, trafficPolicy: { loadBalancer: { simple: ${simple} } }`),
  ),
  ['./web.default.svc.cluster.local', './*'].map((host) =>
    networking('Sidecar', 'own', `workloadSelector: { labels: { app: web } }, egress: [{ hosts: ['${host}'] }]`),
  ),
  ['STRICT', 'DISABLE'].map((mode) => security('PeerAuthentication', `mtls: { mode: ${mode} }`)),
  ['GET', 'POST'].map((method) =>
    security('AuthorizationPolicy', `rules: [{ to: [{ operation: { methods: [${method}] } }] }]`),
  ),
  ['https://a', 'https://b'].map((issuer) => security('RequestAuthentication', `jwtRules: [{ issuer: '${issuer}' }]`)),
  ['true', 'false'].map(
    (disabled) => `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: one, namespace: default }
spec: { accessLogging: [{ providers: [{ name: envoy }], disabled: ${disabled} }] }`,
  ),
  ['virtualInbound', 'virtualOutbound'].map((name) =>
    networking(
      'EnvoyFilter',
      'listeners',
      `configPatches: [{ applyTo: LISTENER, match: { listener: { name: ${name} } }, patch: { operation: MERGE, value: { statPrefix: a } } }]`,
    ),
  ),
  ['CLUSTER', 'ROUTE_CONFIGURATION', 'VIRTUAL_HOST'].map((applyTo) =>
    networking(
      'EnvoyFilter',
      'removal',
      `configPatches: [{ applyTo: ${applyTo}, patch: { operation: ${applyTo === 'ROUTE_CONFIGURATION' ? 'MERGE, value: { validateClusters: true }' : 'REMOVE'} } }]`,
    ),
  ),
  ['AUTHN', 'STATS'].map((phase) => extension(`url: file:///a.wasm, phase: ${phase}`)),
  ['web', 'db'].flatMap((name) => [service(name, 'http', 8080), service(name, 'tcp', 9000)]).slice(0, 2),
  [service('db', 'tcp', 9000), service('db', 'http', 9000)],
];

function http(name: string, values: readonly string[]): string[] {
  return values.map((value) =>
    networking(
      'VirtualService',
      `${name}-routes`,
      `hosts: [${name}], http: [{ match: [{ headers: { x: { exact: ${value} } } }], route: [{ destination: { host: web } }] }]`,
    ),
  );
}
function networking(kind: string, name: string, spec: string): string {
  return `apiVersion: networking.istio.io/${kind === 'EnvoyFilter' ? 'v1alpha3' : 'v1'}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: default }\nspec: { ${spec} }`;
}
function security(kind: string, spec: string): string {
  return `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: { name: one, namespace: default }\nspec: { ${spec} }`;
}
function extension(spec: string): string {
  return `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: one, namespace: default }\nspec: { ${spec} }`;
}
function service(name: string, protocol: string, port: number): string {
  return `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: default }\nspec: { selector: { app: ${name} }, ports: [{ name: ${protocol}, port: ${port} }] }`;
}

function deployment(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: default }
spec:
  selector: { matchLabels: { app: ${name} } }
  template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: app, image: app }] } }`;
}

let order = 0;
function parse(text: string): Resource {
  const { resources, diagnostics } = parseDocuments('mesh.yaml', text);
  expect(diagnostics).toEqual([]);
  return { ...resources[0]!, order: order++ };
}
const parsed = ROWS.map((row) => row.map(parse));
const owners = ['web', 'db'].map((name) => parse(deployment(name)));

const podSets: readonly (readonly RuntimePod[])[] = [true, false].map((ready) =>
  ['web', 'db'].map((app, index) => ({
    name: `${app}-0`,
    namespace: 'default',
    owner: { kind: 'Deployment', namespace: 'default', name: app },
    address: `127.1.0.${index + 1}`,
    boundPorts: {},
    labels: { app },
    ready,
    terminating: false,
    hasSidecar: true,
  })),
);

const local = (app: string, index: number): Node => ({
  id: `sidecar~127.1.0.${index}~${app}-0.default~default.svc.cluster.local`,
  metadata: {
    NAME: `${app}-0`,
    NAMESPACE: 'default',
    LABELS: { app },
    MIZZEN: {
      httpProxy: { address: `127.1.0.${index}`, port: 15001 },
      outbound: [{ address: `127.1.0.${index}`, port: 15100, host: 'db', servicePort: 9000 }],
      inbound: [
        {
          containerPort: 8080,
          address: `127.1.0.${index}`,
          port: 8080,
          applicationAddress: '127.0.0.1',
          applicationPort: 18080,
        },
      ],
    },
  },
});
const NODES: readonly Node[] = [
  local('web', 1),
  local('db', 2),
  {
    id: 'sidecar~127.1.0.1~web-0.default~default.svc.cluster.local',
    metadata: { NAME: 'web-0', NAMESPACE: 'default', LABELS: { app: 'web' }, INSTANCE_IPS: '127.1.0.1' },
  },
  {
    id: 'router~127.0.0.1~ingress-0.default~default.svc.cluster.local',
    metadata: { NAME: 'ingress-0', NAMESPACE: 'default', LABELS: { istio: 'ingress' } },
  },
];

interface Mesh {
  readonly choice: readonly number[];
  readonly pods: number;
}
const choice = fc.tuple(...ROWS.map((row) => fc.nat(row.length)));
/** Small steps, as edits are: one row at a time, or the pods. */
const edits = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ row: fc.nat(ROWS.length - 1), to: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.constant('pods' as const) },
  ),
  { maxLength: 8 },
);

function snapshotOf({ choice: chosen }: Mesh): Snapshot {
  const resources = chosen.flatMap((at, row) => parsed[row]![at] ?? []);
  return buildSnapshot([...resources, ...owners], { version: 1 }).snapshot;
}

test('a model built after another gives every proxy what one built by itself gives', () => {
  fc.assert(
    fc.property(choice, edits, (first, steps) => {
      let mesh: Mesh = { choice: first, pods: 0 };
      let model = buildModel(snapshotOf(mesh), podSets[0]);
      for (const node of NODES) translate(model, node);
      for (const step of steps) {
        mesh =
          step === 'pods'
            ? { ...mesh, pods: 1 - mesh.pods }
            : { ...mesh, choice: mesh.choice.with(step.row, Math.min(step.to, ROWS[step.row]!.length)) };
        const pods = podSets[mesh.pods];
        model = buildModel(snapshotOf(mesh), pods, { previous: model });
        const alone = buildModel(snapshotOf(mesh), pods);
        for (const node of NODES) expect(everything(model, node)).toEqual(everything(alone, node));
      }
    }),
    { numRuns: 60 },
  );
});

test('an edit of HTTP routes leaves listeners, clusters and endpoints the very same', () => {
  const mesh: Mesh = { choice: ROWS.map(() => 0), pods: 0 };
  const before = buildModel(snapshotOf(mesh), podSets[0]);
  const edited = { ...mesh, choice: mesh.choice.with(0, 1) };
  const after = buildModel(snapshotOf(edited), podSets[0], { previous: before });
  for (const node of NODES.filter(({ id }) => id.startsWith('sidecar') && !id.includes('web-0'))) {
    const [a, b] = [before, after].map((model) => translate(model, node).resources);
    expect(b!.listeners).toBe(a!.listeners);
    expect(b!.clusters).toBe(a!.clusters);
    expect(b!.endpoints).toBe(a!.endpoints);
    expect(b!.routes).not.toEqual(a!.routes);
  }
});

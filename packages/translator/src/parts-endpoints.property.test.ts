import { type Resource, type Snapshot, buildSnapshot, parseDocuments } from '@mizzen/api';
import { type RuntimePod, buildModel } from '@mizzen/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everything } from './testing/everything.ts';
import { translate } from './translate.ts';
import type { Node } from './types.ts';

/** What endpoints are of; the same in every mesh. */
const SERVICES = `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { clusterIP: 10.96.0.1, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: named }, { name: tcp, port: 9000 }] }
---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: default }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: tcp, port: 9000 }, { name: http, port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: bare, namespace: default }
spec: { clusterIP: None, ports: [{ name: mongo, port: 27017 }] }
---
apiVersion: v1
kind: Service
metadata: { name: old, namespace: default, annotations: { networking.istio.io/exportTo: . } }
spec: { clusterIP: 10.96.0.2, ports: [{ name: grpc, port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: sniffed, namespace: default }
spec: { clusterIP: 10.96.0.3, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: runner, namespace: default }
spec:
  selector: { matchLabels: { app: runner } }
  template: { metadata: { labels: { app: runner } }, spec: { containers: [{ name: app, image: app }] } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: sibling, namespace: default }
spec:
  hosts: [old.default.svc.cluster.local]
  ports: [{ name: grpc, number: 80, protocol: GRPC }]
  resolution: DNS
  location: MESH_INTERNAL
  endpoints: [{ address: old.example.com }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: listing, namespace: default }
spec:
  hosts: [listing.example.com]
  ports: [{ name: tcp, number: 9000, protocol: TCP }]
  resolution: STATIC
  location: MESH_INTERNAL
  endpoints: [{ address: 10.0.0.1, ports: { tcp: 9001 } }]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: narrow, namespace: default }
spec:
  workloadSelector: { labels: { app: db } }
  egress: [{ hosts: ['./web.default.svc.cluster.local', './bare.default.svc.cluster.local'] }, { port: { number: 80, protocol: HTTP, name: http }, hosts: ['./*'] }]
`;

/** Versions of resources; of each row a mesh has one, or (the last place) none. */
const ROWS: readonly (readonly string[])[] = [
  [
    slice('web', [['10.0.0.1', 'web-0']], { http: 8080, tcp: 9000 }),
    slice('web', [['10.0.0.1', 'web-0']], { http: 8081, tcp: 9000 }),
    slice('web', [['10.0.0.2']], { http: 8080 }),
    slice('web', [['10.0.0.3']], { http: 8080, tcp: 9000 }),
    slice('web', [['10.9.9.9']], { http: 8080, tcp: 9000 }),
    slice('web', [], { http: 8080 }),
    // Of one account, but not all of the mesh.
    slice('web', [['10.0.0.1', 'web-0'], ['10.9.9.7']], { http: 8080, tcp: 9000 }),
  ],
  // A second slice of one service.
  [slice('web', [['10.9.9.8']], { http: 8080 }, 'more'), slice('web', [['10.0.0.3', 'db-0']], { http: 8080 }, 'more')],
  [
    slice('db', [['10.0.0.3', 'db-0']], { tcp: 9000, http: 80 }),
    slice('db', [['10.0.0.3', 'db-0'], ['10.0.0.4']], { tcp: 9000, http: 80 }),
    slice('db', [['10.0.0.2']], { tcp: 9000, http: 80 }),
    slice('db', [['10.0.0.2']], { tcp: 9001, http: 81 }),
  ],
  [
    slice('bare', [['10.8.0.1']], { mongo: 27017 }),
    slice('bare', [['10.8.0.2'], ['10.8.0.1']], { mongo: 27017 }),
    slice('bare', [['10.0.0.1']], { mongo: 27018 }),
  ],
  [
    slice('old', [['10.7.0.1']], { grpc: 80 }),
    slice('old', [['10.0.0.2']], { grpc: 80 }),
    slice('old', [['127.1.0.8']], { grpc: 80 }),
    slice('old', [['127.1.0.9']], { grpc: 80 }),
  ],
  [
    endpoints('old', '10.7.0.2', 'grpc', 80),
    endpoints('old', '10.0.0.1', 'grpc', 80),
    endpoints('old', '10.0.0.4', 'grpc', 80),
  ],
  [
    endpoints('sniffed', '10.6.0.1', '', 80),
    endpoints('sniffed', '10.0.0.1', '', 80),
    endpoints('sniffed', '10.0.0.4', '', 80),
    endpoints('sniffed', '127.1.0.8', '', 80),
    endpoints('sniffed', '127.1.0.9', '', 80),
  ],
  [pod('web-0', 'web', '10.0.0.1', 'first', true), pod('web-0', 'web', '10.0.0.1', 'second', true)],
  [pod('web-1', 'web', '10.0.0.2', 'second', false), pod('web-1', 'web', '10.0.0.2', 'first', true)],
  [pod('db-0', 'db', '10.0.0.3', 'store', true)],
  ['LEAST_REQUEST', 'PASSTHROUGH'].map(
    (simple) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: all, namespace: default }
spec: { host: '*.default.svc.cluster.local', trafficPolicy: { loadBalancer: { simple: ${simple} } } }`,
  ),
  ['a', 'b'].map(
    (value) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: default }
spec: { hosts: [web], http: [{ match: [{ headers: { x: { exact: ${value} } } }], route: [{ destination: { host: old } }] }] }`,
  ),
  ['10.96.0.3', '10.96.0.4'].map(
    (clusterIP) => `apiVersion: v1
kind: Service
metadata: { name: other, namespace: default }
spec: { clusterIP: ${clusterIP}, ports: [{ name: tcp, port: 9000 }] }`,
  ),
];

function slice(
  service: string,
  at: readonly (readonly [address: string, pod?: string])[],
  ports: Readonly<Record<string, number>>,
  name = 'one',
): string {
  const written = at.map(
    ([address, target], index) =>
      `{ addresses: [${address}], conditions: { ready: ${index === 0} }${target === undefined ? '' : `, targetRef: { kind: Pod, name: ${target} }`} }`,
  );
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${service}-${name}, namespace: default, labels: { kubernetes.io/service-name: ${service} } }
addressType: IPv4
ports: [${Object.entries(ports)
    .map(([port, number]) => `{ name: ${port}, port: ${number} }`)
    .join(', ')}]
endpoints: [${written.join(', ')}]`;
}

function endpoints(service: string, address: string, name: string, port: number): string {
  return `apiVersion: v1
kind: Endpoints
metadata: { name: ${service}, namespace: default }
subsets: [{ addresses: [{ ip: ${address} }], ports: [{ name: '${name}', port: ${port} }] }]`;
}

function pod(name: string, app: string, address: string, account: string, meshed: boolean): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: default, labels: { app: ${app}${meshed ? ', security.istio.io/tlsMode: istio' : ''} } }
spec: { serviceAccountName: ${account}, containers: [{ name: app, image: app, ports: [{ name: named, containerPort: 8080 }] }] }
status: { phase: Running, podIP: ${address}, conditions: [{ type: Ready, status: 'True' }] }`;
}

let order = 0;
function parse(text: string): Resource[] {
  const { resources, diagnostics } = parseDocuments('mesh.yaml', text);
  expect(diagnostics).toEqual([]);
  return resources.map((resource) => ({ ...resource, order: order++ }));
}
const fixed = parse(SERVICES);
const [EMPTY, ...OF_ENDPOINTS] = [ROWS.map((row) => row.length), 0, 1, 2, 3, 4, 5, 6] as const;
const RULES = 10;
const parsed = ROWS.map((row) => row.map((text) => parse(text)[0]!));

/** Undefined: the Pods of the files. One runs here: slices count only for services that select nothing. */
const podSets: readonly (readonly RuntimePod[] | undefined)[] = [
  undefined,
  (['envoy', 'mizzen'] as const).map((engine, index) => ({
    name: `runner-${index}`,
    namespace: 'default',
    owner: { kind: 'Deployment', namespace: 'default', name: 'runner' },
    address: `127.1.0.${index + 8}`,
    boundPorts: {},
    labels: { app: 'runner' },
    ready: true,
    terminating: false,
    hasSidecar: true,
    engine,
  })),
];

const sidecar = (name: string, ip: string, metadata: Node['metadata'] = {}): Node => ({
  id: `sidecar~${ip}~${name}.default~default.svc.cluster.local`,
  metadata: { NAME: name, NAMESPACE: 'default', LABELS: { app: name.split('-')[0]! }, INSTANCE_IPS: ip, ...metadata },
});
const NODES: readonly Node[] = [
  sidecar('web-0', '10.0.0.1', { ISTIO_VERSION: '1.29.0' }),
  sidecar('web-1', '10.0.0.2'),
  sidecar('db-0', '10.0.0.3'),
  {
    id: 'sidecar~10.0.1.1~far-0.far~far.svc.cluster.local',
    metadata: { NAME: 'far-0', NAMESPACE: 'far', LABELS: { app: 'far' }, INSTANCE_IPS: '10.0.1.1' },
  },
  // Known by its address alone, or at an address that its pod does not have.
  sidecar('stranger', '10.0.0.1'),
  sidecar('web-1', '10.9.9.9'),
  sidecar('local-0', '127.1.0.1', {
    MIZZEN: { engine: 'envoy', httpProxy: { address: '127.1.0.1', port: 15001 }, inbound: [] },
  }),
  {
    id: 'router~10.0.0.9~ingress-0.default~default.svc.cluster.local',
    metadata: { NAME: 'ingress-0', NAMESPACE: 'default', LABELS: { istio: 'ingress' } },
  },
];

interface Mesh {
  readonly choice: readonly number[];
  readonly pods: number;
}
const choice = fc.tuple(...ROWS.map((row) => fc.nat(row.length)));
const edits = fc.array(
  fc.array(fc.record({ row: fc.nat(ROWS.length - 1), to: fc.nat(6) }), { minLength: 1, maxLength: 2 }),
  {
    maxLength: 6,
  },
);

function snapshotOf(chosen: Mesh['choice']): Snapshot {
  const resources = chosen.flatMap((at, row) => parsed[row]![at] ?? []);
  return buildSnapshot([...fixed, ...resources], { version: 1 }).snapshot;
}

test('a model built after another with other endpoints gives every proxy what one built by itself gives', () => {
  fc.assert(
    fc.property(choice, edits, fc.nat(podSets.length - 1), fc.boolean(), (first, steps, running, lazy) => {
      let chosen: Mesh['choice'] = first;
      const pods = podSets[running];
      let model = buildModel(snapshotOf(chosen), pods);
      for (const node of NODES) translate(model, node);
      for (const [at, step] of steps.entries()) {
        for (const { row, to } of step) chosen = chosen.with(row, Math.min(to, ROWS[row]!.length));
        model = buildModel(snapshotOf(chosen), pods, { previous: model });
        // Nobody may have asked about a model in between.
        if (lazy && at % 2 === 0) continue;
        const alone = buildModel(snapshotOf(chosen), pods);
        for (const node of NODES) expect(everything(model, node)).toEqual(everything(alone, node));
      }
    }),
    { numRuns: 15 },
  );
});

test.each([
  ['of files', 0, ROWS[RULES]!.length],
  ['of files, reached by their addresses', 0, 1],
  ['that run here', 1, 0],
] as const)(
  'every step between endpoints of a service gives what a model by itself gives: pods %s',
  (_, running, rule) => {
    const pods = podSets[running];
    const whole = ROWS.map(() => 0).with(RULES, rule);
    for (const row of OF_ENDPOINTS) {
      const snapshots = [...ROWS[row]!.keys(), EMPTY[row]!].map((at) => snapshotOf(whole.with(row, at)));
      const models = snapshots.map((snapshot) => buildModel(snapshot, pods));
      const wanted = models.map((model) => NODES.map((node) => translate(model, node).resources));
      for (const [from, first] of models.entries()) {
        for (const [to, snapshot] of snapshots.entries()) {
          if (from === to) continue;
          const model = buildModel(snapshot, pods, { previous: first });
          expect(NODES.map((node) => translate(model, node).resources)).toEqual(wanted[to]);
        }
      }
    }
  },
);

test('an edit of endpoints leaves everything else the very same, and the endpoints of other clusters', () => {
  const whole = ROWS.map(() => 0);
  const before = buildModel(snapshotOf(whole));
  const nodes = NODES.filter(({ id }) => id.startsWith('sidecar'));
  const had = nodes.map((node) => translate(before, node).resources);
  const after = buildModel(snapshotOf(whole.with(6, ROWS[6]!.length)), undefined, { previous: before });
  for (const [index, node] of nodes.entries()) {
    const [a, b] = [had[index]!, translate(after, node).resources];
    expect(b.listeners).toBe(a.listeners);
    expect(b.clusters).toBe(a.clusters);
    for (const [at, route] of b.routes.entries()) expect(route).toBe(a.routes[at]);
    const changed = b.endpoints.filter((each, at) => each !== a.endpoints[at]);
    expect(changed.map(({ clusterName }) => clusterName)).toEqual(['outbound|80||sniffed.default.svc.cluster.local']);
  }
});

test('proxies that see the same are sent the very same list of endpoints', () => {
  const model = buildModel(snapshotOf(ROWS.map(() => 0)));
  const [a, b] = [NODES[1]!, NODES[4]!].map((node) => translate(model, node).resources.endpoints);
  expect(a).toBe(b);
});

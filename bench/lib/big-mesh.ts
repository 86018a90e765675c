/** A large mesh as files: services with endpoints, and the pods of some of them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface BigMesh {
  readonly folder: string;
  readonly services: number;
  /** Envoy nodes, each the proxy of a service's first endpoint. */
  readonly nodes: readonly { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> }[];
  /** Names of the route configurations that every proxy asks for. */
  readonly routes: readonly string[];
  /** Writes the routes of service 0; each `version` is another. */
  readonly writeRoute: (version: number) => void;
  /** Writes the endpoints of service 0; each `version` has another last address. */
  readonly writeEndpoint: (version: number) => void;
}

/** Services are spread over this many ports, so that a route configuration holds a tenth of them. */
const PORTS = 10;

/** `services` services of `endpoints` endpoints each, in one file a service, and `proxies` pods. */
export function bigMesh(services: number, endpoints: number, proxies: number): BigMesh {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bench-'));
  const file = (index: number): string => join(folder, `service-${index}.yaml`);
  for (let index = 0; index < services; index++) writeFileSync(file(index), service(index, endpoints, 0));
  const pods = Array.from({ length: proxies }, (_, index) => pod(index));
  writeFileSync(join(folder, 'pods.yaml'), pods.join('---\n'));
  const writeRoute = (version: number): void => writeFileSync(join(folder, 'route.yaml'), virtualService(version));
  writeRoute(0);
  return {
    folder,
    services,
    nodes: pods.map((_, index) => node(index)),
    routes: Array.from({ length: PORTS }, (_, index) => String(8080 + index)),
    writeRoute,
    writeEndpoint: (version) => writeFileSync(file(0), service(0, endpoints, version)),
  };
}

function address(service: number, endpoint: number): string {
  const index = service * 16 + endpoint;
  return `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function service(index: number, endpoints: number, version: number): string {
  const name = `service-${index}`;
  const port = 8080 + (index % PORTS);
  const addresses = Array.from({ length: endpoints }, (_, endpoint) =>
    endpoint === endpoints - 1 && version > 0 ? `10.250.${version >> 8}.${version & 255}` : address(index, endpoint),
  );
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec:
  clusterIP: 10.240.${index >> 8}.${index & 255}
  selector: { app: ${name} }
  ports: [{ name: http, port: ${port}, targetPort: 8080 }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: default, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: 8080, protocol: TCP }]
endpoints:
${addresses.map((each) => `  - { addresses: [${each}], conditions: { ready: true } }\n`).join('')}`;
}

function pod(index: number): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: service-${index}-0, namespace: default, labels: { app: service-${index} } }
spec:
  containers: [{ name: app, image: app, ports: [{ containerPort: 8080 }] }]
status: { phase: Running, podIP: ${address(index, 0)} }
`;
}

function node(index: number): BigMesh['nodes'][number] {
  const ip = address(index, 0);
  return {
    id: `sidecar~${ip}~service-${index}-0.default~default.svc.cluster.local`,
    metadata: {
      NAME: `service-${index}-0`,
      NAMESPACE: 'default',
      CLUSTER_ID: 'Kubernetes',
      INSTANCE_IPS: ip,
      INTERCEPTION_MODE: 'REDIRECT',
      LABELS: { app: `service-${index}` },
      SERVICE_ACCOUNT: 'default',
    },
  };
}

function virtualService(version: number): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: service-0, namespace: default }
spec:
  hosts: [service-0]
  http:
    - match: [{ headers: { x-edit: { exact: '${version}' } } }]
      route: [{ destination: { host: service-1 } }]
    - route: [{ destination: { host: service-0 } }]
`;
}

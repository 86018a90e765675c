import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of mesh files for one test, gone with `remove()`. What is written is there at once: nobody sees half of it. */
export function folder(files: Readonly<Record<string, string>>): {
  readonly path: string;
  write(name: string, text: string): void;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'mizzen-system-'));
  const write = (name: string, text: string): void => {
    writeFileSync(`${path}.unfinished`, text);
    renameSync(`${path}.unfinished`, join(path, name));
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A Service with one Deployment per version, all on stand-ins. */
export function service(name: string, versions: readonly string[] = ['v1'], replicas = 1): string {
  const deployment = (version: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}-${version} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name}, version: ${version} } }
  template:
    metadata: { labels: { app: ${name}, version: ${version} } }
    spec:
      serviceAccountName: ${name}
      containers:
        - name: app
          image: ${name}:${version}
          ports: [{ name: http, containerPort: 8080 }]`;
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 8080 }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name} }${versions.map(deployment).join('')}
`;
}

/** A gateway on port 80 that sends everything to \`host\` on 8080. */
export function gateway(host: string): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ['*']
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front }
spec:
  hosts: ['*']
  gateways: [front]
  http:
    - route: [{ destination: { host: ${host}, port: { number: 8080 } } }]
`;
}

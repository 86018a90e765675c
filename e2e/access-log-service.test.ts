import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from '@mizzen/xds/binary/index.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLogReceiver, type LogReceiver } from '../packages/proxy/src/telemetry/testing/log-receiver.ts';
import { fromWorkload, type Sender } from './lib/from-workload.ts';
import { up, type Mesh } from './lib/mesh.ts';
import { folder, service } from './lib/system.ts';

/** A service of MeshConfig's `envoyHttpAls`, which gets the access log of every proxy over gRPC. */
const collector = (port: number): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: collector }
spec:
  hosts: [collector.example]
  ports: [{ number: 4317, name: grpc, protocol: GRPC, targetPort: ${port} }]
  resolution: STATIC
  location: MESH_EXTERNAL
  endpoints: [{ address: 127.0.0.1 }]
`;
const PROVIDER = `
extensionProviders:
  - name: collector
    envoyHttpAls: { service: collector.example, port: 4317, logName: shop, additionalRequestHeadersToLog: [x-who] }
defaultProviders: { accessLogging: [collector] }
`;

const system = folder({});
let receiver: LogReceiver;
let mesh: Mesh;
let client: Sender;
beforeAll(async () => {
  receiver = await startLogReceiver();
  system.write('mesh.yaml', service('client') + '---\n' + service('books') + collector(receiver.port));
  const meshConfig = join(system.path, 'provider.txt');
  writeFileSync(meshConfig, PROVIDER);
  mesh = await up([system.path, '--mesh-config', meshConfig]);
  client = await fromWorkload(mesh, 'default', 'client-v1');
});
afterAll(async () => {
  await mesh?.stop();
  await receiver?.stop();
  system.remove();
});

interface Entry {
  readonly commonProperties: { readonly upstreamCluster?: string };
  readonly request: { readonly path?: string; readonly requestHeaders?: Record<string, string> };
  readonly response: { readonly responseCode?: number };
}

it('gets an entry of each request from both ends', async () => {
  for (let i = 0; i < 5; i++)
    expect((await client.get(`http://books:8080/${i}`, { 'x-who': 'reader' })).status).toBe(200);
  const entries = (): Entry[] =>
    receiver.streams.flatMap(({ messages }) =>
      messages.flatMap(
        (message) =>
          (
            decode('envoy.service.accesslog.v3.StreamAccessLogsMessage', message) as {
              readonly httpLogs?: { readonly logEntry?: readonly Entry[] };
            }
          ).httpLogs?.logEntry ?? [],
      ),
    );
  const of = (cluster: string): unknown[] =>
    entries()
      .filter(({ commonProperties }) => commonProperties.upstreamCluster === cluster)
      .map(({ request, response }) => [request.path, request.requestHeaders?.['x-who'], response.responseCode])
      .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  const all = [0, 1, 2, 3, 4].map((i) => [`/${i}`, 'reader', 200]);
  await expect.poll(() => of('outbound|8080||books.default.svc.cluster.local')).toEqual(all);
  await expect.poll(() => of('inbound|8080||')).toEqual(all);
});

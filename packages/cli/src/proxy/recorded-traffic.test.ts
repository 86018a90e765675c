import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateRoot } from '@mizzen/control-plane/ca/root.ts';
import { WorkloadSecrets } from '@mizzen/control-plane/ca/workload-secrets.ts';
import { GrpcXdsListener } from '@mizzen/control-plane/grpc/listener.ts';
import { adsBootstrap } from '@mizzen/control-plane/grpc/testing/ads-bootstrap.ts';
import { realClock as clock } from '@mizzen/control-plane/grpc/testing/clock.ts';
import { secretService } from '@mizzen/control-plane/grpc/testing/secret-service.ts';
import { get } from '@mizzen/control-plane/grpc/testing/traffic.ts';
import { XdsServer } from '@mizzen/control-plane/xds/server.ts';
import type { NodeConfig } from '@mizzen/control-plane/xds/types.ts';
import { freePort, peersFolder } from '@mizzen/testkit';
import type { ClusterLoadAssignment, Listener, RouteConfiguration } from '@mizzen/xds';
import { afterEach, expect, test } from 'vitest';
import { runProxy } from './testing/run-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A service that answers with the name of the cluster whose endpoint it stands for. */
async function service(cluster: string): Promise<number> {
  const server: Server = createServer((_, response) => response.end(cluster));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The route configuration that a listener's one HTTP connection manager follows. */
function followed(listener: Listener): string | undefined {
  const config = listener.filterChains?.[0]?.filters?.at(-1)?.typedConfig as
    | { readonly rds?: { readonly routeConfigName?: string } }
    | undefined;
  return listener.filterChains?.length === 1 ? config?.rds?.routeConfigName : undefined;
}

/** Every endpoint becomes one of this machine, in plain text. */
async function standIns(endpoints: readonly ClusterLoadAssignment[]): Promise<ClusterLoadAssignment[]> {
  return Promise.all(
    endpoints.map(async ({ clusterName = '' }) => {
      const address = { socketAddress: { address: '127.0.0.1', portValue: await service(clusterName) } };
      return { clusterName, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] };
    }),
  );
}

/** Requests that a route configuration takes to one cluster whatever is in them: Host → cluster. */
function plainRoutes({ virtualHosts = [] }: RouteConfiguration): Map<string, string> {
  const found = new Map<string, string>();
  for (const { domains = [], routes = [] } of virtualHosts) {
    const [first] = routes;
    const only = Object.keys(first?.match ?? {}).join() === 'prefix' && first?.match?.prefix === '/';
    const host = domains.find((domain) => !domain.includes('*')) ?? (domains.includes('*') ? 'any.example' : undefined);
    if (only && host !== undefined && first?.route?.cluster !== undefined) found.set(host, first.route.cluster);
  }
  return found;
}

test.each([
  ['none/none-base', 'xds-0.json', 4],
  ['none/none-bookinfo-kube-bookinfo-ratings-v2', 'xds-0.json', 4],
  ['samples/httpbin-gateway', 'xds-1.json', 1],
  ['features/gw-mesh-and-gateway', 'xds-1.json', 1],
])('what istiod sent in %s carries the traffic that it describes', { timeout: 60_000 }, async (folder, name, least) => {
  const peers = peersFolder();
  if (peers === undefined || !existsSync(join(peers, 'istio/xds')))
    return console.log('the recordings of istiod are not on this machine: nothing was tried');
  const at = join(peers, 'istio/xds', folder);
  const recorded = JSON.parse(readFileSync(join(at, name), 'utf8')) as Pick<
    NodeConfig,
    'listeners' | 'routes' | 'clusters' | 'endpoints'
  >;
  const node = JSON.parse(readFileSync(join(at, name.replace('xds', 'node')), 'utf8')) as { id: string };
  const ports = new Map<string, number>();
  const listeners: Listener[] = [];
  for (const listener of recorded.listeners) {
    const route = followed(listener);
    if (route === undefined) continue;
    const portValue = await freePort();
    ports.set(route, portValue);
    listeners.push({ ...listener, address: { socketAddress: { address: '127.0.0.1', portValue } } });
  }
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-recorded-'));
  closing.push(() => rmSync(directory, { recursive: true }));
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  const secrets = new WorkloadSecrets({ root, clock, onRotate: () => undefined });
  const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'web' };
  const sds = join(directory, 'sds.sock');
  const agent = await secretService(sds, (secret) => {
    const answer = secrets.resolve('web', identity, secret === 'ROOTCA' ? 'ROOTCA' : 'default', undefined);
    return answer === 'keep' ? undefined : answer?.secret;
  });
  closing.push(() => agent.close());
  const server = new XdsServer({ clock });
  const endpoints = await standIns(recorded.endpoints);
  const config = { ...recorded, listeners, endpoints, extensions: [], secret: () => undefined };
  server.commit(new Map([[node.id, config]]));
  const ads = new GrpcXdsListener({ bind: { host: '127.0.0.1', port: 0 }, server, clock });
  const port = await ads.listen();
  closing.push(() => ads.close());
  const bootstrap = adsBootstrap({ node, at: { host: '127.0.0.1', port }, incremental: true });
  const [agentCluster] = adsBootstrap({ node, at: { path: sds }, incremental: true }).staticResources!.clusters!;
  const clusters = [...bootstrap.staticResources!.clusters!, { ...agentCluster, name: 'sds-grpc' }];
  const proxy = runProxy({ ...bootstrap, staticResources: { clusters } });
  closing.push(() => proxy.stop());
  await expect.poll(() => proxy.output(), { timeout: 30_000 }).toContain('all listeners are ready');

  const known = new Set(endpoints.map(({ clusterName }) => clusterName));
  const refused = new Set(server.status()[0]!.refusals.map(({ resource }) => resource));
  let tried = 0;
  for (const route of recorded.routes) {
    const local = ports.get(route.name ?? '');
    if (local === undefined) continue;
    for (const [host, cluster] of plainRoutes(route)) {
      if (!known.has(cluster) || refused.has(cluster)) continue;
      expect(await get(local, '/', undefined, host), host).toMatchObject({ status: 200, body: cluster });
      tried++;
    }
  }
  expect(tried).toBeGreaterThanOrEqual(least);
});

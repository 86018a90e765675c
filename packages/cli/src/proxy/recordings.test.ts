import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateRoot } from '@mizzen/control-plane/ca/root.ts';
import { WorkloadSecrets } from '@mizzen/control-plane/ca/workload-secrets.ts';
import { GrpcXdsListener } from '@mizzen/control-plane/grpc/listener.ts';
import { adsBootstrap } from '@mizzen/control-plane/grpc/testing/ads-bootstrap.ts';
import { secretService } from '@mizzen/control-plane/grpc/testing/secret-service.ts';
import { realClock as clock } from '@mizzen/control-plane/grpc/testing/clock.ts';
import { XdsServer } from '@mizzen/control-plane/xds/server.ts';
import type { NodeConfig, Refusal } from '@mizzen/control-plane/xds/types.ts';
import { compileBootstrap } from '@mizzen/proxy/process/bootstrap.ts';
import { systemDeps } from '@mizzen/proxy/process/deps.ts';
import { ProxyNode } from '@mizzen/proxy/process/proxy-node.ts';
import { BootstrapSource } from '@mizzen/proxy/xds/bootstrap-source.ts';
import { SourceOpener } from '@mizzen/proxy/xds/remote/open.ts';
import { peersFolder } from '@mizzen/testkit';
import { TypeUrl, type Bootstrap, type Secret } from '@mizzen/xds';
import { describe, expect, test } from 'vitest';

/** Fields, as paths end, that istiod sends and the proxy does not support: a resource that has one is refused. */
const NOT_SUPPORTED = [
  'http2ProtocolOptions',
  'transparent',
  'typedConfig',
  'address',
  'filterChains',
  'filterChainMatch',
];

interface Recording {
  readonly file: string;
  readonly node: { readonly id: string; readonly metadata?: Readonly<Record<string, unknown>> };
  readonly config: NodeConfig;
}

const deps = systemDeps();

/** All of a recording but where listeners listen: many proxies are in this process, and none is to be reached. */
function read(file: string): Recording {
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Record<string, readonly object[] | undefined>;
  const node = JSON.parse(readFileSync(file.replace(/xds-(\d+)\.json$/, 'node-$1.json'), 'utf8')) as Recording['node'];
  const list = <T>(name: string): readonly T[] => (recorded[name] ?? []) as readonly T[];
  return {
    file,
    // Two recordings may be of one proxy.
    node: { ...node, id: `${node.id}-${file}` },
    config: {
      listeners: list<NodeConfig['listeners'][number]>('listeners').map((each) => ({ ...each, bindToPort: false })),
      routes: list('routes'),
      clusters: list('clusters'),
      endpoints: list('endpoints'),
      extensions: list('extensionConfigs'),
      secret: () => undefined,
    },
  };
}

/** A proxy within this process that follows the server until everything has been answered. */
async function follow(
  { node, config }: Recording,
  { server, port, sds, incremental }: { server: XdsServer; port: number; sds: string; incremental: boolean },
): Promise<void> {
  const ads = adsBootstrap({ node, at: { host: '127.0.0.1', port }, incremental });
  const { clusters: [agent] = [] } = adsBootstrap({ node, at: { path: sds }, incremental }).staticResources!;
  const proxy = startNode({
    ...ads,
    staticResources: { clusters: [...ads.staticResources!.clusters!, { ...agent, name: 'sds-grpc' }] },
  });
  const asked = (): string => {
    const types = server.status().find((each) => each.node === node.id)?.types ?? {};
    const wanted = ['cluster', 'listener'].every((type) => types[type] === 'synced' || types[type] === 'refused');
    const others = Object.values(types).every((state) => state !== 'pending');
    return wanted && others ? 'answered' : JSON.stringify(types);
  };
  try {
    await expect.poll(asked, { interval: 5 }).toBe('answered');
    const { refusals } = server.status().find((each) => each.node === node.id)!;
    const isTaken =
      (typeUrl: string) =>
      ({ name }: { readonly name?: string }): boolean =>
        !refusals.some((each) => each.typeUrl === typeUrl && each.resource === name);
    const taken = [...proxy.clusters.active(), ...proxy.clusters.warming()].map(({ program }) => program.name);
    const expected = config.clusters.filter(isTaken(TypeUrl.cluster)).map(({ name = '' }) => name);
    expect(taken.filter((name) => name !== 'xds' && name !== 'sds-grpc').toSorted()).toEqual(expected.toSorted());
    const listeners = [
      ...proxy.listeners.active().map(({ listener }) => listener.name),
      ...proxy.listeners.waiting().map(({ name }) => name),
    ];
    const wanted = config.listeners.filter(isTaken(TypeUrl.listener)).map(({ name = '' }) => name);
    expect(listeners.toSorted()).toEqual(wanted.toSorted());
  } finally {
    await proxy.stop(0);
  }
}

function startNode(raw: Bootstrap): ProxyNode {
  const offline = { clock: deps.clock, random: deps.random } as Parameters<typeof compileBootstrap>[3];
  const bootstrap = compileBootstrap(raw as Record<string, unknown>, 'bootstrap', { node: {}, statsTags: [] }, offline);
  expect(bootstrap.refused).toEqual([]);
  const proxy = new ProxyNode({
    id: raw.node?.id ?? '',
    deps,
    source: (clusters) => {
      const opener = new SourceOpener({
        deps,
        ads: bootstrap.ads,
        node: raw.node as never,
        cluster: (name) => clusters.get(name),
        stats: { connected_state: 0, pending_requests: 0, identifier: '' },
        onLog: () => undefined,
      });
      return new BootstrapSource({
        clock: deps.clock,
        resources: bootstrap.resources,
        cds: bootstrap.cds,
        lds: bootstrap.lds,
        open: (typeUrl, source) => opener.open(typeUrl, source),
        onRefused: (nack) => expect(nack).toBeUndefined(),
      });
    },
    http2Clusters: bootstrap.http2Clusters,
    fetchTimeout: 0,
    accessLog: () => ({ write: () => undefined }),
    drain: { time: 0, immediate: true },
    onReady: () => undefined,
    onBindFailure: () => undefined,
  });
  proxy.start();
  return proxy;
}

/** What Istio's agent has: a certificate of the workload for whoever asks, and the roots. */
function secrets(directory: string): (name: string) => Secret | undefined {
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  const all = new WorkloadSecrets({ root, clock, onRotate: () => undefined });
  const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'web' };
  return (name) => {
    const roots = name === 'ROOTCA' || name.startsWith('file-root:') || name.endsWith('-cacert');
    const answer = all.resolve('web', identity, roots ? 'ROOTCA' : 'default', undefined);
    return answer === 'keep' ? undefined : answer?.secret;
  };
}

const folder = peersFolder();
const recordings = folder === undefined ? [] : globSync(join(folder, 'istio/xds/**/xds-*.json')).toSorted();

describe.each([
  ['state of the world', false],
  ['incremental', true],
])("istiod's recordings over ADS, %s", (name, incremental) => {
  test(
    'every resource is acknowledged, or refused by the field that is not supported',
    { timeout: 300_000 },
    async ({ skip }) => {
      if (folder === undefined || !existsSync(join(folder, 'istio/xds')))
        skip('the recordings of istiod are not on this machine');
      const refusals: Refusal[] = [];
      const server = new XdsServer({ clock, onRefusal: (_node, all) => refusals.push(...all) });
      const listener = new GrpcXdsListener({ bind: { host: '127.0.0.1', port: 0 }, server, clock });
      const port = await listener.listen();
      const directory = mkdtempSync(join(tmpdir(), 'mizzen-sds-'));
      const sds = join(directory, 'sds.sock');
      const agent = await secretService(sds, secrets(directory));
      // A part each: the same fields come again and again.
      const part = recordings.filter((_, index) => index % 20 === (incremental ? 0 : 10));
      let resources = 0;
      for (const file of part) {
        const recording = read(file);
        const { listeners, routes, clusters, endpoints } = recording.config;
        resources += listeners.length + routes.length + clusters.length + endpoints.length;
        server.commit(new Map([[recording.node.id, recording.config]]));
        await follow(recording, { server, port, sds, incremental });
      }
      await listener.close();
      agent.close();
      rmSync(directory, { recursive: true });
      expect([...agent.asked]).toEqual(expect.arrayContaining(['default', 'ROOTCA']));
      expect(part.length).toBeGreaterThan(15);
      const fields = new Map<string, number>();
      for (const { message } of refusals) {
        // The first field of each refusal; its place within lists says nothing new.
        const field = /^([^:]+):/.exec(message)?.[1]?.replaceAll(/\[\d+\]/g, '[]') ?? message;
        fields.set(field, (fields.get(field) ?? 0) + 1);
      }
      const table = [...fields].toSorted(([, a], [, b]) => b - a).map(([field, count]) => `  ${count} × ${field}`);
      console.log([`${name}: ${refusals.length} of ${resources} resources are refused, for`, ...table].join('\n'));
      for (const field of fields.keys()) {
        const last = field.split('.').at(-1)!.replaceAll('[]', '');
        expect(NOT_SUPPORTED, field).toContain(last);
      }
      expect(refusals.length).toBeLessThan(resources / 10);
    },
  );
});

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocuments, buildSnapshot } from '@mizzen/api';
import { loadYaml } from '@mizzen/api/yaml/load.ts';
import { splitDocuments } from '@mizzen/api/yaml/split.ts';
import { buildModel, type RuntimePod } from '@mizzen/model';
import type { Cluster, ClusterLoadAssignment, RouteConfiguration, VirtualHost } from '@mizzen/xds';
import { describe, expect, it } from 'vitest';
import { modelOf, sidecar } from './testing/fixture.ts';
import { translate } from './translate.ts';
import type { Node } from './types.ts';

/**
 * testdata/CASE.in.yaml: first a document with the node (and the pods that run, if any), then resources.
 * testdata/CASE.out.yaml: what must come out, whole; resources and virtual hosts that it does not name are not compared.
 */
interface Input {
  readonly node: Node;
  readonly pods?: readonly {
    readonly name: string;
    readonly workload: string;
    readonly address: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ready: boolean;
  }[];
}
interface Output {
  readonly routes?: readonly RouteConfiguration[];
  readonly virtualHosts?: readonly VirtualHost[];
  readonly clusters?: readonly Cluster[];
  readonly endpoints?: readonly ClusterLoadAssignment[];
}

const folder = join(import.meta.dirname, 'testdata');

function read<T>(text: string): T {
  const result = loadYaml(text);
  if ('error' in result) throw new Error(result.error.reason);
  return result.value as T;
}

function runtimePod(pod: NonNullable<Input['pods']>[number]): RuntimePod {
  const { workload, ...rest } = pod;
  const owner = { kind: 'Deployment', namespace: 'default', name: workload };
  return { ...rest, namespace: 'default', owner, boundPorts: {}, terminating: false, hasSidecar: true };
}

describe('translate', () => {
  const cases = readdirSync(folder).flatMap((file) =>
    file.endsWith('.in.yaml') ? file.slice(0, -'.in.yaml'.length) : [],
  );
  it.each(cases)('%s', (name) => {
    const text = readFileSync(join(folder, `${name}.in.yaml`), 'utf8');
    const { node, pods } = read<Input>(splitDocuments(text)[0]?.text ?? '');
    const { snapshot } = buildSnapshot(parseDocuments(`${name}.in.yaml`, text).resources, { version: 1 });
    const model = buildModel(snapshot, (pods ?? []).map(runtimePod));
    const { resources } = translate(model, node);
    const out = read<Output>(readFileSync(join(folder, `${name}.out.yaml`), 'utf8'));
    for (const want of out.routes ?? []) {
      expect(resources.routes.find((route) => route.name === want.name)).toEqual(want);
    }
    const hosts = resources.routes.flatMap((route) => route.virtualHosts ?? []);
    for (const want of out.virtualHosts ?? []) expect(hosts.find((host) => host.name === want.name)).toEqual(want);
    for (const want of out.clusters ?? []) {
      expect(resources.clusters.find((cluster) => cluster.name === want.name)).toEqual(want);
    }
    for (const want of out.endpoints ?? []) {
      expect(resources.endpoints.find((assignment) => assignment.clusterName === want.clusterName)).toEqual(want);
    }
  });
});

const CANARY = readFileSync(join(folder, 'canary.in.yaml'), 'utf8');
const LOCAL = { httpProxy: { address: '127.0.1.1', port: 15080 } };

describe('origins', () => {
  const { resources, origins } = translate(modelOf(CANARY), sidecar({ MIZZEN: LOCAL }));
  const route = resources.routes.find(({ name }) => name === 'http_proxy');
  const host = route?.virtualHosts?.findIndex(({ name }) => name === 'catalog.default.svc.cluster.local:80') ?? -1;
  const virtualService = { kind: 'VirtualService', namespace: 'default', name: 'catalog' };
  const rule = { kind: 'DestinationRule', namespace: 'default', name: 'catalog' };

  it.each([
    [
      ['routes', 1],
      ['spec', 'http', 0],
    ],
    [
      ['routes', 1, 'match', 'headers', 0],
      ['spec', 'http', 0, 'match', 0],
    ],
    [
      ['routes', 1, 'route', 'timeout'],
      ['spec', 'http', 0, 'timeout'],
    ],
    [
      ['routes', 2, 'route', 'weightedClusters', 'clusters', 1, 'weight'],
      ['spec', 'http', 1, 'route', 1],
    ],
    [
      ['routes', 2, 'route', 'retryPolicy', 'numRetries'],
      ['spec', 'http', 1, 'retries'],
    ],
  ])('of a route: %j', (path, written) => {
    expect(origins.find('route', 'http_proxy', ['virtualHosts', host, ...path])).toMatchObject({
      resource: virtualService,
      path: written,
    });
  });

  it.each([
    [
      ['circuitBreakers', 'thresholds', 0],
      ['spec', 'subsets', 1, 'trafficPolicy', 'connectionPool'],
    ],
    [['outlierDetection'], ['spec', 'subsets', 1, 'trafficPolicy', 'outlierDetection']],
    [['name'], ['spec', 'subsets', 1]],
  ])('of a subset: %j', (path, written) => {
    const name = 'outbound|80|v2|catalog.default.svc.cluster.local';
    expect(origins.find('cluster', name, path)).toMatchObject({ resource: rule, path: written });
  });

  it('of a service', () => {
    expect(origins.find('cluster', 'outbound|80||catalog.default.svc.cluster.local', ['type'])).toMatchObject({
      resource: { kind: 'Service', name: 'catalog' },
      path: ['spec', 'ports', 0],
    });
  });
});

describe('what several proxies are sent alike', () => {
  it('is the same object', () => {
    const model = modelOf(CANARY);
    const one = translate(model, sidecar({ NAME: 'one', LABELS: { app: 'one' }, MIZZEN: LOCAL })).resources;
    const two = translate(model, sidecar({ NAME: 'two', LABELS: { app: 'two' }, MIZZEN: LOCAL })).resources;
    expect(two.routes[0]).toBe(one.routes[0]);
    expect(two.endpoints[0]).toBe(one.endpoints[0]);
    expect(two.clusters[0]).toBe(one.clusters[0]);
  });

  it('does not depend on the order of files', () => {
    const documents = CANARY.split('\n---\n');
    const reversed = [documents[0], ...documents.slice(1).reverse()].join('\n---\n');
    expect(translate(modelOf(reversed), sidecar({ MIZZEN: LOCAL })).resources).toEqual(
      translate(modelOf(CANARY), sidecar({ MIZZEN: LOCAL })).resources,
    );
  });
});

describe('a port of no known protocol', () => {
  const YAML = `
apiVersion: v1
kind: Service
metadata: {name: any, namespace: default}
spec: {selector: {app: any}, ports: [{port: 80}]}
`;
  const name = 'outbound|80||any.default.svc.cluster.local';
  const { routes, clusters, endpoints } = translate(modelOf(YAML), sidecar({ MIZZEN: LOCAL })).resources;
  const alpn = (cluster: string): unknown =>
    /"alpnProtocols":(\[[^\]]*\])/.exec(JSON.stringify(clusters.find((c) => c.name === cluster)))?.[1];

  it('is told by ALPN whether HTTP or bytes come', () => {
    expect(alpn(name)).toBe('["istio"]');
    expect(alpn(`${name}|http`)).toBe('["istio-http/1.1","istio"]');
    const host = routes[0]?.virtualHosts?.find((one) => one.name === 'any.default.svc.cluster.local:80');
    expect(host?.routes?.map(({ route }) => route?.cluster)).toEqual(['mizzen_connect', `${name}|http`]);
  });

  it('has one set of endpoints', () => {
    expect(clusters.find((c) => c.name === `${name}|http`)?.edsClusterConfig?.serviceName).toBe(name);
    expect(endpoints.map(({ clusterName }) => clusterName)).toEqual([name]);
  });
});

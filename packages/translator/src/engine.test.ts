import type { RuntimePod } from '@mizzen/model';
import type { Cluster, Listener, types } from '@mizzen/xds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelOf } from './testing/fixture.ts';
import { validator, type Validator } from './testing/validation.ts';
import { translate } from './translate.ts';
import type { Engine, LocalProxy, Node } from './types.ts';

/** On one machine a proxy is Mizzen's own or an Envoy: the layout is the same, what it can do is not. */

const MESH = `
apiVersion: v1
kind: Service
metadata: { name: shop }
spec:
  selector: { app: shop }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
    - { name: grpc, port: 9090 }
    - { name: grpc-web, port: 9091 }
    - { name: mongo, port: 27017 }
    - { port: 7000 }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  selector: { matchLabels: { app: shop } }
  template: { metadata: { labels: { app: shop } }, spec: { containers: [{ name: shop }] } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
    - route: [{ destination: { host: shop, port: { number: 80 } } }]
      retries: { attempts: 2, retryRemoteLocalities: true }
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: errors, namespace: istio-system }
spec: { accessLogging: [{ filter: { expression: 'response.code >= 400' }, providers: [{ name: envoy }] }] }
`;
const SETTINGS = { extensionProviders: [{ name: 'envoy', envoyFileAccessLog: { path: '/dev/stdout' } }] };
const FILE = '/tmp/shop.access.log';
const PORTS = [8080, 9090, 9091, 27017, 7000];

function pod(engine: Engine | undefined, number = 0): RuntimePod {
  return {
    name: `shop-${number}`,
    namespace: 'default',
    owner: { kind: 'Deployment', namespace: 'default', name: 'shop' },
    address: `127.64.0.${number + 2}`,
    boundPorts: {},
    labels: { app: 'shop' },
    ready: true,
    terminating: false,
    hasSidecar: true,
    engine,
  };
}

function node(engine: Engine | undefined): Node {
  const address = '127.64.0.2';
  const local: LocalProxy = {
    ...(engine === 'envoy' ? { engine, accessLog: FILE } : {}),
    httpProxy: { address: '127.192.0.2', port: 15080 },
    outbound: [{ address: '127.192.0.2', port: 27017, host: 'shop.default.svc.cluster.local', servicePort: 27017 }],
    inbound: PORTS.map((port) => ({
      containerPort: port,
      address,
      port,
      applicationAddress: '127.0.0.1',
      applicationPort: port,
    })),
  };
  return {
    id: `sidecar~${address}~shop-0.default~default.svc.cluster.local`,
    metadata: { NAME: 'shop-0', NAMESPACE: 'default', LABELS: { app: 'shop' }, INSTANCE_IPS: address, MIZZEN: local },
  };
}

function resourcesOf(engine: Engine | undefined, pods: readonly RuntimePod[], mesh: object = {}) {
  return translate(modelOf(MESH, { mesh: { ...SETTINGS, ...mesh }, pods }), node(engine)).resources;
}

type Protocol = 'HTTP/1.1' | 'HTTP/2' | "the client's";
function protocolOf(clusters: readonly Cluster[], name: string): Protocol {
  const cluster = clusters.find((each) => each.name === name);
  if (cluster === undefined) throw new Error(`no cluster ${name}`);
  const options = cluster.typedExtensionProtocolOptions?.['envoy.extensions.upstreams.http.v3.HttpProtocolOptions'] as
    | types.httpProtocolOptions.HttpProtocolOptions
    | undefined;
  if (options?.useDownstreamProtocolConfig !== undefined) return "the client's";
  return options?.explicitHttpConfig?.http2ProtocolOptions === undefined ? 'HTTP/1.1' : 'HTTP/2';
}
const outbound = (port: number, suffix = ''): string => `outbound|${port}||shop.default.svc.cluster.local${suffix}`;

/** Everything of a kind in a listener, wherever it is. */
function find<T>(value: unknown, fits: (object: Record<string, unknown>) => boolean): T[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = fits(value as Record<string, unknown>) ? [value as T] : [];
  return [...own, ...Object.values(value).flatMap((each) => find<T>(each, fits))];
}
const named = (listeners: readonly Listener[], name: string) =>
  find<{ readonly name: string }>(listeners, (each) => each['name'] === name);

describe('what an Envoy on one machine is sent', () => {
  const envoy = resourcesOf('envoy', [pod('envoy')]);
  const own = resourcesOf('mizzen', [pod('mizzen')]);

  it('HTTP/2 where a port is for it, to peers and to the application', () => {
    expect(protocolOf(envoy.clusters, outbound(9090))).toBe('HTTP/2');
    expect(protocolOf(envoy.clusters, 'inbound|9090||')).toBe('HTTP/2');
    expect(protocolOf(envoy.clusters, outbound(80))).toBe('HTTP/1.1');
    expect(protocolOf(envoy.clusters, outbound(7000, '|http'))).toBe("the client's");
    expect(protocolOf(own.clusters, outbound(9090))).toBe("the client's");
    expect(protocolOf(own.clusters, 'inbound|9090||')).toBe("the client's");
  });

  it('HTTP/2 nowhere where one of the endpoints is behind a proxy that does not speak it', () => {
    const { clusters } = resourcesOf('envoy', [pod('envoy'), pod('mizzen', 1)], { h2UpgradePolicy: 'UPGRADE' });
    expect(protocolOf(clusters, outbound(9090))).toBe("the client's");
    expect(protocolOf(clusters, outbound(7000, '|http'))).toBe('HTTP/1.1');
    expect(protocolOf(clusters, outbound(80))).toBe('HTTP/1.1');
    const all = resourcesOf('envoy', [pod('envoy'), pod('envoy', 1)], { h2UpgradePolicy: 'UPGRADE' });
    expect(protocolOf(all.clusters, outbound(80))).toBe('HTTP/2');
  });

  it('an offer of HTTP/2 to whoever connects with TLS', () => {
    const offers = (listeners: readonly Listener[]): string[] =>
      find<types.tls.DownstreamTlsContext>(
        listeners,
        (each) => typeof each['@type'] === 'string' && each['@type'].endsWith('.DownstreamTlsContext'),
      ).map(({ commonTlsContext }) => (commonTlsContext?.alpnProtocols ?? []).join(' '));
    expect(new Set(offers(envoy.listeners))).toEqual(new Set(['h2 http/1.1']));
    expect(new Set(offers(own.listeners))).toEqual(new Set(['http/1.1']));
  });

  it('the filters that only Envoy has', () => {
    for (const name of ['envoy.filters.http.grpc_web', 'envoy.filters.network.mongo_proxy']) {
      expect(named(envoy.listeners, name), name).not.toEqual([]);
      expect(named(own.listeners, name), name).toEqual([]);
    }
  });

  it('the file that its access log goes to, and ports that are its own alone', () => {
    const paths = find<{ readonly path: string }>(envoy.listeners, (each) => typeof each['path'] === 'string');
    expect(new Set(paths.map(({ path }) => path))).toEqual(new Set([FILE]));
    const bound = envoy.listeners.filter(({ internalListener }) => internalListener === undefined);
    expect(bound.length).toBe(PORTS.length + 2);
    expect(bound.every(({ enableReusePort }) => enableReusePort === false)).toBe(true);
  });

  it('the layout of every proxy on one machine', () => {
    const names = (resources: typeof envoy): unknown[] => [
      resources.listeners.map(({ name, address, internalListener }) => [name, address, internalListener]),
      resources.clusters.map(({ name }) => name),
      resources.routes.map(({ name, virtualHosts }) => [name, virtualHosts?.map(({ domains }) => domains)]),
    ];
    expect(names(envoy)).toEqual(names(own));
    expect(envoy.endpoints).toEqual(own.endpoints);
  });

  describe('and the real Envoy takes it', () => {
    let envoys: Validator;
    beforeAll(() => {
      envoys = validator();
    });
    afterAll(() => envoys.close());
    it.each([
      ['alone', [pod('envoy')]],
      ['beside our own', [pod('envoy'), pod('mizzen', 1)]],
    ])('%s', (_, pods) => {
      const self = node('envoy');
      expect(envoys.complaint(translate(modelOf(MESH, { mesh: SETTINGS, pods }), self), self)).toBe('');
    });
  });
});

import { expect, it } from 'vitest';
import { createContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { buildRoutes } from './index.ts';

const service = (name: string, ...ports: readonly number[]): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default}
spec: {clusterIP: 10.1.0.9, ports: [${ports.map((port) => `{name: http-${port}, port: ${port}}`).join(', ')}]}
`;
const routed = (name: string, host: string, to: string): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: default}
spec: {hosts: ["${host}"], http: [{route: [{destination: {host: ${to}}}]}]}
`;

/** For each virtual host of a route configuration the name, the first cluster and the domains. */
function hosts(yaml: string, name: string, mesh = {}): Record<string, readonly unknown[]> {
  const [found] = buildRoutes(createContext(modelOf(yaml, { mesh }), sidecar()), [name]);
  return Object.fromEntries(
    (found?.virtualHosts ?? []).map((host) => [host.name, [host.routes?.[0]?.route?.cluster, ...(host.domains ?? [])]]),
  );
}

it('gives a service to the VirtualService with its very name, not to the older one with a wildcard', () => {
  const wide = routed('a', '*.default.svc.cluster.local', 'b.default.svc.cluster.local');
  const exact = routed('b', 'A.default.svc.cluster.local', 'c.default.svc.cluster.local');
  const found = hosts(service('a', 80) + service('b', 80) + service('c', 80) + wide + exact, '80');
  expect(Object.values(found).map(([cluster]) => cluster)).toEqual([
    'outbound|80||c.default.svc.cluster.local',
    'outbound|80||b.default.svc.cluster.local',
    'outbound|80||b.default.svc.cluster.local',
    'PassthroughCluster',
  ]);
});

it('names hosts of every port with the port where an HTTP proxy listens', () => {
  const found = hosts(service('a', 80, 8080), 'http_proxy', { proxyHttpPort: 15002 });
  expect(Object.keys(found)).toEqual([
    'a.default.svc.cluster.local:80',
    'a.default.svc.cluster.local:8080',
    'allow_any',
  ]);
  const short = (name: string): unknown[] | undefined =>
    found[name]?.filter((domain) => typeof domain === 'string' && /^(a|10.1.0.9)(:|$)/.test(domain));
  expect(short('a.default.svc.cluster.local:80')).toEqual(['a', 'a:80', '10.1.0.9', '10.1.0.9:80']);
  expect(short('a.default.svc.cluster.local:8080')).toEqual(['a:8080', '10.1.0.9:8080']);
});

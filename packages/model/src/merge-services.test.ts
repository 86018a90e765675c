import { expect, it } from 'vitest';
import { modelOf } from './testing/model-of.ts';

const service = (namespace: string, port: number): string => `
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ${namespace}}
spec: {ports: [{name: http, port: ${port}}]}
`;
const entry = (name: string, namespace: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${namespace}}
spec: {hosts: [web.a.svc.cluster.local], ${spec}}
`;
const http = (port: number): string => `resolution: STATIC, ports: [{name: http, number: ${port}, protocol: HTTP}]`;

const seen = (yaml: string, namespace: string, type?: 'router'): string[] =>
  modelOf(yaml)
    .scope(namespace, {}, type)
    .services.map((one) => `${one.registry} ${one.namespace} ${one.ports.map(({ port }) => port).join()}`);

it('a sidecar prefers what its own namespace has of a name, a gateway what Kubernetes has', () => {
  const both = service('a', 80) + entry('e', 'b', http(90));
  expect(seen(both, 'b')).toEqual(['External b 90']);
  expect(seen(both, 'c')).toEqual(['Kubernetes a 80']);
  expect(seen(both, 'b', 'router')).toEqual(['Kubernetes a 80']);
});

it('ServiceEntries of one namespace that are alike add up, others do not', () => {
  expect(seen(entry('e', 'b', http(80)) + entry('f', 'b', http(81)), 'a')).toEqual(['External b 80,81']);
  const labelled = entry('f', 'b', http(81)).replace('{name: f,', '{name: f, labels: {x: y},');
  expect(seen(entry('e', 'b', http(80)) + labelled, 'a')).toEqual(['External b 80']);
});

it('a listener still knows both a Service and a ServiceEntry of its name', () => {
  const [egress] = modelOf(service('a', 80) + entry('e', 'a', http(90))).scope('a', {}).egress;
  expect(egress?.services.map(({ registry }) => registry)).toEqual(['Kubernetes', 'External']);
});

it('what a route leads to is seen although nobody imported it, with the ports that the route names', () => {
  const yaml = `${service('b', 80)}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: a}
spec:
  hosts: [front.com]
  http:
  - match: [{sourceNamespace: elsewhere}]
    route: [{destination: {host: other.b.svc.cluster.local}}]
  - route: [{destination: {host: web.b.svc.cluster.local, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: a}
spec: {egress: [{hosts: [./*]}]}
`;
  expect(seen(yaml, 'a')).toEqual(['Kubernetes b 80']);
});

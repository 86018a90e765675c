import { expect, it } from 'vitest';
import { createContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import type { Node } from '../types.ts';
import { buildEndpoints } from './index.ts';

const service = (spec = '', metadata = ''): string => `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default, ${metadata}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}], ${spec}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: a}}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: b}}
`;
const pod = (name: string, ip: string, node: string, labels = ''): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default, labels: {app: web, security.istio.io/tlsMode: istio, ${labels}}}
spec: {nodeName: ${node}, containers: [{name: c}]}
status: {podIP: ${ip}, conditions: [{type: Ready, status: "True"}]}
`;
const PODS = pod('web-0', '10.0.0.1', 'n1') + pod('web-1', '10.0.0.2', 'n2');
const ISTIO = { ISTIO_VERSION: '1.32.0' };

/** For each locality its zone, its priority and its endpoints with their weights. */
function reached(yaml: string, { node = sidecar(ISTIO), mesh = {} }: { node?: Node; mesh?: object } = {}): unknown[] {
  const all = buildEndpoints(createContext(modelOf(yaml, { mesh }), node));
  const found = all.find(({ clusterName }) => clusterName === 'outbound|80||web.default.svc.cluster.local');
  return (found?.endpoints ?? []).map(({ locality, priority = 0, lbEndpoints = [] }) => [
    locality?.zone ?? '',
    priority,
    ...lbEndpoints.map(({ endpoint, loadBalancingWeight }) => {
      const { address, portValue } = endpoint?.address?.socketAddress ?? {};
      return `${address}:${portValue} ${loadBalancingWeight}`;
    }),
  ]);
}

it('keeps apart what is written differently, although it is one place', () => {
  const entry = `
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: default}
spec: {address: 9.9.9.9, labels: {app: web}, locality: r/a, weight: 2}
`;
  expect(reached(service() + pod('web-0', '10.0.0.1', 'n1') + entry)).toEqual([
    ['a', 0, '9.9.9.9:8080 2'],
    ['a', 0, '10.0.0.1:8080 1'],
  ]);
});

it('prefers its own zone where the service asks for it, by field or by annotation', () => {
  const expected = [
    ['a', 0, '10.0.0.1:8080 1'],
    ['b', 1, '10.0.0.2:8080 1'],
  ];
  const field = service('trafficDistribution: PreferClose');
  const annotation = service('', 'annotations: {networking.istio.io/traffic-distribution: prefersamezone}');
  for (const yaml of [field, annotation]) expect(reached(yaml + PODS)).toEqual(expected);
  expect(reached(service() + PODS)).toEqual([expected[0], ['b', 0, '10.0.0.2:8080 1']]);
});

it('stays on its own Kubernetes Node where the service asks for it', () => {
  const yaml = service('internalTrafficPolicy: Local') + PODS;
  expect(reached(yaml, { node: sidecar({ ...ISTIO, NODE_NAME: 'n1' }) })).toEqual([['a', 0, '10.0.0.1:8080 1']]);
});

it('does not leave its cluster where the mesh says so', () => {
  const mesh = { serviceSettings: [{ settings: { clusterLocal: true }, hosts: ['*.default.svc.cluster.local'] }] };
  const node = sidecar({ ...ISTIO, CLUSTER_ID: 'other' });
  expect(reached(service() + PODS, { node })).toHaveLength(2);
  expect(reached(service() + PODS, { node, mesh })).toEqual([]);
});

it('leaves out pods that are emptied, and those that end and are not ready', () => {
  expect(reached(service() + pod('web-0', '10.0.0.1', 'n1', 'istio.io/draining: "true"'))).toEqual([]);
  const slice = `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true, terminating: true}}
- {addresses: [10.0.0.2], conditions: {ready: false, terminating: true}}
- {addresses: [10.0.0.3], conditions: {ready: false}}
`;
  expect(reached(service() + slice)).toEqual([['', 0, '10.0.0.1:8080 1', '10.0.0.3:8080 1']]);
});

it('reaches other networks through their gateways, sharing the weight among them', () => {
  const gateway = (name: string, address: string, labels = ''): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: istio-system, labels: {topology.istio.io/network: far, ${labels}}}
spec: {type: LoadBalancer, ports: [{port: 15443}]}
status: {loadBalancer: {ingress: [{ip: ${address}}]}}
`;
  const yaml =
    service() +
    pod('web-0', '10.0.0.1', 'n1', 'topology.istio.io/network: near') +
    pod('web-1', '10.0.0.2', 'n2', 'topology.istio.io/network: far') +
    pod('web-2', '10.0.0.3', 'n2', 'topology.istio.io/network: elsewhere');
  const gateways = gateway('east', '1.1.1.1') + gateway('west', '2.2.2.2', 'networking.istio.io/gatewayPort: "443"');
  const node = sidecar({ ...ISTIO, NETWORK: 'near' });
  expect(reached(yaml + gateways, { node })).toEqual([
    ['a', 0, '10.0.0.1:8080 2'],
    ['b', 0, '10.0.0.3:8080 2', '1.1.1.1:15443 1', '2.2.2.2:443 1'],
  ]);
  expect(reached(yaml + gateways)).toEqual([
    ['a', 0, '10.0.0.1:8080 2'],
    ['b', 0, '10.0.0.2:8080 2', '10.0.0.3:8080 2'],
  ]);
});

import { describe, expect, it } from 'vitest';
import { modelOf } from './testing/model-of.ts';
import type { Endpoint, MeshModel, RuntimePod } from './types.ts';

const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: web}, {name: admin, port: 81, targetPort: 9000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: web, version: v1}}
    spec: {serviceAccountName: web, containers: [{name: c, ports: [{name: web, containerPort: 80}]}]}
`;

function pod(name: string, over: Partial<RuntimePod> = {}): RuntimePod {
  return {
    name,
    namespace: 'default',
    owner: { kind: 'Deployment', namespace: 'default', name: 'web' },
    address: '127.0.1.1',
    boundPorts: { 80: 8080 },
    labels: { app: 'web', version: 'v1' },
    ready: true,
    terminating: false,
    hasSidecar: true,
    ...over,
  };
}

function endpointsOf(
  model: MeshModel,
  hostname: string,
  number = 80,
  labels?: Record<string, string>,
): readonly Endpoint[] {
  const service = model.serviceFor(hostname, 'default');
  const port = service?.ports.find((candidate) => candidate.port === number);
  if (service === undefined || port === undefined) throw new Error(`no ${hostname}:${number}`);
  return model.endpoints(service, port, labels);
}
const WEB = 'web.default.svc.cluster.local';
const at = (endpoints: readonly Endpoint[]): string[] => endpoints.map(({ address, port }) => `${address}:${port}`);

describe('endpoints of pods that run here', () => {
  it('are at the bound port of the named target port', () => {
    const model = modelOf(SERVICE, [pod('a'), pod('b', { address: '127.0.1.2', boundPorts: {} })]);
    expect(at(endpointsOf(model, WEB))).toEqual(['127.0.1.1:8080', '127.0.1.2:80']);
    expect(endpointsOf(model, WEB)[0]).toMatchObject({
      targetPort: 80,
      serviceAccount: 'web',
      workloadName: 'web',
      tlsMode: 'istio',
    });
    expect(at(endpointsOf(model, WEB, 81))).toEqual(['127.0.1.1:9000', '127.0.1.2:9000']);
  });

  it('are there but unhealthy until ready, and gone when shutting down', () => {
    const model = modelOf(SERVICE, [pod('a', { ready: false }), pod('b', { terminating: true })]);
    expect(endpointsOf(model, WEB).map(({ healthy }) => healthy)).toEqual([false]);
  });

  it('are narrowed by a subset', () => {
    const model = modelOf(SERVICE, [
      pod('a'),
      pod('b', { address: '127.0.1.2', labels: { app: 'web', version: 'v2' } }),
    ]);
    expect(at(endpointsOf(model, WEB, 80, { version: 'v2' }))).toEqual(['127.0.1.2:8080']);
    expect(endpointsOf(model, WEB, 80, { version: 'v3' })).toEqual([]);
  });

  it('without a sidecar take no mutual TLS', () => {
    expect(endpointsOf(modelOf(SERVICE, [pod('a', { hasSidecar: false })]), WEB)[0]?.tlsMode).toBe('disabled');
  });

  it('of a pod whose owner is gone are gone', () => {
    const orphan = pod('a', { owner: { kind: 'Deployment', namespace: 'default', name: 'gone' } });
    expect(endpointsOf(modelOf(SERVICE, [orphan]), WEB)).toEqual([]);
  });
});

describe('endpoints from files alone', () => {
  it('are made up, ready, and the same each time', () => {
    const make = (): readonly Endpoint[] => endpointsOf(modelOf(SERVICE, undefined, { synthesizePods: true }), WEB);
    expect(make()).toHaveLength(2);
    expect(make().every(({ healthy, port }) => healthy && port === 80)).toBe(true);
    expect(at(make())).toEqual(at(make()));
    expect(new Set(at(make())).size).toBe(2);
  });

  it('have sidecars unless the pod or its namespace says no', () => {
    const NAMESPACE =
      '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio-injection: disabled}}\n';
    const tls = (yaml: string): unknown =>
      endpointsOf(modelOf(yaml, undefined, { synthesizePods: true }), WEB)[0]?.tlsMode;
    expect(tls(SERVICE)).toBe('istio');
    expect(tls(SERVICE + NAMESPACE)).toBe('disabled');
    expect(tls(SERVICE.replace('version: v1', 'sidecar.istio.io/inject: "false"'))).toBe('disabled');
  });

  it('are where an EndpointSlice says, for a service without a selector', () => {
    const model = modelOf(`
apiVersion: v1
kind: Service
metadata: {name: legacy, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: legacy-1, namespace: default, labels: {kubernetes.io/service-name: legacy}}
endpoints: [{addresses: [10.1.1.1]}, {addresses: [10.1.1.2], conditions: {ready: false}}]
ports: [{name: http, port: 8080}]
`);
    const found = endpointsOf(model, 'legacy.default.svc.cluster.local');
    expect(at(found)).toEqual(['10.1.1.1:8080', '10.1.1.2:8080']);
    expect(found.map(({ healthy }) => healthy)).toEqual([true, false]);
  });
});

describe('endpoints of a ServiceEntry', () => {
  const entry = (spec: string): MeshModel =>
    modelOf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: se, namespace: default}
spec: {hosts: [x.example], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}], ${spec}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: default}
spec: {address: 10.2.2.2, labels: {app: vm}, serviceAccount: vm, ports: {http: 7000}, locality: us/a/1}
`);

  it('are its own, each with its own ports', () => {
    const model = entry(
      'resolution: STATIC, endpoints: [{address: 10.1.1.1}, {address: 10.1.1.2, ports: {http: 9}, weight: 5}]',
    );
    expect(at(endpointsOf(model, 'x.example'))).toEqual(['10.1.1.1:8080', '10.1.1.2:9']);
    expect(endpointsOf(model, 'x.example')[1]?.weight).toBe(5);
  });

  it('are the host itself when it is to be resolved', () => {
    expect(at(endpointsOf(entry('resolution: DNS'), 'x.example'))).toEqual(['x.example:8080']);
  });

  it('are the workloads it selects', () => {
    const found = endpointsOf(entry('resolution: STATIC, workloadSelector: {labels: {app: vm}}'), 'x.example');
    expect(at(found)).toEqual(['10.2.2.2:7000']);
    expect(found[0]).toMatchObject({ tlsMode: 'istio', locality: { region: 'us', zone: 'a', subzone: '1' } });
  });
});

import { expect, test } from 'vitest';
import { modelOf } from './testing/model-of.ts';
import type { RuntimePod } from './types.ts';

const FILES = `
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}
`;

const pod = (index: number): RuntimePod => ({
  name: `db-${index}`,
  namespace: 'default',
  owner: { kind: 'StatefulSet', namespace: 'default', name: 'db' },
  address: `127.0.1.${index}`,
  boundPorts: {},
  labels: { app: 'db', 'statefulset.kubernetes.io/pod-name': `db-${index}` },
  ready: true,
  terminating: false,
  hasSidecar: true,
});

test('each pod that a headless service names is reached by its name, here', () => {
  const model = modelOf(FILES, [pod(0), pod(1)]);
  const addresses = (name: string): string[] | undefined => {
    const service = model.serviceFor(`${name}.default.svc.cluster.local`, 'default');
    return service && model.endpoints(service, service.ports[0]!).map(({ address }) => address);
  };
  expect(addresses('db')).toEqual(['127.0.1.0', '127.0.1.1']);
  expect(addresses('db-0.db')).toEqual(['127.0.1.0']);
  expect(addresses('db-1.db')).toEqual(['127.0.1.1']);
  expect(addresses('db-2.db')).toBeUndefined();
  expect(model.servicesOf(model.workloads[1]!).map(({ name }) => name)).toEqual(['db', 'db-1.db']);
  expect(modelOf(FILES).services.map(({ name }) => name)).toEqual(['db']);
});

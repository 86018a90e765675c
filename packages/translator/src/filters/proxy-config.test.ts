import { expect, test } from 'vitest';
import { modelOf } from '../testing/fixture.ts';
import { translate } from '../translate.ts';

const pod = (name: string, address: string, annotations: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default, labels: {app: web}, annotations: {${annotations}}}
spec: {containers: [{name: web, image: web}]}
status: {podIP: ${address}, phase: Running}
---`;
const YAML = `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: default}
spec: {hosts: [a], http: [{route: [{destination: {host: a}}]}]}
---${pod('plain', '10.0.0.1', '')}${pod(
  'special',
  '10.0.0.2',
  `proxy.istio.io/config: '{ proxyHeaders: { preserveHttp1HeaderCase: true, xForwardedHost: { enabled: true } } }'`,
)}
`;

test("what a pod's annotation says is in force for this pod alone, though pods share their routes and clusters", () => {
  const model = modelOf(YAML);
  const sent = (name: string, address: string): string[] => {
    const id = `sidecar~${address}~${name}.default~default.svc.cluster.local`;
    const { resources } = translate(model, {
      id,
      metadata: { NAME: name, NAMESPACE: 'default', LABELS: { app: 'web' } },
    });
    const text = JSON.stringify([
      resources.clusters.filter((cluster) => cluster.name?.startsWith('outbound')),
      resources.routes,
    ]);
    return ['headerKeyFormat', 'appendXForwardedHost'].filter((field) => text.includes(field));
  };
  expect(sent('plain', '10.0.0.1')).toEqual([]);
  expect(sent('special', '10.0.0.2')).toEqual(['headerKeyFormat', 'appendXForwardedHost']);
  expect(sent('plain', '10.0.0.1')).toEqual([]);
});

import { expect, it } from 'vitest';
import type { RuntimePod } from '@mizzen/model';
import { modelOf, sidecar } from './testing/fixture.ts';
import { translateReadiness } from './readiness.ts';
import { translate } from './translate.ts';

const SYSTEM = `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: store, namespace: default }
spec: { clusterIP: None, selector: { app: store }, ports: [{ name: tcp, port: 9042 }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web, namespace: default }
spec:
  host: web
  trafficPolicy: { outlierDetection: { minHealthPercent: 30 } }
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;
const SELECTING = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: outside, namespace: default }
spec:
  hosts: [outside.example.com]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: STATIC
  workloadSelector: { labels: { app: store } }
`;

function pods(ready: readonly boolean[]): RuntimePod[] {
  return ready.map((isReady, n) => ({
    name: `${n < 2 ? 'web' : 'store'}-${n}`,
    namespace: 'default',
    owner: { kind: 'Deployment', namespace: 'default', name: n < 2 ? 'web' : 'store' },
    address: `10.0.0.${n + 1}`,
    boundPorts: {},
    labels: { app: n < 2 ? 'web' : 'store', version: `v${n + 1}` },
    ready: isReady,
    terminating: false,
    hasSidecar: n !== 2,
  }));
}

it('readiness decides endpoints and nothing else', () => {
  const node = sidecar();
  const before = translate(modelOf(SYSTEM, { pods: pods([false, false, false, false]) }), node).resources;
  for (let bits = 0; bits < 16; bits++) {
    const model = modelOf(SYSTEM, { pods: pods([0, 1, 2, 3].map((bit) => (bits & (1 << bit)) !== 0)) });
    expect({ ...before, endpoints: translateReadiness(model, node) }).toEqual(translate(model, node).resources);
  }
});

it('says nothing of ServiceEntries that select pods, for whose identities only the ready count', () => {
  expect(translateReadiness(modelOf(SYSTEM + SELECTING, { pods: pods([true, true, true, true]) }), sidecar())).toBe(
    undefined,
  );
});

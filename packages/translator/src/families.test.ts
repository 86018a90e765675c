import { expect, it } from 'vitest';
import { createContext } from './context.ts';
import { buildParts } from './parts.ts';
import { modelOf, sidecar } from './testing/fixture.ts';

const YAML = `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: default}
spec:
  clusterIP: 10.1.0.1
  clusterIPs: [10.1.0.1, "fd00::1"]
  ports: [{name: http, port: 80}, {name: tcp, port: 9000}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: e, namespace: default}
spec: {hosts: [e.com], resolution: DNS, ports: [{name: http, number: 81, protocol: HTTP}]}
`;

it.each([
  ['10.0.0.1', ['0.0.0.0 15001', '0.0.0.0 15006', '0.0.0.0 80', '0.0.0.0 81', '10.1.0.1 9000'], '127.0.0.6', 'V4_ONLY'],
  ['fd00::a', [':: 15001', ':: 15006', ':: 80', ':: 81', 'fd00::1 9000'], '::6', 'V6_ONLY'],
  [
    '10.0.0.1,fd00::a',
    ['0.0.0.0 15001', '0.0.0.0 15006', '0.0.0.0 80', '0.0.0.0 81', '10.1.0.1 9000'],
    '127.0.0.6',
    'V4_ONLY',
  ],
])('a proxy with %s listens, connects and asks for names in its family', (ips, listening, source, lookup) => {
  const { listeners, clusters } = buildParts(createContext(modelOf(YAML), sidecar({ INSTANCE_IPS: ips })));
  const places = listeners.map(
    ({ address: { socketAddress } = {} }) => `${socketAddress?.address} ${socketAddress?.portValue}`,
  );
  expect(places.toSorted()).toEqual(listening);
  const named = (name: string) => clusters.find((cluster) => cluster.name === name);
  expect(named('InboundPassthroughCluster')?.upstreamBindConfig?.sourceAddress?.address).toBe(source);
  expect(named('outbound|81||e.com')?.dnsLookupFamily).toBe(lookup);
});

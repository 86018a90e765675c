import type { Node } from '@mizzen/translator';

const labels = { app: 'web', version: 'v1' };

/** One proxy of each sort that translation tells apart. */
export const NODES: readonly Node[] = [
  {
    id: 'sidecar~10.0.0.1~web-1.default~default.svc.cluster.local',
    metadata: {
      NAME: 'web-1',
      NAMESPACE: 'default',
      LABELS: labels,
      CLUSTER_ID: 'Kubernetes',
      ISTIO_VERSION: '1.32.0',
    },
  },
  {
    id: 'router~10.0.0.2~gateway-1.istio-system~istio-system.svc.cluster.local',
    metadata: {
      NAME: 'gateway-1',
      NAMESPACE: 'istio-system',
      LABELS: { istio: 'ingressgateway', app: 'istio-ingressgateway' },
      ISTIO_VERSION: '1.32.0',
    },
  },
  {
    id: 'sidecar~10.0.0.1~web-1.default~default.svc.cluster.local',
    metadata: { NAME: 'web-1', NAMESPACE: 'default', LABELS: labels, INTERCEPTION_MODE: 'NONE' },
  },
  {
    id: 'sidecar~127.1.0.1~web-1.default~default.svc.cluster.local',
    metadata: {
      NAME: 'web-1',
      NAMESPACE: 'default',
      LABELS: labels,
      MIZZEN: {
        httpProxy: { address: '127.1.0.1', port: 15080 },
        outbound: [{ address: '127.1.0.1', port: 16000, host: 'db.default.svc.cluster.local', servicePort: 5432 }],
        inbound: [
          {
            containerPort: 8080,
            address: '127.1.0.1',
            port: 8080,
            applicationAddress: '127.0.0.1',
            applicationPort: 18080,
          },
        ],
      },
    },
  },
  {
    id: 'router~127.1.0.2~gateway-1.istio-system~istio-system.svc.cluster.local',
    metadata: {
      NAME: 'gateway-1',
      NAMESPACE: 'istio-system',
      LABELS: { istio: 'ingressgateway' },
      MIZZEN: { engine: 'envoy', gateway: { address: '127.1.0.2', ports: { 80: 8080, 443: 8443 } } },
    },
  },
];

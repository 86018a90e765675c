/** Manifests that tests of several pages start from. */

/** A service `web` with one workload; `labels` are further ones of its pods. */
export const webManifests = (labels = ''): string => `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web${labels} } }
    spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
`;

/** The gateway `front`, as the first of several documents. */
export const FRONT_GATEWAY = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }] }
---
`;

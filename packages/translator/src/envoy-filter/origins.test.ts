import { type Locate, locator } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import type { types } from '@mizzen/xds';
import { describe, expect, it } from 'vitest';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { translate } from '../translate.ts';
import type { XdsType } from '../types.ts';

const YAML = `apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: default }
spec:
  hosts: [web]
  http:
    - name: one
      match: [{ uri: { prefix: /one } }]
      route: [{ destination: { host: web } }]
    - name: two
      route: [{ destination: { host: web } }]
      timeout: 3s
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: patches, namespace: default }
spec:
  configPatches:
    - applyTo: HTTP_ROUTE
      match: { context: SIDECAR_OUTBOUND, routeConfiguration: { vhost: { route: { name: two } } } }
      patch:
        operation: INSERT_FIRST
        value:
          name: zero
          direct_response:
            status: 204
    - applyTo: HTTP_ROUTE
      match: { context: SIDECAR_OUTBOUND, routeConfiguration: { vhost: { route: { name: two } } } }
      patch:
        operation: MERGE
        value:
          route:
            prefix_rewrite: /two
    - applyTo: CLUSTER
      match: { context: SIDECAR_OUTBOUND, cluster: { service: web.default.svc.cluster.local } }
      patch:
        operation: MERGE
        value:
          connect_timeout: 1s
    - applyTo: HTTP_FILTER
      match:
        context: SIDECAR_OUTBOUND
        listener:
          filterChain:
            filter:
              name: envoy.filters.network.http_connection_manager
              subFilter: { name: envoy.filters.http.router }
      patch:
        operation: INSERT_BEFORE
        value:
          name: buffer
          typed_config:
            '@type': type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer
            max_request_bytes: 5
`;

describe('the line that a part of a patched resource came from', () => {
  const model = modelOf(YAML);
  const { resources, origins } = translate(model, sidecar());
  const locate: Locate = locator(model.snapshot);
  const line = (type: XdsType, name: string, ...path: Path): number | undefined => {
    const origin = origins.find(type, name, path);
    return origin && locate(origin.resource, origin.path)?.line;
  };

  it('is the patch for what it adds, and still its own for what moved', () => {
    const host = resources.routes.find(({ name }) => name === '80')?.virtualHosts ?? [];
    expect(host[0]?.routes?.map(({ name }) => name)).toEqual(['zero', 'one', 'two']);
    expect(line('route', '80', 'virtualHosts', 0, 'routes', 0, 'directResponse', 'status')).toBe(31);
    expect(line('route', '80', 'virtualHosts', 0, 'routes', 1, 'route', 'cluster')).toBe(14);
    expect(line('route', '80', 'virtualHosts', 0, 'routes', 2, 'route', 'timeout')).toBe(17);
  });

  it('is the patch for what it merges, and only for that', () => {
    expect(line('route', '80', 'virtualHosts', 0, 'routes', 2, 'route', 'prefixRewrite')).toBe(38);
    const cluster = 'outbound|80||web.default.svc.cluster.local';
    expect(line('cluster', cluster, 'connectTimeout')).toBe(44);
    expect(line('cluster', cluster, 'type')).toBe(4);
  });

  it('is the patch for a filter deep within a listener', () => {
    const listener = resources.listeners.find(({ name }) => name === '0.0.0.0_80');
    const manager = listener?.filterChains?.[0]?.filters?.[0]?.typedConfig as
      | types.hcm.HttpConnectionManager
      | undefined;
    const at = (manager?.httpFilters ?? []).findIndex(({ name }) => name === 'buffer');
    const path = ['filterChains', 0, 'filters', 0, 'typedConfig', 'httpFilters', at, 'typedConfig', 'maxRequestBytes'];
    expect(line('listener', '0.0.0.0_80', ...path)).toBe(59);
    expect(line('listener', '0.0.0.0_80', 'filterChains', 0, 'filters', 0, 'typedConfig', 'httpFilters', 0)).toBe(
      undefined,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { createContext } from './context.ts';
import { buildListeners } from './listener/index.ts';
import { modelOf } from './testing/fixture.ts';
import type { Node } from './types.ts';

const NODE: Node = {
  id: 'router~10.0.0.9~gw-0.default~default.svc.cluster.local',
  metadata: { NAME: 'gw-0', NAMESPACE: 'default', LABELS: { istio: 'gateway' }, ISTIO_VERSION: '1.32.0' },
};

const ROUTES = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes, namespace: default}
spec:
  hosts: ["*"]
  gateways: [g, h]
  tcp: [{route: [{destination: {host: db.default.svc.cluster.local, port: {number: 5432}}}]}]
  tls:
  - match: [{sniHosts: [a.com, b.com]}]
    route: [{destination: {host: tls.default.svc.cluster.local, port: {number: 443}}}]
`;
const gateway = (name: string, ...servers: string[]): string => `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: default}
spec: {selector: {istio: gateway}, servers: [${servers.join(', ')}]}
`;
const server = (port: string, rest: string): string => `{port: {${port}}, ${rest}}`;
const https = (name: string, host: string): string =>
  server(`number: 443, name: ${name}, protocol: HTTPS`, `hosts: [${host}], tls: {mode: SIMPLE, credentialName: c}`);

/** Names of the listeners, and for each chain the server names and the last filter. */
function chains(yaml: string, node = NODE, mesh = {}): Record<string, string[]> {
  const listeners = buildListeners(createContext(modelOf(yaml + ROUTES, { mesh }), node));
  return Object.fromEntries(
    listeners.map(({ name = '', filterChains = [] }) => [
      name,
      filterChains.map(
        ({ filterChainMatch, filters = [] }) =>
          `${filterChainMatch?.serverNames?.join() ?? ''} ${filters.at(-1)?.name?.split('.').at(-1) ?? ''}`,
      ),
    ]),
  );
}

describe('servers of gateways on one port', () => {
  it('share a listener where they have TLS, those of one protocol after each other', () => {
    const tls = server('number: 443, name: t, protocol: TLS', 'hosts: [t.com], tls: {mode: SIMPLE, credentialName: c}');
    expect(chains(gateway('g', https('x', 'x.com'), tls, https('y', 'y.com')))).toEqual({
      '0.0.0.0_443': ['x.com http_connection_manager', 'y.com http_connection_manager', 't.com tcp_proxy'],
    });
  });

  it('may be one without TLS after the first with it, and no more', () => {
    const tcp = server('number: 443, name: tcp, protocol: TCP', 'hosts: ["*"]');
    expect(chains(gateway('g', https('x', 'x.com'), tcp) + gateway('h', tcp))).toEqual({
      '0.0.0.0_443': ['x.com http_connection_manager', ' tcp_proxy'],
    });
  });

  it('keep the first of two with the same host', () => {
    expect(chains(gateway('g', https('x', 'x.com')) + gateway('h', https('x', 'x.com'), https('y', 'y.com')))).toEqual({
      '0.0.0.0_443': ['x.com http_connection_manager', 'y.com http_connection_manager'],
    });
  });

  it('pass a server name on once', () => {
    const through = server('number: 443, name: p, protocol: TLS', 'hosts: ["*"], tls: {mode: PASSTHROUGH}');
    const again = server('number: 443, name: q, protocol: TLS', 'hosts: ["*.com"], tls: {mode: PASSTHROUGH}');
    expect(chains(gateway('g', through) + gateway('h', again))).toEqual({ '0.0.0.0_443': ['a.com,b.com tcp_proxy'] });
  });
});

describe('the port listened on', () => {
  const service = (name: string, target: number, labels = ''): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default, labels: {${labels}}}
spec: {selector: {istio: gateway}, ports: [{name: http, port: 80, targetPort: ${target}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: gw-0, namespace: default, labels: {istio: gateway}}
spec: {containers: [{name: proxy}]}
status: {podIP: 10.0.0.9}
`;
  const http = gateway('g', server('number: 80, name: http, protocol: HTTP', 'hosts: ["*"]'));
  const second = service('b', 9090).split('---').slice(0, 2).join('---');

  it("is the target port of the gateway's oldest service", () => {
    expect(Object.keys(chains(http + service('a', 8080) + second))).toEqual(['0.0.0.0_8080']);
  });
  it('is the port itself where the service does not want it translated', () => {
    const label = 'experimental.istio.io/disable-gateway-port-translation: "true"';
    expect(Object.keys(chains(http + service('a', 8080, label)))).toEqual(['0.0.0.0_80']);
  });
});

describe('credentials of an SDS server', () => {
  const yaml = gateway(
    'g',
    server('number: 443, name: x, protocol: HTTPS', 'hosts: [x.com], tls: {mode: SIMPLE, credentialName: "sds://c"}'),
  );
  const mesh = {
    extensionProviders: [{ name: 'p', sds: { name: 'p', service: 'sds.a.svc.cluster.local', port: 8443 } }],
  };
  const secrets = (text: string, config = {}): unknown => {
    const [listener] = buildListeners(createContext(modelOf(text, { mesh: config }), NODE));
    const tls = listener?.filterChains?.[0]?.transportSocket?.typedConfig as
      | { readonly commonTlsContext: { readonly tlsCertificateSdsSecretConfigs: unknown } }
      | undefined;
    return tls?.commonTlsContext.tlsCertificateSdsSecretConfigs;
  };
  const service =
    '\n---\napiVersion: v1\nkind: Service\nmetadata: {name: sds, namespace: a}\nspec: {ports: [{port: 8443}]}\n';

  it('come from the provider that the mesh has', () => {
    expect(secrets(yaml + service, mesh)).toMatchObject([
      {
        name: 'c',
        sdsConfig: {
          apiConfigSource: { grpcServices: [{ envoyGrpc: { clusterName: 'outbound|8443||sds.a.svc.cluster.local' } }] },
        },
      },
    ]);
  });
  it('are none when its service is unknown, and like others without a provider', () => {
    expect(secrets(yaml, mesh)).toEqual([{}]);
    expect(secrets(yaml)).toMatchObject([{ name: 'kubernetes://c', sdsConfig: { ads: {} } }]);
  });
});

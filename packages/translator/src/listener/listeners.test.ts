import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Listener, types } from '@mizzen/xds';
import { describe, expect, it } from 'vitest';
import { createContext, type TranslationContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import type { LocalProxy, Node } from '../types.ts';
import { buildListeners } from './index.ts';

const MESH = readFileSync(join(import.meta.dirname, 'testdata/mesh.yaml'), 'utf8');

const LOCAL: LocalProxy = {
  httpProxy: { address: '127.1.0.1', port: 15080 },
  outbound: [{ address: '127.1.0.1', port: 15432, host: 'db', servicePort: 5432 }],
  inbound: [
    { containerPort: 8080, address: '127.1.0.1', port: 18080, applicationAddress: '127.0.0.1', applicationPort: 31000 },
    { containerPort: 9000, address: '127.1.0.1', port: 9000, applicationAddress: '127.0.0.1', applicationPort: 31001 },
    { containerPort: 7000, address: '127.1.0.1', port: 7000, applicationAddress: '127.0.0.1', applicationPort: 31002 },
  ],
};

const POD = {
  name: 'web-0',
  namespace: 'default',
  owner: { kind: 'Deployment', namespace: 'default', name: 'web' },
  address: '127.1.0.1',
  boundPorts: {},
  labels: { app: 'web' },
  ready: true,
  terminating: false,
  hasSidecar: true,
};

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{containerPort: 8080}]}]}
---
`;

const GATEWAY: Node = {
  id: 'router~127.0.0.1~istio-ingressgateway-0.istio-system~istio-system.svc.cluster.local',
  metadata: {
    NAME: 'istio-ingressgateway-0',
    NAMESPACE: 'istio-system',
    LABELS: { istio: 'ingressgateway' },
    MIZZEN: { gateway: { address: '127.0.0.1', ports: { 80: 8080, 443: 8443 } } },
  },
};

const peerAuthentication = (mode: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: default}
spec: {mtls: {mode: ${mode}}}
`;

function contextOf(node: Node, extra = ''): TranslationContext {
  const model = modelOf(DEPLOYMENT + MESH + extra, node.metadata.MIZZEN === undefined ? {} : { pods: [POD] });
  return createContext(model, node);
}

const local = (extra = ''): TranslationContext => contextOf(sidecar({ MIZZEN: LOCAL }), extra);

function named(listeners: readonly Listener[], name: string): Listener {
  const found = listeners.find((listener) => listener.name === name);
  if (found === undefined) throw new Error(`no ${name} among ${listeners.map((l) => l.name).join(' ')}`);
  return found;
}

/** A chain in one line: what it matches, whether it ends TLS, and where it leads. */
function summary(chain: types.listener.FilterChain): string {
  const match = chain.filterChainMatch ?? {};
  const last = chain.filters?.at(-1)?.typedConfig as
    | { rds?: { routeConfigName: string }; routeConfig?: { name: string }; cluster?: string; statPrefix?: string }
    | undefined;
  const to = last?.rds?.routeConfigName ?? last?.routeConfig?.name ?? last?.cluster ?? last?.statPrefix ?? '';
  const kind = last?.rds !== undefined || last?.routeConfig !== undefined ? 'http' : 'bytes';
  const parts = [
    match.transportProtocol ?? 'any',
    ...(match.applicationProtocols === undefined ? [] : [`[${match.applicationProtocols.join(' ')}]`]),
    ...(match.serverNames === undefined ? [] : [match.serverNames.join(' ')]),
    ...(chain.transportSocket === undefined ? [] : ['TLS']),
  ];
  return `${parts.join(' ')} → ${kind} ${to}`;
}

const MUTUAL_ANY = '[istio istio-peer-exchange istio-http/1.0 istio-http/1.1 istio-h2]';
const MUTUAL_HTTP = '[istio-http/1.0 istio-http/1.1 istio-h2]';

describe('listeners of a sidecar on one machine', () => {
  it('are the proxy port, the tunnel, one per destination and one per container port', () => {
    const listeners = buildListeners(local());
    expect(
      listeners.map(({ name, address, internalListener }) => [
        name,
        internalListener === undefined
          ? `${address?.socketAddress?.address}:${address?.socketAddress?.portValue}`
          : 'internal',
      ]),
    ).toEqual([
      ['http_proxy', '127.1.0.1:15080'],
      ['mizzen_connect', 'internal'],
      ['127.1.0.1_15432', '127.1.0.1:15432'],
      ['127.1.0.1_7000', '127.1.0.1:7000'],
      ['127.1.0.1_8080', '127.1.0.1:18080'],
      ['127.1.0.1_9000', '127.1.0.1:9000'],
    ]);
  });

  it.each([
    ['STRICT', ['tls TLS → http inbound|8080||']],
    ['PERMISSIVE', [`tls ${MUTUAL_ANY} TLS → http inbound|8080||`, 'raw_buffer → http inbound|8080||']],
    ['DISABLE', ['raw_buffer → http inbound|8080||']],
  ])('serve HTTP as %s demands', (mode, chains) => {
    const listener = named(buildListeners(local(peerAuthentication(mode))), '127.1.0.1_8080');
    expect(listener.filterChains?.map(summary)).toEqual(chains);
  });

  it.each([
    ['STRICT', ['tls TLS → bytes inbound|9000||']],
    [
      'PERMISSIVE',
      [
        `tls ${MUTUAL_ANY} TLS → bytes inbound|9000||`,
        'tls → bytes inbound|9000||',
        'raw_buffer → bytes inbound|9000||',
      ],
    ],
    ['DISABLE', ['raw_buffer → bytes inbound|9000||']],
  ])('serve bytes as %s demands', (mode, chains) => {
    const listener = named(buildListeners(local(peerAuthentication(mode))), '127.1.0.1_9000');
    expect(listener.filterChains?.map(summary)).toEqual(chains);
  });

  it('look into what a port of no known protocol carries', () => {
    const listener = named(buildListeners(local(peerAuthentication('PERMISSIVE'))), '127.1.0.1_7000');
    expect(listener.filterChains?.map(summary)).toEqual([
      `tls ${MUTUAL_HTTP} TLS → http inbound|7000||`,
      'raw_buffer [http/1.1 h2c] → http inbound|7000||',
      'tls [istio-peer-exchange istio] TLS → bytes inbound|7000||',
      'raw_buffer → bytes inbound|7000||',
      'tls → bytes inbound|7000||',
    ]);
    expect(listener.listenerFilters?.map((filter) => filter.name)).toEqual([
      'envoy.filters.listener.tls_inspector',
      'envoy.filters.listener.http_inspector',
    ]);
  });

  it('offer no HTTP/2 and take secrets from the control plane', () => {
    const listener = named(buildListeners(local(peerAuthentication('STRICT'))), '127.1.0.1_8080');
    const tls = listener.filterChains?.[0]?.transportSocket?.typedConfig as unknown as types.tls.DownstreamTlsContext;
    expect(tls.requireClientCertificate).toBe(true);
    expect(tls.commonTlsContext?.alpnProtocols).toEqual(['http/1.1']);
    expect(tls.commonTlsContext?.tlsCertificateSdsSecretConfigs?.[0]).toMatchObject({
      name: 'default',
      sdsConfig: { ads: {} },
    });
    expect(tls.commonTlsContext?.combinedValidationContext).toMatchObject({
      defaultValidationContext: {
        matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { prefix: 'spiffe://cluster.local/' } }],
      },
      validationContextSdsSecretConfig: { name: 'ROOTCA', sdsConfig: { ads: {} } },
    });
  });

  it('compare a policy’s ports with those that are bound', () => {
    const text = JSON.stringify(named(buildListeners(local()), '127.1.0.1_8080'));
    expect(text).toContain('"destinationPort":18080');
    expect(text).not.toContain('"destinationPort":8080');
  });

  it('send bytes by the VirtualService and TLS by server name', () => {
    const listeners = buildListeners(local());
    expect(named(listeners, '127.1.0.1_15432').filterChains?.[0]?.filters?.at(-1)?.typedConfig).toMatchObject({
      weightedClusters: {
        clusters: [
          { name: 'outbound|5432|old|db.default.svc.cluster.local', weight: 90 },
          { name: 'outbound|5432|new|db.default.svc.cluster.local', weight: 10 },
        ],
      },
    });
    const tunnel = named(listeners, 'mizzen_connect');
    expect([...(tunnel.filterChains ?? []), tunnel.defaultFilterChain ?? {}].map(summary)).toEqual([
      'raw_buffer [http/1.1 h2c] → http http_proxy',
      'tls vault.default.svc.cluster.local → bytes outbound|8200||vault.default.svc.cluster.local',
      'any → bytes BlackHoleCluster',
    ]);
  });

  it('say where each part was written', () => {
    const context = local(peerAuthentication('STRICT'));
    const listener = named(buildListeners(context), '127.1.0.1_8080');
    const chain = ['filterChains', 0];
    const filters = [...chain, 'filters', 0, 'typedConfig', 'httpFilters'];
    const find = (path: (string | number)[]) => {
      const origin = context.origins.find('listener', listener.name ?? '', path);
      return origin === undefined
        ? undefined
        : `${origin.resource.kind} ${origin.resource.name} ${origin.path.join('.')}`;
    };
    expect(find(chain)).toBe('Service web spec.ports.0');
    expect(find([...chain, 'transportSocket'])).toBe('PeerAuthentication default spec.mtls');
    expect(find([...filters, 0, 'typedConfig', 'providers', 'origins-0', 'issuer'])).toBe(
      'RequestAuthentication tokens spec.jwtRules.0',
    );
    expect(find([...filters, 1, 'typedConfig', 'rules', 'policies', 'ns[default]-policy[callers]-rule[0]'])).toBe(
      'AuthorizationPolicy callers spec.rules.0',
    );
    expect(context.origins.find('listener', '127.1.0.1_15432', ['filterChains', 0])?.path).toEqual(['spec', 'tcp', 0]);
  });

  it('do not change when only where something is written does', () => {
    expect(buildListeners(local('\n# a remark\n'))).toEqual(buildListeners(local()));
  });
});

describe('listeners of a gateway', () => {
  it('are one per port, told apart by server name where TLS is', () => {
    const listeners = buildListeners(contextOf(GATEWAY));
    expect(
      listeners.map(({ name, address, filterChains }) => [
        name,
        address?.socketAddress?.portValue,
        filterChains?.map(summary),
      ]),
    ).toEqual([
      ['127.0.0.1_8080', 8080, ['any → http http.8080']],
      [
        '127.0.0.1_8443',
        8443,
        [
          'any shop.example.com TLS → http https.443.https.front.default',
          'any admin.example.com TLS → http https.443.admin.front.default',
        ],
      ],
      ['127.0.0.1_8200', 8200, ['any vault.example.com → bytes outbound|8200||vault.default.svc.cluster.local']],
      ['127.0.0.1_5432', 5432, ['any → bytes outbound|5432||db.default.svc.cluster.local']],
    ]);
  });

  it('take certificates by credential name, and ask clients for theirs where the mode says so', () => {
    const chains = named(buildListeners(contextOf(GATEWAY)), '127.0.0.1_8443').filterChains ?? [];
    const [simple, optional] = chains.map(
      (chain) => chain.transportSocket?.typedConfig as unknown as types.tls.DownstreamTlsContext,
    );
    expect(simple).toMatchObject({
      requireClientCertificate: false,
      commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: 'kubernetes://shop', sdsConfig: { ads: {} } }] },
    });
    expect(simple?.commonTlsContext?.combinedValidationContext).toBeUndefined();
    expect(optional).toMatchObject({
      requireClientCertificate: false,
      commonTlsContext: {
        combinedValidationContext: { validationContextSdsSecretConfig: { name: 'kubernetes://admin-cacert' } },
      },
    });
  });

  it('say which server they are for', () => {
    const context = contextOf(GATEWAY);
    buildListeners(context);
    expect(context.origins.find('listener', '127.0.0.1_8443', ['filterChains', 1, 'filters', 0])).toMatchObject({
      resource: { kind: 'Gateway', name: 'front' },
      path: ['spec', 'servers', 2],
    });
  });
});

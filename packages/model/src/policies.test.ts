import { describe, expect, it } from 'vitest';
import { modelOf } from './testing/model-of.ts';

const peer = (name: string, namespace: string, spec: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;

describe('the mTLS mode of a port', () => {
  const MESH = peer('default', 'istio-system', 'mtls: {mode: STRICT}');
  const NAMESPACE = peer('default', 'a', 'mtls: {mode: DISABLE}');
  const WORKLOAD = peer(
    'w',
    'a',
    'selector: {matchLabels: {app: x}}, mtls: {mode: PERMISSIVE}, portLevelMtls: {8080: {mode: STRICT}, 9090: {mode: UNSET}}',
  );
  const mode = (yaml: string, port: number, app = 'x', namespace = 'a'): string =>
    modelOf(yaml).mtlsMode(namespace, { app }, port);

  it('is PERMISSIVE unless said', () => expect(mode('', 80)).toBe('PERMISSIVE'));
  it('is the mesh’s', () => expect(mode(MESH, 80)).toBe('STRICT'));
  it('is the namespace’s', () => {
    expect(mode(MESH + NAMESPACE, 80)).toBe('DISABLE');
    expect(mode(MESH + NAMESPACE, 80, 'x', 'b')).toBe('STRICT');
  });
  it('is the workload’s', () => {
    expect(mode(MESH + NAMESPACE + WORKLOAD, 80)).toBe('PERMISSIVE');
    expect(mode(MESH + NAMESPACE + WORKLOAD, 80, 'y')).toBe('DISABLE');
  });
  it('is not said by a policy of the root namespace about single workloads', () => {
    const single = peer('w', 'istio-system', 'selector: {matchLabels: {app: x}}, mtls: {mode: DISABLE}');
    expect(mode(MESH + single, 80)).toBe('STRICT');
    expect(mode(MESH + single, 80, 'x', 'istio-system')).toBe('STRICT');
  });
  it('is the port’s, which inherits when unset', () => {
    expect(mode(MESH + WORKLOAD, 8080)).toBe('STRICT');
    expect(mode(MESH + WORKLOAD, 9090)).toBe('PERMISSIVE');
  });
  it('inherits where a workload sets only ports', () => {
    const ports = peer('w', 'a', 'selector: {matchLabels: {app: x}}, portLevelMtls: {8080: {mode: DISABLE}}');
    expect(mode(MESH + ports, 8080)).toBe('DISABLE');
    expect(mode(MESH + ports, 80)).toBe('STRICT');
  });
  it('is for clients that of the namespace', () => {
    expect(modelOf(MESH + NAMESPACE + WORKLOAD).namespaceMtlsMode('a')).toBe('DISABLE');
  });
});

describe('policies of a workload', () => {
  const authorization = (name: string, namespace: string, spec = ''): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;

  it('are the root namespace’s, then its own, where the selector fits', () => {
    const yaml =
      authorization('own', 'a') +
      authorization('mine', 'a', 'selector: {matchLabels: {app: x}}') +
      authorization('theirs', 'a', 'selector: {matchLabels: {app: y}}') +
      authorization('elsewhere', 'b') +
      authorization('root', 'istio-system') +
      authorization('attached', 'a', 'targetRefs: [{kind: Gateway, name: g}]');
    const found = modelOf(yaml).policies('a', { app: 'x' }).authorization;
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['root', 'mine', 'own']);
  });
});

describe('policies for a Gateway of the Gateway API', () => {
  const policy = (name: string, namespace: string, spec: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;
  const to = (kind: string, name: string, group = 'gateway.networking.k8s.io'): string =>
    `targetRefs: [{group: ${group}, kind: ${kind}, name: ${name}}]`;
  const GATEWAY = { 'gateway.networking.k8s.io/gateway-name': 'gw', app: 'x' };
  const names = (yaml: string, labels: Readonly<Record<string, string>>, namespace = 'a'): string[] =>
    modelOf(yaml)
      .policies(namespace, labels)
      .authorization.map(({ metadata }) => metadata.name);
  const POLICIES =
    policy('named', 'a', to('Gateway', 'gw')) +
    policy('other', 'a', to('Gateway', 'other')) +
    policy('service', 'a', to('Service', 'gw', '""')) +
    policy('foreign', 'istio-system', to('Gateway', 'gw')) +
    policy('deprecated', 'a', 'targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: gw}') +
    policy('selected', 'a', 'selector: {matchLabels: {app: x}}');

  it('are for its pods, in its namespace, beside those that select them', () => {
    expect(names(POLICIES, GATEWAY)).toEqual(['deprecated', 'named', 'selected']);
    expect(names(POLICIES, GATEWAY, 'b')).toEqual([]);
  });
  it('are for no other pods', () => expect(names(POLICIES, { app: 'x' })).toEqual(['selected']));
  it('are warned of when there is no such Gateway', () => {
    expect(
      modelOf(POLICIES).gatewayApi.diagnostics.map(({ message, path }) => `${message} ${path?.join('.')}`),
    ).toEqual([
      'there is no Gateway `a/gw`, so the AuthorizationPolicy is for nobody spec.targetRefs.0.name',
      'there is no Gateway `a/other`, so the AuthorizationPolicy is for nobody spec.targetRefs.0.name',
      'there is no Gateway `istio-system/gw`, so the AuthorizationPolicy is for nobody spec.targetRefs.0.name',
      'there is no Gateway `a/gw`, so the AuthorizationPolicy is for nobody spec.targetRef.name',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { modelOf } from './testing/model-of.ts';
import type { ProxyScope } from './types.ts';

const service = (name: string, namespace: string, annotations = ''): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}, annotations: {${annotations}}}
spec: {ports: [{name: http, port: 80}, {name: alt, port: 81}]}
`;
const rule = (name: string, namespace: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;
const virtualService = (name: string, namespace: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;
const sidecar = (namespace: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: ${namespace}}
spec: {${spec}}
`;
const names = (scope: ProxyScope): string[] => scope.services.map(({ name, namespace }) => `${name}.${namespace}`);
const HOST = 'web.a.svc.cluster.local';

describe('what a proxy sees', () => {
  const SERVICES =
    service('web', 'a') +
    service('own', 'a', 'networking.istio.io/exportTo: "."') +
    service('api', 'b', 'networking.istio.io/exportTo: "c,d"');

  it.each([
    ['a', ['own.a', 'web.a']],
    ['b', ['web.a']],
    ['c', ['api.b', 'web.a']],
  ])('is exported to %s', (namespace, expected) => {
    expect(names(modelOf(SERVICES).scope(namespace, {})).sort()).toEqual(expected);
  });

  it.each([
    ['hosts: ["./*"]', ['own.a', 'web.a']],
    ['hosts: ["b/*"]', []],
    ['hosts: ["*/web.a.svc.cluster.local"]', ['web.a']],
    ['hosts: ["~/*"]', []],
    ['hosts: ["*/*", "~a/own.a.svc.cluster.local"]', ['web.a']],
    ['hosts: ["*/*", "~a/*"]', []],
  ])('is what its Sidecar imports: %s', (egress, expected) => {
    const model = modelOf(SERVICES + sidecar('a', `egress: [{${egress}}]`));
    expect(names(model.scope('a', {})).sort()).toEqual(expected);
    expect(names(model.scope('a', {}, 'router')).sort()).toEqual(['own.a', 'web.a']);
  });

  it('is one port of a service through a listener for that port', () => {
    const model = modelOf(
      SERVICES + sidecar('a', 'egress: [{port: {number: 81, protocol: HTTP, name: x}, hosts: ["*/*"]}]'),
    );
    expect(model.scope('a', {}).services.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[81], [81]]);
  });

  it('takes in what an imported VirtualService leads to', () => {
    const yaml =
      service('web', 'a') +
      service('api', 'b') +
      virtualService('v', 'a', 'hosts: [web], http: [{route: [{destination: {host: api.b.svc.cluster.local}}]}]') +
      sidecar('a', 'egress: [{hosts: ["./*"]}]');
    expect(names(modelOf(yaml).scope('a', {}))).toEqual(['web.a', 'api.b']);
  });

  it('is shaped by the root namespace’s Sidecar where there is none of its own', () => {
    const model = modelOf(SERVICES + sidecar('istio-system', 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'));
    expect(model.scope('a', {}).outboundTrafficPolicy).toBe('REGISTRY_ONLY');
    expect(modelOf(SERVICES).scope('a', {}).outboundTrafficPolicy).toBe('ALLOW_ANY');
  });
});

describe('the DestinationRule in force', () => {
  const policy = (size: number): string => `trafficPolicy: {connectionPool: {tcp: {maxConnections: ${size}}}}`;
  const limit = (
    yaml: string,
    namespace: string,
    labels = {},
    direction: 'inbound' | 'outbound' = 'outbound',
  ): number | undefined =>
    modelOf(service('web', 'a') + yaml)
      .scope(namespace, labels)
      .destinationRule(HOST, direction)?.spec.trafficPolicy?.connectionPool?.tcp?.maxConnections;
  const host = `host: ${HOST}`;

  it('is the client’s, then the service’s, then the root namespace’s', () => {
    const root = rule('r', 'istio-system', `${host}, ${policy(3)}`);
    const own = rule('s', 'a', `${host}, ${policy(2)}`);
    const client = rule('c', 'b', `${host}, ${policy(1)}`);
    expect(limit(root + own + client, 'b')).toBe(1);
    expect(limit(root + own + client, 'c')).toBe(2);
    expect(limit(root, 'c')).toBe(3);
    expect(limit(root + own, 'istio-system')).toBe(2);
  });

  it('is the one for the closest host', () => {
    const wide = rule('w', 'a', `host: "*.svc.cluster.local", ${policy(1)}`);
    expect(limit(wide, 'a')).toBe(1);
    expect(limit(wide + rule('n', 'a', `${host}, ${policy(2)}`), 'a')).toBe(2);
  });

  it('is not seen where it is not exported', () => {
    expect(limit(rule('p', 'a', `${host}, exportTo: ["."], ${policy(1)}`), 'b')).toBeUndefined();
    expect(limit(rule('p', 'a', `${host}, exportTo: ["."], ${policy(1)}`), 'a')).toBe(1);
  });

  it('merges subsets of several; the oldest policy and the oldest subset of a name stay', () => {
    const yaml =
      rule('one', 'a', `${host}, ${policy(1)}, subsets: [{name: v1, labels: {v: "1"}}]`) +
      rule('two', 'a', `${host}, ${policy(2)}, subsets: [{name: v1, labels: {v: "9"}}, {name: v2, labels: {v: "2"}}]`);
    const merged = modelOf(service('web', 'a') + yaml)
      .scope('a', {})
      .destinationRule(HOST);
    expect(merged?.spec.trafficPolicy?.connectionPool?.tcp?.maxConnections).toBe(1);
    expect(merged?.spec.subsets).toEqual([
      { name: 'v1', labels: { v: '1' } },
      { name: 'v2', labels: { v: '2' } },
    ]);
    expect(merged?.subsetOrigin.get('v2')).toMatchObject({ resource: { name: 'two' }, index: 1 });
  });

  it('may be for some workloads only, and then only for what they send', () => {
    const yaml =
      rule('all', 'a', `${host}, ${policy(1)}`) +
      rule('some', 'a', `${host}, workloadSelector: {matchLabels: {app: x}}, ${policy(2)}`);
    expect(limit(yaml, 'a', { app: 'x' })).toBe(2);
    expect(limit(yaml, 'a', { app: 'y' })).toBe(1);
    expect(limit(yaml, 'a', { app: 'x' }, 'inbound')).toBe(1);
  });
});

describe('VirtualServices', () => {
  it('have full names', () => {
    const yaml = virtualService(
      'v',
      'a',
      'hosts: [web], gateways: [gw, mesh, other/gw2], http: [{match: [{gateways: [gw]}], route: [{destination: {host: web}}], mirror: {host: b.b}}]',
    );
    const [found] = modelOf(yaml).virtualServices('a', 'a/gw');
    expect(found?.spec).toMatchObject({
      hosts: ['web.a.svc.cluster.local'],
      gateways: ['a/gw', 'mesh', 'other/gw2'],
      http: [{ match: [{ gateways: ['a/gw'] }], route: [{ destination: { host: HOST } }], mirror: { host: 'b.b' } }],
    });
    expect(modelOf(yaml).virtualServices('a', 'mesh')).toHaveLength(1);
    expect(modelOf(yaml).virtualServices('a', 'a/other')).toHaveLength(0);
  });

  it('of the proxy’s namespace come before public ones', () => {
    const yaml =
      virtualService('a', 'b', 'hosts: [web.a]') + virtualService('z', 'a', 'hosts: [web.a], exportTo: ["."]');
    expect(
      modelOf(yaml)
        .virtualServices('a', 'mesh')
        .map(({ metadata }) => metadata.name),
    ).toEqual(['z', 'a']);
    expect(
      modelOf(yaml)
        .virtualServices('c', 'mesh')
        .map(({ metadata }) => metadata.name),
    ).toEqual(['a']);
  });

  it('take in the routes of their delegates, within what the root matches', () => {
    const yaml =
      virtualService(
        'root',
        'a',
        'hosts: [web], http: [{name: r, match: [{uri: {prefix: /api}}], timeout: 1s, delegate: {name: d, namespace: b}}]',
      ) +
      virtualService(
        'd',
        'b',
        'http: [{name: x, match: [{uri: {prefix: /api/x}, headers: {h: {exact: "1"}}}], route: [{destination: {host: x}}]}, {match: [{uri: {prefix: /no}}], route: [{destination: {host: n}}]}, {timeout: 2s, route: [{destination: {host: y}}]}]',
      );
    const model = modelOf(yaml);
    const http = model.virtualServices('a', 'mesh')[0]?.spec.http ?? [];
    expect(http.map(({ name, timeout, route }) => [name, timeout, route?.[0]?.destination?.host])).toEqual([
      ['r-x', '1s', 'x.b.svc.cluster.local'],
      ['r', '2s', 'y.b.svc.cluster.local'],
    ]);
    expect(http[0]?.match?.[0]).toMatchObject({ uri: { prefix: '/api/x' }, headers: { h: { exact: '1' } } });
    expect(http[1]?.match).toEqual([{ uri: { prefix: '/api' } }]);
    expect(model.originOfRoute(http[1]!)).toMatchObject({ resource: { name: 'd' }, path: ['spec', 'http', 2] });
  });
});

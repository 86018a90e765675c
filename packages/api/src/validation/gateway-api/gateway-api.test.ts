import { expect, test } from 'vitest';
import { parseDocuments } from '../../documents.ts';
import { validateResource } from '../index.ts';
import { findings } from '../testing.ts';

const API = 'gateway.networking.k8s.io/v1';
const gateway = (listener: string): string => `gatewayClassName: istio\nlisteners: [{${listener}}]`;

test.each([
  [gateway('name: http, port: 80, protocol: HTTP'), []],
  [
    'addresses: [{type: Hostname, value: istio-ingressgateway}]\ninfrastructure: {labels: {a: b}}\n' +
      gateway(
        'name: http, hostname: "*.example.com", port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}',
      ),
    [],
  ],
  [gateway('name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}'), []],
  [gateway('name: web, port: 443, protocol: TLS, tls: {mode: Passthrough}'), []],
  ['{}', ['MZ1006 ', 'MZ1006 ']],
  ['gatewayClassName: istio\nlisteners: []', ['MZ1006 ']],
  [gateway('name: http, port: 80'), ['MZ1006 listeners.0']],
  [gateway('name: http, port: 70000, protocol: HTTP'), ['MZ1012 listeners.0.port']],
  [gateway('name: http, port: "80", protocol: HTTP'), ['MZ1002 listeners.0.port']],
  [gateway('name: http, port: 80, protocol: http'), ['MZ1017 listeners.0.protocol']],
  [gateway('name: http, port: 80, protocol: HTTP, hostname: "*"'), ['MZ1013 listeners.0.hostname']],
  [gateway('name: http, port: 80, protocol: HTTP, hostname: 10.0.0.1'), ['MZ1013 listeners.0.hostname']],
  [gateway('name: http, port: 80, protocol: HTTP, hostname: Example.com'), ['MZ1013 listeners.0.hostname']],
  [gateway('name: http, port: 80, protocol: HTTP, tls: {mode: Terminate}'), ['MZ1005 listeners.0.tls']],
  [gateway('name: tcp, port: 80, protocol: TCP, hostname: a.b'), ['MZ1005 listeners.0.hostname']],
  [gateway('name: web, port: 443, protocol: HTTPS'), ['MZ1006 listeners.0']],
  [gateway('name: web, port: 443, protocol: HTTPS, tls: {}'), ['MZ1006 listeners.0.tls']],
  [gateway('name: web, port: 443, protocol: HTTPS, tls: {mode: Passthrough}'), ['MZ1005 listeners.0.tls.mode']],
  [
    gateway('name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{kind: ConfigMap, name: a}]}'),
    ['MZ1017 listeners.0.tls.certificateRefs.0'],
  ],
  [
    gateway('name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}'),
    ['MZ1006 listeners.0.allowedRoutes.namespaces'],
  ],
  [
    'gatewayClassName: istio\nlisteners: [{name: a, port: 80, protocol: HTTP}, {name: a, port: 80, protocol: HTTP}]',
    ['MZ1015 listeners.1.name', 'MZ1015 listeners.1'],
  ],
])('Gateway: %s', (spec, expected) => {
  expect(findings(API, 'Gateway', spec)).toEqual(expected);
});

const rule = (text: string): string => `parentRefs: [{name: gw}]\nrules: [{${text}}]`;
const filter = (text: string, more = ''): string => rule(`filters: [{${text}}]${more}`);

test.each([
  [rule('backendRefs: [{name: web, port: 80}]'), []],
  [
    'parentRefs: [{group: "", kind: Service, name: web}]\nrules: [{backendRefs: [{name: web, port: 80, weight: 0}]}]',
    [],
  ],
  ['rules: []', ['warn MZ1202 ']],
  ['parentRefs: [{name: a}, {name: a}]', ['MZ1015 parentRefs.1']],
  ['parentRefs: [{name: a, sectionName: x}, {name: a, sectionName: y}]', []],
  ['parentRefs: [{port: 80}]', ['MZ1006 parentRefs.0']],
  ['parentRefs: [{name: a}]\nhostnames: [a.example.com, "b.example.com:80"]', ['MZ1013 hostnames.1']],
  [rule('matches: [{path: {type: Prefix, value: /}}]'), ['MZ1017 rules.0.matches.0.path.type']],
  [rule('matches: [{path: {value: a}}]'), ['MZ1017 rules.0.matches.0.path.value']],
  [rule('matches: [{path: {value: /a/../b}}]'), ['MZ1017 rules.0.matches.0.path.value']],
  [rule('matches: [{path: {type: RegularExpression, value: "("}}]'), ['MZ1017 rules.0.matches.0.path.value']],
  [
    rule('matches: [{headers: [{name: a, value: b}, {name: A, value: c}]}]'),
    ['MZ1015 rules.0.matches.0.headers.1.name'],
  ],
  [rule('matches: [{queryParams: [{name: a}]}]'), ['MZ1006 rules.0.matches.0.queryParams.0']],
  [rule('matches: [{method: get}]'), ['MZ1017 rules.0.matches.0.method']],
  [rule('backendRefs: [{name: web}]'), ['MZ1006 rules.0.backendRefs.0']],
  [rule('backendRefs: [{name: web.default, port: 80}]'), ['MZ1016 rules.0.backendRefs.0.name']],
  [rule('backendRefs: [{kind: Hostname, group: networking.istio.io, name: a.b, port: 80}]'), []],
  [
    rule('backendRefs: [{kind: Hostname, group: networking.istio.io, name: a.b, namespace: x, port: 80}]'),
    ['MZ1007 rules.0.backendRefs.0.namespace'],
  ],
  [rule('backendRefs: [{name: web, port: 80, weight: -1}]'), ['MZ1012 rules.0.backendRefs.0.weight']],
  [filter('type: ExtensionRef, extensionRef: {}'), ['MZ1007 rules.0.filters.0.type']],
  [filter('type: Rewrite'), ['MZ1017 rules.0.filters.0.type']],
  [filter('type: URLRewrite'), ['MZ1006 rules.0.filters.0']],
  [filter('type: URLRewrite, urlRewrite: {}, cors: {}'), ['MZ1005 rules.0.filters.0.cors']],
  [
    filter('type: URLRewrite, urlRewrite: {hostname: a.b}}, {type: URLRewrite, urlRewrite: {}'),
    ['MZ1015 rules.0.filters.1.type'],
  ],
  [
    filter('type: RequestRedirect, requestRedirect: {statusCode: 200}'),
    ['MZ1017 rules.0.filters.0.requestRedirect.statusCode'],
  ],
  [
    filter('type: RequestRedirect, requestRedirect: {}', ', backendRefs: [{name: a, port: 1}]'),
    ['MZ1005 rules.0.backendRefs'],
  ],
  [
    filter(
      'type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}',
      ', matches: [{}, {}]',
    ),
    ['MZ1005 rules.0.filters.0.urlRewrite.path.type'],
  ],
  [
    filter('type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replacePrefixMatch: /}}'),
    ['MZ1006 rules.0.filters.0.urlRewrite.path', 'MZ1005 rules.0.filters.0.urlRewrite.path.replacePrefixMatch'],
  ],
  [filter('type: RequestMirror, requestMirror: {percent: 5}'), ['MZ1006 rules.0.filters.0.requestMirror']],
  [
    filter(
      'type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, percent: 5, fraction: {numerator: 1}}',
    ),
    ['MZ1005 rules.0.filters.0.requestMirror.fraction'],
  ],
  [
    filter('type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: "a b", value: c}]}'),
    ['MZ1016 rules.0.filters.0.requestHeaderModifier.set.0.name'],
  ],
  [
    rule('backendRefs: [{name: a, port: 1, filters: [{type: URLRewrite, urlRewrite: {}}]}]'),
    ['MZ1007 rules.0.backendRefs.0.filters.0.type'],
  ],
  [rule('timeouts: {request: 1.5s}'), ['MZ1004 rules.0.timeouts.request']],
  [rule('timeouts: {request: 1s, backendRequest: 2s}'), ['MZ1005 rules.0.timeouts.backendRequest']],
  [rule('timeouts: {request: 0s, backendRequest: 2s}'), []],
  [rule('retry: {codes: [200], attempts: 3, backoff: 3ms}'), ['MZ1012 rules.0.retry.codes.0']],
  ['parentRefs: [{name: a}]\nrules: [{name: x}, {name: x}]', ['MZ1015 rules.1.name']],
])('HTTPRoute: %s', (spec, expected) => {
  expect(findings(API, 'HTTPRoute', spec)).toEqual(expected);
});

test.each(['GatewayClass', 'Gateway', 'HTTPRoute', 'ReferenceGrant'])('%s: nothing at all', (kind) => {
  const { resources } = parseDocuments('a.yaml', `apiVersion: ${API}\nkind: ${kind}\nmetadata: {name: a}\n`);
  const found = resources.flatMap((each) => validateResource(each));
  expect(found.map(({ code }) => code)).toContain('MZ1006');
});

test('classes and grants', () => {
  expect(findings(API, 'GatewayClass', 'controllerName: istio.io/gateway-controller')).toEqual([]);
  expect(findings(API, 'GatewayClass', '{}')).toEqual(['MZ1006 ']);
  const from = 'from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: a}]';
  expect(findings(API, 'ReferenceGrant', `${from}\nto: [{group: "", kind: Secret}]`)).toEqual([]);
  expect(findings(API, 'ReferenceGrant', `${from}\nto: [{group: ""}]`)).toEqual(['MZ1006 to.0']);
  expect(findings(API, 'ReferenceGrant', from)).toEqual(['MZ1006 ']);
});

import { expect, test } from 'vitest';
import { buildSnapshot, locator, parseDocuments } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { buildModel } from '@mizzen/model';
import { translate } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';
import { quotedIn } from './quoted.ts';
import { describeRefusal, firstDifference, parsePath } from './refusals.ts';

test('paths are read as proxies write them', () => {
  expect(parsePath('virtualHosts[0].routes[12].typedPerFilterConfig["envoy.filters.http.cors"].x')).toEqual([
    'virtualHosts',
    0,
    'routes',
    12,
    'typedPerFilterConfig',
    'envoy.filters.http.cors',
    'x',
  ]);
  expect(parsePath('')).toEqual([]);
});

test('a refusal names the line of the resource that the refused part came from', () => {
  const text = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
    - match: [{ uri: { prefix: /a } }]
      route: [{ destination: { host: web } }]
    - route: [{ destination: { host: web } }]
`;
  const { snapshot } = buildSnapshot(parseDocuments('web.yaml', text).resources, { version: 1 });
  const node = { id: 'sidecar~10.0.0.1~a.default~default.svc.cluster.local', metadata: { NAMESPACE: 'default' } };
  const { origins, resources } = translate(buildModel(snapshot), node);
  const route = resources.routes.find(({ name }) => name === '80');
  const host = route?.virtualHosts?.findIndex(({ name }) => name?.startsWith('web')) ?? -1;
  const refusal = {
    typeUrl: TypeUrl.route,
    resource: '80',
    field: `virtualHosts[${host}].routes[1].match`,
    message: 'no',
    version: '',
  };
  expect(describeRefusal(refusal, { origins }, locator(snapshot))).toBe(
    `\`virtualHosts[${host}].routes[1].match\`: no (from web.yaml:14)`,
  );
});

test('where only the resource is named, what changed in it tells the line', () => {
  const token = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: token }
spec:
  selector: { matchLabels: { app: web } }
  jwtRules:
    - issuer: x
      jwks: none
`;
  const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: guard }
spec: { selector: { matchLabels: { app: web } }, rules: [{ to: [{ operation: { paths: [/a] } }] }] }
`;
  const MIZZEN = {
    engine: 'envoy' as const,
    inbound: [
      { containerPort: 80, address: '127.64.0.2', port: 80, applicationAddress: '127.0.0.1', applicationPort: 8080 },
    ],
  };
  const node = {
    id: 'sidecar~127.64.0.2~web.default~default.svc.cluster.local',
    metadata: { NAMESPACE: 'default', LABELS: { app: 'web' }, MIZZEN },
  };
  const read = (...files: readonly [string, string][]) => {
    const resources = files.flatMap(([file, text]) => parseDocuments(file, text).resources);
    const { snapshot } = buildSnapshot(resources, { version: 1 });
    const { origins, resources: xds } = translate(buildModel(snapshot), node);
    const listener = xds.listeners.find(({ name }) => name === '127.64.0.2_80');
    return { snapshot, origins, listener };
  };
  const before = read(['guard.yaml', policy]);
  const after = read(['guard.yaml', policy], ['token.yaml', token]);
  const refusal = { typeUrl: TypeUrl.listener, resource: '127.64.0.2_80', field: '', message: 'bad jwks', version: '' };
  const changed = firstDifference(before.listener, after.listener);
  expect(describeRefusal(refusal, { origins: after.origins, changed }, locator(after.snapshot))).toBe(
    'bad jwks (from token.yaml:7)',
  );
  // Nothing to compare with: the line is told only where no other resource has a part in it.
  expect(describeRefusal(refusal, after, locator(after.snapshot))).toBe('bad jwks');
  expect(describeRefusal(refusal, before, locator(before.snapshot))).toBe('bad jwks (from guard.yaml:4)');
});

test('what the message quotes tells the line, with nothing to compare with and whatever else changed', () => {
  const issuers = (...names: string[]): string => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: token }
spec:
  selector: { matchLabels: { app: web } }
  jwtRules:
${names.map((name) => `    - { issuer: ${name}, jwks: none }\n`).join('')}`;
  const resources = parseDocuments('token.yaml', issuers('x', 'y')).resources;
  const guard = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: guard }
spec: { selector: { matchLabels: { app: web } }, rules: [{ to: [{ operation: { paths: [/a] } }] }] }
`;
  const { snapshot } = buildSnapshot([...parseDocuments('guard.yaml', guard).resources, ...resources], { version: 1 });
  const MIZZEN = {
    engine: 'envoy' as const,
    inbound: [
      { containerPort: 80, address: '127.64.0.2', port: 80, applicationAddress: '127.0.0.1', applicationPort: 8080 },
    ],
  };
  const metadata = { NAMESPACE: 'default', LABELS: { app: 'web' }, MIZZEN };
  const node = { id: 'sidecar~127.64.0.2~web.default~default.svc.cluster.local', metadata };
  const { origins, resources: xds } = translate(buildModel(snapshot), node);
  const listener = xds.listeners.find(({ name }) => name === '127.64.0.2_80');
  const line = (message: string, changed?: Path): string => {
    const refusal = { typeUrl: TypeUrl.listener, resource: '127.64.0.2_80', field: '', message, version: '' };
    return describeRefusal(refusal, { origins, changed, quoted: quotedIn(listener, message) }, locator(snapshot));
  };
  expect(line("Provider 'origins-0' is bad")).toBe("Provider 'origins-0' is bad (from token.yaml:7)");
  expect(line("Provider 'origins-1' is bad")).toBe("Provider 'origins-1' is bad (from token.yaml:8)");
  expect(line("'no such' is bad")).toBe("'no such' is bad");
  const other = ['filterChains', 0, 'filters', 0];
  expect(line("Provider 'origins-1' is bad", other)).toBe("Provider 'origins-1' is bad (from token.yaml:8)");
});

test('the first difference is found in the order of the newer value', () => {
  expect(firstDifference({ a: 1, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 3 }] })).toEqual(['b', 1, 'c']);
  expect(firstDifference({ a: 1 }, { a: 1, b: 2 })).toEqual(['b']);
  expect(firstDifference([1, 2], [1])).toEqual([1]);
  expect(firstDifference({ a: [1] }, { a: [1] })).toBeUndefined();
});

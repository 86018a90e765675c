import { expect, test } from 'vitest';
import { buildSnapshot, locator, parseDocuments } from '@mizzen/api';
import { buildModel } from '@mizzen/model';
import { translate } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';
import { describeRefusal, parsePath } from './refusals.ts';

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
  expect(describeRefusal(refusal, origins, locator(snapshot))).toBe(
    `\`virtualHosts[${host}].routes[1].match\`: no (from web.yaml:14)`,
  );
});

import { expect, test } from 'vitest';
import { parseDocuments } from '../documents.ts';
import { validateResource } from './index.ts';
import { findings } from './testing.ts';

test.each([
  ['selector: {app: a}\nports: [{port: 80, targetPort: http}]', []],
  ['type: ExternalName\nexternalName: example.com', []],
  ['type: ExternalName', ['MZ1006 ']],
  ['type: Cluster', ['MZ1017 type']],
  ['ports: [{port: "80"}]', ['MZ1002 ports.0.port']],
  ['ports: [{port: 80}, {port: 81}]', ['MZ1006 ports.0', 'MZ1006 ports.1']],
  ['ports: [{port: 80, name: a}, {port: 80, name: a}]', ['MZ1015 ports.1.name', 'MZ1015 ports.1.port']],
  ['ports: [{port: 80, name: a}, {port: 80, name: b, protocol: UDP}]', []],
  ['ports: [{port: 80, targetPort: 0}]', []],
  ['ports: [{port: 80, targetPort: ""}]', []],
  ['ports: [{port: 80, targetPort: -1}]', ['MZ1012 ports.0.targetPort']],
  ['ports: [{port: 80, targetPort: "8080"}]', ['MZ1016 ports.0.targetPort']],
  ['clusterIP: none', ['MZ1014 clusterIP']],
  ['selector: {app: 1}', ['MZ1002 selector.app']],
])('Service: %s', (spec, expected) => {
  expect(findings('v1', 'Service', spec)).toEqual(expected);
});

const pod = (container: string): string => `containers: [{name: a, image: b${container}}]`;

test.each([
  ['name: web-1.a', []],
  ['name: Web', ['MZ1016 name']],
  ['name: ../../web', ['MZ1016 name']],
  ['name: a..b', ['MZ1016 name']],
  [`name: ${'a'.repeat(254)}`, ['MZ1016 name']],
  ['name: web, namespace: ../shop', ['MZ1016 namespace']],
  ['name: web, namespace: a.b', ['MZ1016 namespace']],
])('names of a Pod and of a Deployment: %s', (metadata, expected) => {
  const found = (kind: string, version: string, spec: string): string[] =>
    parseDocuments(
      'x.yaml',
      `apiVersion: ${version}\nkind: ${kind}\nmetadata: {${metadata}}\nspec: {${spec}}\n`,
    ).resources.flatMap((resource) =>
      validateResource(resource).map(({ code, path }) => `${code} ${String(path?.at(-1))}`),
    );
  expect(found('Pod', 'v1', pod(''))).toEqual(expected);
  const template = `selector: {}, template: {metadata: {labels: {app: a}}, spec: {${pod('')}}}`;
  expect(found('Deployment', 'apps/v1', template)).toEqual(expected);
});

test.each([
  [pod(', ports: [{containerPort: 80, name: http}], env: [{name: A, value: "1"}]'), []],
  ['{}', ['MZ1006 ']],
  [pod(', env: [{name: A, value: 1}]'), ['MZ1002 containers.0.env.0.value']],
  [pod(', env: [{value: "1"}]'), ['MZ1006 containers.0.env.0']],
  [pod(', ports: [{containerPort: 0}]'), ['MZ1012 containers.0.ports.0.containerPort']],
  [pod(', ports: [{containerPort: 80, name: HTTP}]'), ['MZ1016 containers.0.ports.0.name']],
  [pod(', readinessProbe: {periodSeconds: 5}'), ['MZ1006 containers.0.readinessProbe']],
  [pod(', livenessProbe: {httpGet: {port: 80}, exec: {command: [a]}}'), ['MZ1005 containers.0.livenessProbe.exec']],
  [pod(', startupProbe: {httpGet: {path: /}}'), ['MZ1012 containers.0.startupProbe.httpGet.port']],
  ['containers: [{name: a}, {name: a}]', ['MZ1015 containers.1.name']],
  [`${pod('')}\nrestartPolicy: Sometimes`, ['MZ1017 restartPolicy']],
])('Pod: %s', (spec, expected) => {
  expect(findings('v1', 'Pod', spec)).toEqual(expected);
});

const template = 'template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a}]}}';

test.each([
  [`selector: {matchLabels: {app: a}}\n${template}`, []],
  [`selector: {matchLabels: {app: b}}\n${template}`, ['MZ1005 selector.matchLabels.app']],
  [template, ['MZ1006 ']],
  ['selector: {}', ['MZ1006 ']],
  [`replicas: -1\nselector: {matchLabels: {app: a}}\n${template}`, ['MZ1012 replicas']],
  [`replicas: two\nselector: {matchLabels: {app: a}}\n${template}`, ['MZ1002 replicas']],
])('Deployment and StatefulSet: %s', (spec, expected) => {
  expect(findings('apps/v1', 'Deployment', spec)).toEqual(expected);
  expect(findings('apps/v1', 'StatefulSet', spec)).toEqual(expected);
});

/** Mistakes in a document given whole: its fields are not all in a `spec`. */
function mistakes(text: string): string[] {
  const { resources } = parseDocuments('x.yaml', text);
  return resources
    .flatMap((resource) => validateResource(resource))
    .map(({ code, path }) => `${code} ${path?.join('.')}`);
}

const head = (apiVersion: string, kind: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;

test.each([
  [`${head('v1', 'Service')}`, ['MZ1006 ']],
  [`${head('v1', 'Pod')}spec: null`, ['MZ1006 ']],
  [`${head('apps/v1', 'Deployment')}spec: ~`, ['MZ1006 ']],
  [`${head('v1', 'Pod')}spec: {${pod('')}}\nstatus: {podIP: [10.0.0.1]}`, ['MZ1002 status.podIP']],
  [`${head('v1', 'Pod')}spec: {${pod('')}}\nstatus: {podIPs: [null]}`, ['MZ1002 status.podIPs.0']],
  [`${head('v1', 'Endpoints')}subsets: [{addresses: [{ip: 1.2}]}]`, ['MZ1002 subsets.0.addresses.0.ip']],
  [`${head('v1', 'Endpoints')}subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]`, []],
  [
    `${head('discovery.k8s.io/v1', 'EndpointSlice')}endpoints: [{addresses: 10.0.0.1}]`,
    ['MZ1002 endpoints.0.addresses'],
  ],
  [`${head('discovery.k8s.io/v1', 'EndpointSlice')}endpoints: []\nports: {name: a}`, ['MZ1002 ports']],
])('%s', (text, expected) => {
  expect(mistakes(text)).toEqual(expected);
});

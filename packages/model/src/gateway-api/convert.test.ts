import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Resource, buildSnapshot, locate, parseDocuments, validateResource, writtenAt } from '@mizzen/api';
import { dump, load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { buildModel } from '../build.ts';

/**
 * Golden cases: `testdata/CASE.in.yaml` holds resources, `testdata/CASE.out.yaml` the Gateways and VirtualServices that
 * they become, for each of their parts the line it was written in, and what leads nowhere. `UPDATE=1 npx vitest run FILE`
 * writes the outputs anew: read them before they are committed.
 */
const folder = join(import.meta.dirname, 'testdata');
const cases = readdirSync(folder).flatMap((file) =>
  file.endsWith('.in.yaml') ? [file.slice(0, -'.in.yaml'.length)] : [],
);

describe('golden', () => {
  test.each(cases)('%s', (name) => {
    const output = convert(readFileSync(join(folder, `${name}.in.yaml`), 'utf8'));
    const file = join(folder, `${name}.out.yaml`);
    if (process.env['UPDATE'] !== undefined) writeFileSync(file, dump(output, { lineWidth: 120, noRefs: true }));
    expect(output).toEqual(load(readFileSync(file, 'utf8')));
  });
});

function convert(text: string): unknown {
  const { resources, diagnostics } = parseDocuments('in.yaml', text);
  const wrong = [...diagnostics, ...resources.flatMap((each) => validateResource(each))];
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  const { snapshot } = buildSnapshot(resources, { version: 1 });
  const { gatewayApi } = buildModel(snapshot);
  const shown = ({ metadata, spec, writtenAt: places = new Map() }: Resource): object => ({
    name: `${metadata.namespace}/${metadata.name}`,
    ...(metadata.annotations?.['internal.istio.io/gateway-service'] === undefined
      ? {}
      : { services: metadata.annotations['internal.istio.io/gateway-service'] }),
    spec,
    lines: Object.fromEntries(
      [...places].map(([own, { resource, path }]) => {
        const span = locate(snapshot.find(resource)!, path);
        return [own === '' ? '.' : own, `${resource.kind} ${resource.name}, line ${span?.line}`];
      }),
    ),
  });
  return JSON.parse(
    JSON.stringify({
      gateways: gatewayApi.gateways.map(shown),
      virtualServices: gatewayApi.virtualServices.map(shown),
      warnings: gatewayApi.diagnostics.map(({ code, message, help, ref, path = [] }) => {
        const span = locate(snapshot.find(ref!)!, path);
        return `line ${span?.line} ${code} ${message}${help === undefined ? '' : ` (${help})`}`;
      }),
    }),
  );
}

const GATEWAY = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{name: http, port: 80}]}
`;
const route = (name: string, rules: string, more = ''): string => `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: default${more}}
spec: {parentRefs: [{name: gw}], rules: ${rules}}
`;
const TO_WEB = 'backendRefs: [{name: web, port: 80}]';

test('what does not change stays the same object', () => {
  const read = (text: string): readonly Resource[] => parseDocuments('a.yaml', text).resources;
  const model = (resources: readonly Resource[], previous?: ReturnType<typeof buildModel>) =>
    buildModel(buildSnapshot(resources, { version: 1 }).snapshot, undefined, { previous });
  const fixed = read(
    GATEWAY +
      route('a', `[{${TO_WEB}}]`, '') +
      route('b', '[{backendRefs: [{name: gone, port: 80}]}]').replace('rules', 'hostnames: [b.example.com], rules'),
  );
  const first = model([
    ...fixed,
    ...read(route('c', `[{${TO_WEB}}]`).replace('rules', 'hostnames: [c.example.com], rules')),
  ]);
  const second = model(
    [...fixed, ...read(route('c', `[{name: x, ${TO_WEB}}]`).replace('rules', 'hostnames: [c.example.com], rules'))],
    first,
  );
  const third = model([...fixed, ...read('apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n')], second);
  const [one, two, three] = [first, second, third].map(({ gatewayApi }) => gatewayApi);
  const of = (result: typeof one, host: string) =>
    result?.virtualServices.find(({ spec }) => spec.hosts?.includes(host));
  for (const host of ['*', 'b.example.com']) {
    expect(of(one, host)).toBeDefined();
    expect(of(two, host)).toBe(of(one, host));
    expect(of(three, host)).toBe(of(one, host));
  }
  expect(of(one, 'c.example.com')?.spec.http?.[0]?.name).not.toBe('x');
  expect(of(two, 'c.example.com')?.spec.http?.[0]?.name).toBe('x');
  expect(of(three, 'c.example.com')).toBeUndefined();
  expect(three?.gateways[0]).toBe(one?.gateways[0]);
  for (const each of [one, two, three]) {
    expect(each?.diagnostics.map(({ message }) => message)).toEqual([
      'there is no Service `default/gone`: requests for it are answered with 500',
    ]);
  }
});

test('of equal matches the older route counts, whatever the order of files', () => {
  const old = route('z', `[{${TO_WEB}}]`, ', creationTimestamp: "2024-01-01T00:00:00Z"');
  const young = route('a', `[{${TO_WEB}}]`, ', creationTimestamp: "2025-01-01T00:00:00Z"');
  for (const text of [GATEWAY + old + young, GATEWAY + young + old]) {
    const { snapshot } = buildSnapshot(parseDocuments('a.yaml', text).resources, { version: 1 });
    const [only, ...more] = buildModel(snapshot).gatewayApi.virtualServices;
    expect(more).toEqual([]);
    expect(only?.spec.http?.map((each) => each.name)).toEqual(['default.z.0', 'default.a.0']);
    expect(writtenAt(only!, ['spec', 'http', 0]).resource.name).toBe('z');
  }
});

test('a request for a Secret of another namespace needs a grant', () => {
  const grant = `---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: a, namespace: certs}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]
  to: [{group: "", kind: Secret, name: web}]
`;
  const { snapshot } = buildSnapshot(parseDocuments('a.yaml', GATEWAY + grant).resources, { version: 1 });
  const { grants } = buildModel(snapshot).gatewayApi;
  expect(grants.secret('default', 'certs', 'web')).toBe(true);
  expect(grants.secret('default', 'certs', 'other')).toBe(false);
  expect(grants.secret('elsewhere', 'certs', 'web')).toBe(false);
  expect(grants.service('default', 'certs', 'web')).toBe(false);
});

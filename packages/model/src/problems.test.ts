import { expect, test } from 'vitest';
import { modelProblems } from './index.ts';
import { modelOf } from './testing/model-of.ts';

const MESH = `
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    extensionProviders:
      - { name: jaeger, opentelemetry: { service: jaeger.example, port: 4317 } }
      - { name: asked, envoyExtAuthzHttp: { service: asked.example, port: 80 } }
`;
const telemetry = (spec: string): string => `
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: t, namespace: a }
spec: { ${spec} }
`;
const custom = (provider: string, action = 'CUSTOM'): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p, namespace: a }
spec: { action: ${action}, ${provider}, rules: [{}] }
`;
const problems = (yaml: string): string[] =>
  modelProblems(modelOf(MESH + yaml)).map(({ code, message, path, help }) =>
    [code, path?.join('.'), message, help].join(' | '),
  );

test('providers that there are, Istio’s own in any case, are no problem', () => {
  expect(
    problems(
      telemetry(
        'metrics: [{ providers: [{ name: Prometheus }] }], tracing: [{ providers: [{ name: jaeger }] }], accessLogging: [{ providers: [{ name: envoy }] }, { disabled: true }]',
      ) + custom('provider: { name: asked }'),
    ),
  ).toEqual([]);
});

test('a Telemetry that names a provider which is not there', () => {
  expect(
    problems(
      telemetry(
        'metrics: [{}, { providers: [{ name: prometheus }, { name: promethues }] }], tracing: [{ providers: [{ name: zipkin }] }]',
      ),
    ),
  ).toEqual([
    'MZ1305 | spec.metrics.1.providers.1.name | there is no extension provider `promethues`: nothing is sent to it | did you mean `prometheus`?',
    'MZ1305 | spec.tracing.0.providers.0.name | there is no extension provider `zipkin`: nothing is sent to it | `extensionProviders` of the mesh configuration says which there are',
  ]);
});

test('a CUSTOM policy that names a provider which is not there', () => {
  expect(problems(custom('provider: { name: aksed }'))).toEqual([
    'MZ1305 | spec.provider.name | there is no extension provider `aksed`: requests that the policy is for are denied | did you mean `asked`?',
  ]);
});

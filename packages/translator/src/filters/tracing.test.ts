import type { mesh } from '@mizzen/api';
import type { Listener, types } from '@mizzen/xds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelOf } from '../testing/fixture.ts';
import { validator, type Validator } from '../testing/validation.ts';
import { translate } from '../translate.ts';
import type { LocalProxy, Node } from '../types.ts';

const SHOP = `
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { selector: { app: shop }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;
const JAEGER = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: jaeger, namespace: istio-system }
spec:
  hosts: [jaeger.example.com]
  ports: [{ number: 9411, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1 }]
`;
const PROVIDERS: mesh.MeshConfig = {
  extensionProviders: [{ name: 'jaeger', zipkin: { service: 'jaeger.example.com', port: 9411 } }],
};
const telemetry = (tracing: string): string => `
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh, namespace: istio-system }
spec: { tracing: [${tracing}] }
`;

type Tracing = types.hcm.HttpConnectionManager_Tracing;

const BUILT_IN: LocalProxy = {
  httpProxy: { address: '127.128.0.2', port: 15080 },
  inbound: [
    { containerPort: 8080, address: '127.64.0.2', port: 8080, applicationAddress: '127.0.0.1', applicationPort: 20080 },
  ],
  traces: { address: '127.0.0.1', port: 15014 },
};

const nodeOf = (local: LocalProxy): Node => ({
  id: 'sidecar~127.64.0.2~shop-0.default~default.svc.cluster.local',
  metadata: {
    NAME: 'shop-0',
    NAMESPACE: 'default',
    LABELS: { app: 'shop' },
    INSTANCE_IPS: '127.64.0.2',
    MIZZEN: local,
  },
});

function translated(yaml: string, settings: mesh.MeshConfig, local: LocalProxy): ReturnType<typeof translate> {
  return translate(modelOf(SHOP + yaml, { mesh: settings }), nodeOf(local));
}

/** The tracing of every connection manager. */
function tracingOf(yaml: string, settings: mesh.MeshConfig = {}, local = BUILT_IN): (Tracing | undefined)[] {
  return managers(translated(yaml, settings, local).resources.listeners).map(({ tracing }) => tracing);
}

function managers(listeners: readonly Listener[]): types.hcm.HttpConnectionManager[] {
  const found: types.hcm.HttpConnectionManager[] = [];
  JSON.stringify(listeners, (_, value: unknown) => {
    const type = (value as { readonly '@type'?: string } | null)?.['@type'];
    if (type?.endsWith('.HttpConnectionManager') === true) found.push(value as types.hcm.HttpConnectionManager);
    return value;
  });
  return found;
}

/** Where each connection manager sends how much. */
function summary(all: readonly (Tracing | undefined)[]): string {
  const each = all.map((tracing) => {
    const zipkin = tracing?.provider?.typedConfig as types.traceConfig.ZipkinConfig | undefined;
    const cluster = zipkin?.collectorService?.httpUri?.cluster ?? 'nowhere';
    return tracing === undefined ? 'off' : `${tracing.randomSampling?.value}% to ${cluster}`;
  });
  expect(each.length).toBeGreaterThan(1);
  return [...new Set(each)].join(', ');
}

const EXTERNAL = 'outbound|9411||jaeger.example.com';

test.each([
  ['nobody says anything', '', {}, '100% to mizzen_traces'],
  ['the mesh samples less', '', { defaultConfig: { tracing: { sampling: 5 } } }, '5% to mizzen_traces'],
  ['the mesh has no traces', '', { enableTracing: false }, 'off'],
  ['a Telemetry samples less', telemetry('{ randomSamplingPercentage: 2 }'), {}, '2% to mizzen_traces'],
  ['a Telemetry switches it off', telemetry('{ disableSpanReporting: true }'), {}, 'off'],
  [
    'a Telemetry names a provider',
    JAEGER + telemetry('{ providers: [{ name: jaeger }] }'),
    PROVIDERS,
    `1% to ${EXTERNAL}`,
  ],
  ['the mesh names one', JAEGER, { ...PROVIDERS, defaultProviders: { tracing: ['jaeger'] } }, `1% to ${EXTERNAL}`],
  ['a Telemetry names one that there is not', telemetry('{ providers: [{ name: other }] }'), {}, 'off'],
  ['the mesh names one that there is not', '', { defaultProviders: { tracing: ['other'] } }, 'off'],
])('where spans go when %s', (_, yaml, settings, expected) => {
  expect(summary(tracingOf(yaml, settings))).toBe(expected);
});

test('Mizzen’s own proxy is sent to Datadog’s agent, too', () => {
  const settings: mesh.MeshConfig = {
    extensionProviders: [{ name: 'agent', datadog: { service: 'jaeger.example.com', port: 9411, maxTagLength: 64 } }],
  };
  const [tracing] = tracingOf(JAEGER + telemetry('{ providers: [{ name: agent }] }'), settings);
  expect(tracing).toMatchObject({
    maxPathTagLength: 64,
    provider: { typedConfig: { collectorCluster: EXTERNAL, collectorHostname: 'jaeger.example.com' } },
  });
});

test('without a place for traces there are none, and no cluster', () => {
  const { traces: _, ...local } = BUILT_IN;
  expect(new Set(tracingOf('', {}, local))).toEqual(new Set([undefined]));
  const { clusters } = translated('', {}, local).resources;
  expect(clusters.map(({ name }) => name)).not.toContain('mizzen_traces');
});

const tagsOf = (yaml: string, settings: mesh.MeshConfig): string[] =>
  (tracingOf(yaml, settings)[0]?.customTags ?? []).map(({ tag = '' }) => tag);

test('Istio’s own tags can be left out: by the mesh where no Telemetry is in force, otherwise by that', () => {
  const off: mesh.MeshConfig = { defaultConfig: { tracing: { enableIstioTags: false } } };
  expect(tagsOf('', {})).toContain('istio.namespace');
  expect(tagsOf('', off)).toEqual([]);
  const own = {
    defaultConfig: { tracing: { enableIstioTags: false, customTags: { a: { literal: { value: 'b' } } } } },
  };
  expect(tagsOf('', own)).toEqual(['a']);
  expect(tagsOf(telemetry('{ randomSamplingPercentage: 2 }'), off)).toContain('istio.namespace');
  expect(tagsOf(telemetry('{ enableIstioTags: false }'), {})).toEqual([]);
});

let envoy: Validator;
beforeAll(() => {
  envoy = validator();
});
afterAll(() => envoy.close());

test('tags are Istio’s, requests carry the headers of B3 and of W3C, and Envoy takes it', () => {
  const local: LocalProxy = { ...BUILT_IN, engine: 'envoy', accessLog: '/dev/null' };
  const [tracing] = tracingOf('', {}, local);
  expect(tracing?.provider?.typedConfig).toMatchObject({
    collectorEndpointVersion: 'HTTP_JSON',
    collectorService: { httpUri: { uri: 'http://127.0.0.1:15014/api/v2/spans', cluster: 'mizzen_traces' } },
    traceContextOption: 'USE_B3_WITH_W3C_PROPAGATION',
    traceId128bit: true,
  });
  expect(tracing?.customTags?.map(({ tag }) => tag)).toContain('istio.canonical_service');
  expect(envoy.complaint(translated('', {}, local), nodeOf(local))).toBe('');
  const opentelemetry = { service: 'jaeger.example.com', port: 9411, http: { path: '/v1/traces' } };
  const otel = { extensionProviders: [{ name: 'otel', opentelemetry }], defaultProviders: { tracing: ['otel'] } };
  expect(envoy.complaint(translated(JAEGER, otel, local), nodeOf(local))).toBe('');

  // What istiod would send of a provider that names no timeout.
  const ours = translated(JAEGER, otel, local);
  const text = JSON.stringify(ours.resources.listeners);
  expect(text).toContain('"timeout":"3s"');
  const listeners = JSON.parse(text.replaceAll(/,"timeout":"3s"/g, '')) as Listener[];
  const theirs = { ...ours, resources: { ...ours.resources, listeners } };
  expect(envoy.complaint(theirs, nodeOf(local))).toContain('HttpUriValidationError.Timeout: value is required');
});

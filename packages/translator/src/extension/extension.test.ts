import { locator } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { expect, it } from 'vitest';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { translate } from '../translate.ts';
import type { NodeMetadata, XdsType } from '../types.ts';

const model = modelOf(`apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: auth, namespace: default }
spec:
  url: file:///auth.wasm
---
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: { name: script, namespace: default }
spec:
  lua:
    inlineCode: function envoy_on_request(handle) end
`);
const NAME = 'extensions.istio.io/trafficextension/default.auth~istio-translated-wasmplugin';
const FILTERS: Path = ['filterChains', 0, 'filters', 0, 'typedConfig', 'httpFilters'];

it('leads from filters and their configurations to the lines they are for', () => {
  const { origins } = translate(model, sidecar());
  const locate = locator(model.snapshot);
  const line = (type: XdsType, name: string, path: Path): number | undefined => {
    const origin = origins.find(type, name, path);
    return origin && locate(origin.resource, origin.path)?.line;
  };
  expect(line('extension', NAME, ['typedConfig', 'config'])).toBe(9);
  expect(line('listener', '0.0.0.0_80', [...FILTERS, 0, 'configDiscovery'])).toBe(9);
  expect(line('listener', '0.0.0.0_80', [...FILTERS, 1, 'typedConfig'])).toBe(16);
});

it.each(['mizzen', 'envoy'] as const)('on one machine, passes extensions on to Envoy only: %s', (engine) => {
  const MIZZEN: NodeMetadata['MIZZEN'] = { engine, httpProxy: { address: '127.0.1.1', port: 15080 } };
  const { resources } = translate(model, sidecar({ MIZZEN }));
  const inListeners = new Set(JSON.stringify(resources.listeners).match(/default\.(auth~|script)/g));
  const names = resources.extensions.map(({ name }) => name);
  expect([inListeners.size, names]).toEqual(engine === 'envoy' ? [2, [NAME]] : [0, []]);
});

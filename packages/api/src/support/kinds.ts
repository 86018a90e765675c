import type { Exception } from './types.ts';
import { byEngine, left, moot, yes } from './types.ts';

const EXTENSION = byEngine(
  left("Mizzen's proxy runs no extensions", 'what it does stays undone; remove it, or do it in the application'),
  yes('passed on'),
);

/** Kinds that are read and checked, and whose fields all have the same class; where an engine supports one, field by field. */
export const WHOLE_KINDS: Readonly<Record<string, Exception>> = {
  WasmPlugin: EXTENSION,
  TrafficExtension: EXTENSION,
  WorkloadGroup: moot('it is a template for virtual machines that join by themselves; write WorkloadEntries'),
  ProxyConfig: moot("it is about Envoy's own process: image, environment, number of threads"),
};

/** Kinds without a `spec` of their own, or of which only some parts are read: part → what it does here. */
export const PLAIN_KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Namespace: { 'metadata.labels': '`istio-injection`, `istio.io/rev`: whether its pods get sidecars' },
  ServiceAccount: { 'metadata.name': 'nothing depends on it: identities follow from what pods name' },
  ConfigMap: {
    'data, binaryData': 'for environment variables',
    'data.mesh': 'of `istio` in `istio-system`: the mesh configuration',
  },
  Secret: { 'data, stringData': 'for environment variables, and certificates of gateways and DestinationRules' },
  Node: { 'metadata.labels': '`topology.kubernetes.io/region` and `/zone`: where the pods are that name it' },
  Endpoints: { subsets: 'addresses of a Service without a selector' },
  EndpointSlice: { 'endpoints, ports': 'addresses of a Service without a selector' },
  IstioOperator: {
    'spec.meshConfig': 'the mesh configuration; what else it says installs Istio, which is not done here',
  },
};

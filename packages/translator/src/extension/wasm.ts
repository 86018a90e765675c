import type { Snapshot, extensions } from '@mizzen/api';
import type { TypedExtensionConfig, types } from '@mizzen/xds';
import { defined, typed } from '../filters/typed.ts';
import { type Extension, isNetwork } from './list.ts';

type Wasm = extensions.WasmConfig;

/** Read, and taken away, by Istio's agent, which fetches images for Envoy. */
const SECRET = 'ISTIO_META_WASM_IMAGE_PULL_SECRET';
const POLICY = 'ISTIO_META_WASM_IMAGE_PULL_POLICY';
const VERSION = 'ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION';

const FAILURE: Readonly<Record<extensions.FailStrategy, string>> = {
  FAIL_CLOSE: 'FAIL_CLOSED',
  FAIL_OPEN: 'FAIL_OPEN',
  FAIL_RELOAD: 'FAIL_RELOAD',
};

/** The configuration of a plugin's filter. */
export function wasmConfig(extension: Extension, wasm: Wasm, snapshot: Snapshot): TypedExtensionConfig {
  const kind = isNetwork(extension) ? 'network' : 'http';
  const config = defined({
    name: extension.name,
    rootId: wasm.pluginName === undefined || wasm.pluginName === '' ? undefined : wasm.pluginName,
    configuration: configuration(wasm),
    vmConfig: {
      runtime: 'envoy.wasm.runtime.v8',
      code: source(wasm),
      environmentVariables: environment(extension, wasm, snapshot),
    },
    failurePolicy: FAILURE[wasm.failStrategy ?? 'FAIL_CLOSE'],
  });
  return {
    name: extension.filterName,
    typedConfig: typed(`envoy.extensions.filters.${kind}.wasm.v3.Wasm`, { config }),
  };
}

/** The plugin reads its configuration as JSON. */
function configuration({ pluginConfig = {} }: Wasm): object {
  if (Object.keys(pluginConfig).length === 0) return {};
  return typed('google.protobuf.StringValue', { value: JSON.stringify(sorted(pluginConfig)) });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, child]): [string, unknown] => [key, sorted(child)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A file of the proxy's, or something to be fetched; without a scheme it is an image. */
function source({ url = '', sha256 = '' }: Wasm): types.core.AsyncDataSource {
  if (url.startsWith('file://')) return { local: { filename: url.slice('file://'.length) } };
  const uri = /^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `oci://${url}`;
  return {
    remote: defined({
      // Nobody goes to this cluster: Istio's agent fetches it.
      httpUri: { uri, cluster: '_', timeout: '30s' },
      sha256: sha256 === '' ? undefined : sha256,
    }),
  };
}

function environment({ resource }: Extension, wasm: Wasm, snapshot: Snapshot): object {
  const { imagePullSecret = '', imagePullPolicy = 'UNSPECIFIED_POLICY', vmConfig } = wasm;
  const { namespace } = resource.metadata;
  const { resourceVersion = '' } = resource.body['metadata'] as { readonly resourceVersion?: string };
  const keyValues: Record<string, string> = {};
  if (imagePullSecret !== '') keyValues[SECRET] = pullSecret(snapshot, namespace, imagePullSecret);
  if (imagePullPolicy !== 'UNSPECIFIED_POLICY') keyValues[POLICY] = imagePullPolicy;
  keyValues[VERSION] = resourceVersion;
  const fromHost: string[] = [];
  for (const { name = '', valueFrom = 'INLINE', value = '' } of vmConfig?.env ?? []) {
    if (valueFrom === 'HOST') fromHost.push(name);
    else keyValues[name] = value;
  }
  return { ...(fromHost.length > 0 ? { hostEnvKeys: fromHost } : {}), keyValues };
}

/** A registry's credentials, from the namespace of the extension and no other; empty when they are not there. */
function pullSecret(snapshot: Snapshot, namespace: string, written: string): string {
  const name = written.replace(/^kubernetes:\/\//, '').replace(/^.*\//, '');
  const secret = snapshot.find({ kind: 'Secret', namespace, name });
  const body = secret?.body as
    | { type?: string; data?: Record<string, string>; stringData?: Record<string, string> }
    | undefined;
  if (body?.type !== 'kubernetes.io/dockerconfigjson') return '';
  const plain = body.stringData?.['.dockerconfigjson'];
  return plain ?? Buffer.from(body.data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8');
}

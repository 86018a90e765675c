import type { Path } from '@mizzen/diagnostics';
import type { ProxyConfig } from '../gen/istio.mesh.v1alpha1.ts';
import { isRecord, normalizeMessage } from '../normalize.ts';
import type { Problem } from '../validation/report.ts';
import { BAD_VALUE } from '../validation/report.ts';
import { checkMessage } from '../validation/schema-check.ts';
import { loadYaml } from '../yaml/load.ts';

/** The annotation of a pod that holds a ProxyConfig, as YAML, for its own proxy. */
export const PROXY_CONFIG_ANNOTATION = 'proxy.istio.io/config';
export const PROXY_CONFIG_MESSAGE = 'istio.mesh.v1alpha1.ProxyConfig';

const read = new WeakMap<object, ProxyConfig | undefined>();

/** What a pod's annotations say of its proxy. Undefined when they say nothing, or something that is wrong. */
export function annotatedProxyConfig(annotations: Readonly<Record<string, string>>): ProxyConfig | undefined {
  if (!(PROXY_CONFIG_ANNOTATION in annotations)) return undefined;
  if (!read.has(annotations)) {
    const { config, problems } = parseProxyConfig(annotations[PROXY_CONFIG_ANNOTATION]);
    read.set(annotations, problems.length > 0 ? undefined : config);
  }
  return read.get(annotations);
}

/** The annotation's value, and what is wrong with it; paths are from its root. */
export function parseProxyConfig(text: unknown): { readonly config: ProxyConfig; readonly problems: Problem[] } {
  const loaded = typeof text === 'string' ? loadYaml(text) : { value: text };
  if ('error' in loaded) {
    const message = `\`${PROXY_CONFIG_ANNOTATION}\` is not YAML: ${loaded.error.reason}`;
    return { config: {}, problems: [{ code: BAD_VALUE, severity: 'error', message, path: [] }] };
  }
  const value = loaded.value ?? {};
  const config = normalizeMessage(value, PROXY_CONFIG_MESSAGE);
  const problems = isRecord(value)
    ? checkMessage(config, PROXY_CONFIG_MESSAGE, [])
    : checkMessage(value, PROXY_CONFIG_MESSAGE, []);
  return { config: config as ProxyConfig, problems };
}

/** `own` over `shared`: a field that is set replaces the other whole, except that `proxyMetadata` is merged key by key. */
export function overProxyConfig(shared: ProxyConfig, own: ProxyConfig): ProxyConfig {
  const metadata = { ...shared.proxyMetadata, ...own.proxyMetadata };
  return { ...shared, ...own, ...(Object.keys(metadata).length > 0 && { proxyMetadata: metadata }) };
}

interface PodAnnotations {
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly path: Path;
}

/** The annotations of a pod, or of the template that makes pods, with their place. */
export function annotationsOfPods(
  kind: string,
  body: Readonly<Record<string, unknown>>,
  spec: unknown,
): PodAnnotations[] {
  const out: PodAnnotations[] = [];
  const add = (metadata: unknown, path: Path): void => {
    if (isRecord(metadata) && isRecord(metadata.annotations)) {
      out.push({ annotations: metadata.annotations, path: [...path, 'annotations'] });
    }
  };
  if (kind === 'Pod') add(body.metadata, ['metadata']);
  else if ((kind === 'Deployment' || kind === 'StatefulSet') && isRecord(spec) && isRecord(spec.template)) {
    add(spec.template.metadata, ['spec', 'template', 'metadata']);
  }
  return out;
}

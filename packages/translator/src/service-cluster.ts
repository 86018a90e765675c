import type { NodeMetadata } from './types.ts';

/** Envoy's `--service-cluster`, as Istio's agent sets it: application or workload, and namespace. What spans are of. */
export function serviceCluster(metadata: NodeMetadata): string {
  const workload = metadata['WORKLOAD_NAME'];
  const name = metadata.LABELS?.['app'] ?? (typeof workload === 'string' ? workload : metadata.NAME) ?? 'istio-proxy';
  return `${name}.${metadata.NAMESPACE ?? 'default'}`;
}

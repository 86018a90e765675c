import type { Resource } from '@mizzen/api';
import type { types } from '@mizzen/xds';

/** How Istio writes a resource into metadata, e.g. `/apis/networking.istio.io/v1/namespaces/a/destination-rule/b`. */
export function configPath(resource: Resource): string {
  const kind = resource.kind.replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase();
  const { namespace, name } = resource.metadata;
  return `/apis/networking.istio.io/v1/namespaces/${namespace}/${kind}/${name}`;
}

/** Metadata under Istio's own key. */
export function istioMetadata(fields: Readonly<Record<string, unknown>>): types.core.Metadata {
  return { filterMetadata: { istio: fields as NonNullable<types.core.Metadata['filterMetadata']>[string] } };
}

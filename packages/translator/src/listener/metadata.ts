import type { Resource } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';

/** Istio tells its proxies which resource a filter chain is of; other proxies are not told (Origins know). */
export function configMetadata(context: TranslationContext, resource: Resource): types.core.Metadata | undefined {
  if (context.profile !== 'istio') return undefined;
  const { namespace, name } = resource.metadata;
  const group = resource.apiVersion.replace(/\/.*/, '/v1');
  const kind = resource.kind.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  return { filterMetadata: { istio: { config: `/apis/${group}/namespaces/${namespace}/${kind}/${name}` } } };
}

export function sidecarMetadata(context: TranslationContext): types.core.Metadata | undefined {
  return context.scope.sidecar === undefined ? undefined : configMetadata(context, context.scope.sidecar);
}

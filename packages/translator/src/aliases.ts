import type { Service } from '@mizzen/model';
import type { TranslationContext } from './context.ts';

/**
 * Whether an ExternalName service is only a further name of something else. On one machine, one that names a host outside
 * the mesh is a service of its own whose address is that host's: nothing else would resolve its name.
 */
export function isAlias({ proxy, model }: TranslationContext, service: Service): boolean {
  if (service.externalName === undefined) return false;
  return proxy.local === undefined || model.serviceFor(service.externalName, proxy.namespace) !== undefined;
}

import type { Listener, TypedExtensionConfig } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { inForce, patchedExtensions } from '../envoy-filter/index.ts';
import { discoveredNames } from './names.ts';

/** The configurations that a proxy's listeners ask for by name. */
export function buildExtensions(
  context: TranslationContext,
  listeners: readonly Listener[],
): readonly TypedExtensionConfig[] {
  if (inForce(context).of('EXTENSION_CONFIG').length === 0) return [];
  return patchedExtensions(context, discoveredNames(listeners));
}

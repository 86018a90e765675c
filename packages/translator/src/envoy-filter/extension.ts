import type { TypedExtensionConfig } from '@mizzen/xds';
import type { InForce } from './in-force.ts';

/** Configurations that patches add, of those that listeners ask for by name. */
export function addedExtensions(inForce: InForce, names: ReadonlySet<string>): readonly TypedExtensionConfig[] {
  return inForce.of('EXTENSION_CONFIG').flatMap(({ operation, value }) => {
    const { name = '' } = value as TypedExtensionConfig;
    return operation === 'ADD' && names.has(name) ? [value as TypedExtensionConfig] : [];
  });
}

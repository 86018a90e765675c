import type { Resource } from '@mizzen/api';
import { refOf } from '@mizzen/api';
import type { Listener, TypedExtensionConfig } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { inForce, patchedExtensions } from '../envoy-filter/index.ts';
import { type Extension, extensionsOf } from './list.ts';
import { discoveredNames } from './names.ts';
import { wasmConfig } from './wasm.ts';

/** The configurations that a proxy's listeners ask for by name: those that EnvoyFilters add, then those of plugins. */
export function buildExtensions(
  context: TranslationContext,
  listeners: readonly Listener[],
): readonly TypedExtensionConfig[] {
  const plugins = extensionsOf(context).filter(({ wasm }) => wasm !== undefined);
  if (plugins.length === 0 && inForce(context).of('EXTENSION_CONFIG').length === 0) return [];
  const names = discoveredNames(listeners);
  const added = patchedExtensions(context, names);
  const taken = new Set(added.map(({ name }) => name));
  const own = plugins.filter(({ filterName }) => names.has(filterName) && !taken.has(filterName));
  return [...added, ...own.flatMap((extension) => configOf(context, extension))];
}

interface Built {
  /** The Secret it reads, if any. */
  readonly secrets: readonly Resource[];
  readonly config: TypedExtensionConfig;
}
const known = new WeakMap<Extension, Built>();

function configOf({ model, origins }: TranslationContext, extension: Extension): readonly TypedExtensionConfig[] {
  const { wasm, resource, path, filterName } = extension;
  if (wasm === undefined) return [];
  origins.set('extension', filterName, [], { resource: refOf(resource), path });
  const secrets = model.snapshot.list('Secret');
  let built = known.get(extension);
  if (built === undefined || built.secrets !== secrets) {
    known.set(extension, (built = { secrets, config: wasmConfig(extension, wasm, model.snapshot) }));
  }
  return [built.config];
}

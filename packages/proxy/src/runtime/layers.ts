import type { types } from '@mizzen/xds';
import { checkConfigSource } from '../program/config-source.ts';
import type { CompileContext } from '../program/context.ts';
import { entriesOf, type Entries } from './entry.ts';
import type { LayerProgram } from './runtime.ts';

/** What a layer is made of. */
export type RuntimeLayer = LayerProgram &
  (
    | { readonly kind: 'static'; readonly entries: Entries }
    | { readonly kind: 'disk'; readonly root: string; readonly folder: string }
    | { readonly kind: 'admin' }
    | { readonly kind: 'rtds'; readonly resource: string; readonly source: types.core.ConfigSource | undefined }
  );

/** A runtime that names no layers has one, for the admin endpoint. */
const ADMIN_ALONE: readonly RuntimeLayer[] = [{ name: '', kind: 'admin' }];

/** The layers of a bootstrap, from the lowest to the one that overrides all others. */
export function compileLayers(
  context: CompileContext,
  runtime: types.bootstrap.LayeredRuntime | undefined,
  serviceCluster: string,
): readonly RuntimeLayer[] {
  if (runtime === undefined) return [];
  const layers = runtime.layers ?? [];
  if (layers.length === 0) return ADMIN_ALONE;
  const names = new Set<string>();
  const compiled: RuntimeLayer[] = [];
  layers.forEach((layer, i) => {
    const path = ['layeredRuntime', 'layers', i];
    const { name = '' } = layer;
    if (name === '') context.refuse([...path, 'name'], 'must not be empty');
    if (names.has(name)) context.refuse([...path, 'name'], `\`${name}\` is the name of another layer`);
    names.add(name);
    const made = compileLayer(context, layer, name, serviceCluster, path);
    if (made === undefined) return;
    if (made.kind === 'admin' && compiled.some(({ kind }) => kind === 'admin'))
      context.refuse([...path, 'adminLayer'], 'there can be only one');
    compiled.push(made);
  });
  return compiled;
}

function compileLayer(
  context: CompileContext,
  layer: types.bootstrap.RuntimeLayer,
  name: string,
  serviceCluster: string,
  path: readonly (string | number)[],
): RuntimeLayer | undefined {
  if (layer.staticLayer !== undefined) {
    try {
      return { name, kind: 'static', entries: entriesOf(layer.staticLayer) };
    } catch (error) {
      context.refuse([...path, 'staticLayer'], (error as Error).message);
      return undefined;
    }
  }
  if (layer.diskLayer !== undefined) {
    const { symlinkRoot = '', subdirectory = '', appendServiceCluster } = layer.diskLayer;
    if (symlinkRoot === '') context.refuse([...path, 'diskLayer', 'symlinkRoot'], 'must not be empty');
    const folder = [subdirectory, ...(appendServiceCluster === true ? [serviceCluster] : [])].join('/');
    return { name, kind: 'disk', root: symlinkRoot, folder };
  }
  if (layer.adminLayer !== undefined) return { name, kind: 'admin' };
  if (layer.rtdsLayer !== undefined) {
    const { name: resource = '', rtdsConfig } = layer.rtdsLayer;
    checkConfigSource(context, rtdsConfig, [...path, 'rtdsLayer', 'rtdsConfig']);
    if (rtdsConfig === undefined) context.refuse([...path, 'rtdsLayer', 'rtdsConfig'], 'must not be empty');
    return { name, kind: 'rtds', resource, source: rtdsConfig };
  }
  context.refuse(path, 'must be a static, disk, admin or rtds layer');
  return undefined;
}

import { TypeUrl, type types } from '@mizzen/xds';
import type { ListenerManager } from '../listener/manager.ts';
import { compileListener } from '../program/listener/compile.ts';
import { readResource } from '../program/read-resource.ts';
import type { Compiled, CompileDeps, ListenerProgram } from '../program/types.ts';
import type { Nack } from '../types.ts';
import type { ExtensionStore } from './extension-store.ts';

type Programs = ReadonlyMap<ListenerProgram, ListenerProgram>;

/** Reads a filter's configuration and compiles the listeners with it that it is for; the program puts it into force. */
export function compileExtension(
  resource: unknown,
  deps: CompileDeps,
  extensions: ExtensionStore,
  listeners: ListenerManager,
): Compiled<() => void> {
  const read = readResource(TypeUrl.extension, resource);
  if (read.nacks.length > 0) return { nacks: read.nacks };
  const { name = '', typedConfig } = read.resource as types.core.TypedExtensionConfig;
  if (typedConfig === undefined)
    return { nacks: [{ typeUrl: TypeUrl.extension, resource: name, field: 'typedConfig', message: 'must be there' }] };
  const { programs, nacks } = extensions.trying(name, typedConfig, () => recompiled(name, deps, listeners));
  if (nacks.length > 0)
    return { nacks: nacks.map((nack) => ({ ...nack, typeUrl: TypeUrl.extension, resource: name })) };
  return {
    program: () => {
      extensions.set(name, typedConfig, resource);
      adoptPrograms(listeners, programs);
    },
  };
}

/** Listeners that have a filter of that name, as they are and as they become. */
export function recompiled(
  name: string,
  deps: CompileDeps,
  listeners: ListenerManager,
): { readonly programs: Programs; readonly nacks: readonly Nack[] } {
  const programs = new Map<ListenerProgram, ListenerProgram>();
  const refused: Nack[] = [];
  for (const { program, resource } of listeners.compiled()) {
    if (!program.extensions.some((extension) => extension.name === name)) continue;
    const { program: next, nacks } = compileListener(resource, deps);
    if (next === undefined) refused.push(...nacks!);
    // One without a name was given one.
    else programs.set(program, { ...next, name: program.name });
  }
  return { programs, nacks: refused };
}

export function adoptPrograms(listeners: ListenerManager, programs: Programs): void {
  for (const [before, after] of programs) listeners.adopt(before, after);
}

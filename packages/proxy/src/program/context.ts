import type { types } from '@mizzen/xds';
import type { Nack } from '../types.ts';
import { checkConfigSource } from './config-source.ts';
import { formatPath, type Path } from './path.ts';
import type { CompiledParts, CompileDeps, DiscoveredExtension, ResourcePlace } from './types.ts';

/** What one compilation carries along: whom to blame, and where to put it. */
export class CompileContext {
  readonly nacks: Nack[] = [];
  /** Where what the resource refers to by name is to be had. */
  readonly places: ResourcePlace[] = [];
  /** Filters whose configurations come by themselves. */
  readonly extensions: DiscoveredExtension[] = [];
  /** What begins once the resource is in force. */
  readonly beginnings: (() => void)[] = [];
  /** What became of parts of the resource when it was compiled before. */
  readonly made: CompiledParts['made'];
  /** Some route switches filters off. */
  switchesFilters = false;
  /** Where the traffic of the listener that is compiled comes from. */
  direction: types.core.TrafficDirection = 'UNSPECIFIED';
  readonly typeUrl: string;
  /** Name of the resource that is compiled. */
  readonly resource: string;
  readonly deps: CompileDeps;

  constructor(typeUrl: string, resource: string, deps: CompileDeps, made: CompiledParts['made'] = new Map()) {
    this.typeUrl = typeUrl;
    this.resource = resource;
    this.deps = deps;
    this.made = made;
  }

  /** Refuses the resource because of this field. Compilation goes on, to find all that is wrong. */
  refuse(path: Path, message: string): void {
    this.nacks.push({ typeUrl: this.typeUrl, resource: this.resource, field: formatPath(path), message });
  }

  /** Makes a part of the resource, or gives the one that was made of the same configuration before. */
  once<T>(path: Path, config: object, make: () => T): T {
    const key = formatPath(path);
    const known = this.made.get(key);
    if (known?.config === config) return known.part as T;
    const part = make();
    this.made.set(key, { config, part });
    return part;
  }

  /** Notes that the resource refers to another, and where that is; an absent source is the bootstrap itself. */
  refer(kind: ResourcePlace['kind'], name: string, source: types.core.ConfigSource | undefined, path: Path): void {
    checkConfigSource(this, source, path);
    if (name !== '') this.places.push({ kind, name, source });
  }
}

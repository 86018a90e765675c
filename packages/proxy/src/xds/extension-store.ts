import type { Any } from '@mizzen/xds';
import type { CompiledParts, ExtensionLookup } from '../program/types.ts';

/** Configurations of filters that come by themselves, in force by name. */
export class ExtensionStore implements ExtensionLookup {
  readonly compiled = new WeakMap<object, CompiledParts>();
  readonly #entries = new Map<string, { readonly config: Any | undefined; readonly resource: unknown }>();
  #tried: { readonly name: string; readonly config: Any } | undefined;

  config(name: string): Any | undefined {
    return this.#tried?.name === name ? this.#tried.config : this.#entries.get(name)?.config;
  }

  isTried(name: string): boolean {
    return this.#tried?.name === name;
  }

  /** What comes of it if a configuration were in force. */
  trying<T>(name: string, config: Any, run: () => T): T {
    this.#tried = { name, config };
    try {
      return run();
    } finally {
      this.#tried = undefined;
    }
  }

  set(name: string, config: Any, resource: unknown): void {
    this.#entries.set(name, { config, resource });
  }

  /** There is none, or none any more. */
  absent(name: string): void {
    this.#entries.set(name, { config: undefined, resource: undefined });
  }

  answered(name: string): boolean {
    return this.#entries.has(name);
  }

  resource(name: string): unknown {
    return this.#entries.get(name)?.resource;
  }

  /** Forgets all but these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
  }
}

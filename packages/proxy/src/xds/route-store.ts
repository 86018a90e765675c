import type { RouteConfigProgram } from '../program/types.ts';

interface Entry {
  program: RouteConfigProgram | undefined;
  resource: unknown;
  version: string;
}

/** Route configurations in force, by name. */
export class RouteStore {
  readonly #entries = new Map<string, Entry>();

  get(name: string): RouteConfigProgram | undefined {
    return this.#entries.get(name)?.program;
  }

  set(name: string, program: RouteConfigProgram, resource: unknown, version: string): void {
    this.#entries.set(name, { program, resource, version });
  }

  version(name: string): string | undefined {
    return this.#entries.get(name)?.version;
  }

  /** Nothing of that name exists; one that was in force stays so until nobody refers to it. */
  absent(name: string): void {
    if (!this.#entries.has(name)) this.#entries.set(name, { program: undefined, resource: undefined, version: '' });
  }

  answered(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Forgets all but these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
  }

  entries(): Iterable<readonly [string, Readonly<Entry>]> {
    return this.#entries;
  }
}

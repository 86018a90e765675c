import { readFileSync, writeFileSync } from 'node:fs';
import type { StateDir } from './state-dir.ts';

/** Tells other commands where the API of the running mesh is. */
export class ApiFile {
  readonly #state: StateDir;

  constructor(state: StateDir) {
    this.#state = state;
  }

  /** `HOST:PORT`, or a URL. */
  write(api: string, webConsole?: string): void {
    const url = (place: string): string => (place.includes('://') ? place : `http://${place}`);
    const places = { api: url(api), ...(webConsole === undefined ? {} : { console: url(webConsole) }) };
    writeFileSync(this.#state.apiFile, `${JSON.stringify(places)}\n`, { mode: 0o600 });
  }

  /** Its base URL; undefined when no mesh runs there. */
  read(): string | undefined {
    return this.#read('api');
  }

  /** The base URL of its console; undefined when there is none. */
  console(): string | undefined {
    return this.#read('console');
  }

  #read(what: 'api' | 'console'): string | undefined {
    try {
      const value = (JSON.parse(readFileSync(this.#state.apiFile, 'utf8')) as Record<string, unknown> | null)?.[what];
      return typeof value === 'string' ? value : undefined;
    } catch {
      return undefined;
    }
  }
}

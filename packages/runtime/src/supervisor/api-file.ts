import { readFileSync, writeFileSync } from 'node:fs';
import type { StateDir } from './state-dir.ts';

/** Tells other commands where the API of the running mesh is. */
export class ApiFile {
  readonly #state: StateDir;

  constructor(state: StateDir) {
    this.#state = state;
  }

  /** `api` is `HOST:PORT`, or a URL. */
  write(api: string): void {
    const url = api.includes('://') ? api : `http://${api}`;
    writeFileSync(this.#state.apiFile, `${JSON.stringify({ api: url })}\n`, { mode: 0o600 });
  }

  /** Its base URL; undefined when no mesh runs there. */
  read(): string | undefined {
    try {
      const value = JSON.parse(readFileSync(this.#state.apiFile, 'utf8')) as { api?: unknown } | null;
      return typeof value?.api === 'string' ? value.api : undefined;
    } catch {
      return undefined;
    }
  }
}

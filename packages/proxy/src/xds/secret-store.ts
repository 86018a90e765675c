import type { SecretProgram } from '../program/types.ts';
import type { SecretLookup } from '../tls/named-secrets.ts';

/** Secrets in force. A name that was asked for and does not exist is known to be absent. */
export class SecretStore implements SecretLookup {
  readonly #secrets = new Map<string, SecretProgram | undefined>();
  readonly #resources = new Map<string, unknown>();
  #wanted: ReadonlySet<string> = new Set();

  get(name: string): SecretProgram | undefined {
    return this.#secrets.get(name);
  }

  /** What it was made of. */
  resource(name: string): unknown {
    return this.#resources.get(name);
  }

  set(name: string, secret: SecretProgram, resource: unknown): void {
    this.#secrets.set(name, secret);
    this.#resources.set(name, resource);
  }

  /** A secret that was there stays in force: connections would fail without it. */
  absent(name: string): void {
    if (!this.#secrets.has(name)) this.#secrets.set(name, undefined);
  }

  answered(name: string): boolean {
    return this.#secrets.has(name);
  }

  /** Forgets all but these. */
  keep(names: ReadonlySet<string>): void {
    this.#wanted = names;
    for (const name of this.#secrets.keys()) {
      if (names.has(name)) continue;
      this.#secrets.delete(name);
      this.#resources.delete(name);
    }
  }

  /** Names that are asked for, with what was answered. */
  entries(): Iterable<readonly [string, unknown]> {
    return [...new Set([...this.#wanted, ...this.#secrets.keys()])].map(
      (name) => [name, this.#resources.get(name)] as const,
    );
  }
}

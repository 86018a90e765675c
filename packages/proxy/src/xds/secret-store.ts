import type { SecretProgram } from '../program/types.ts';
import type { SecretLookup } from '../tls/context.ts';

/** Secrets in force. A name that was asked for and does not exist is known to be absent. */
export class SecretStore implements SecretLookup {
  readonly #secrets = new Map<string, SecretProgram | undefined>();

  get(name: string): SecretProgram | undefined {
    return this.#secrets.get(name);
  }

  set(name: string, secret: SecretProgram): void {
    this.#secrets.set(name, secret);
  }

  /** A secret that was there stays in force: connections would fail without it. */
  absent(name: string): void {
    if (!this.#secrets.has(name)) this.#secrets.set(name, undefined);
  }

  answered(name: string): boolean {
    return this.#secrets.has(name);
  }

  names(): Iterable<string> {
    return this.#secrets.keys();
  }
}

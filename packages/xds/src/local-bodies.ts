import type { LocalXdsMessage, LocalXdsResponse } from './local.ts';
import { TypeUrl } from './type-urls.ts';

/** The receiving end of a local xDS connection: puts the bodies that it carried before back into responses. */
export class LocalBodies {
  readonly #known = new Map<string, unknown>();

  /**
   * A response with the body of every resource; the same body is the same object each time. Undefined for a message that
   * is none.
   * @throws Error when a body is missing that this connection never carried.
   */
  take(message: LocalXdsMessage): LocalXdsResponse | undefined {
    if ('forget' in message) {
      for (const version of message.forget) this.#known.delete(version);
      return undefined;
    }
    const { typeUrl } = message;
    if (typeUrl === TypeUrl.secret) return message;
    const resources = message.resources.map(({ name, version, resource }) => {
      if (resource !== undefined) this.#known.set(version, resource);
      else if (!this.#known.has(version)) throw new Error(`the body of \`${name}\` was never sent`);
      return { name, version, resource: this.#known.get(version) };
    });
    return { ...message, resources };
  }
}

import type { LocalXdsMessage, LocalXdsResource, LocalXdsUpdate } from './local.ts';
import { TypeUrl } from './type-urls.ts';

/** The receiving end of a local xDS connection: puts resources that it carried before back into responses. */
export class LocalBodies {
  readonly #known = new Map<string, LocalXdsResource>();
  readonly #share: (typeUrl: string, resource: LocalXdsResource) => LocalXdsResource;

  /** `share` may replace a resource by one with the same content that is known already. */
  constructor(share: (typeUrl: string, resource: LocalXdsResource) => LocalXdsResource = (_, resource) => resource) {
    this.#share = share;
  }

  /**
   * A response with every resource whole; the same one is the same object each time. Undefined for a message that is none.
   * @throws Error for a resource that this connection never carried.
   */
  take(message: LocalXdsMessage): LocalXdsUpdate | undefined {
    if ('forget' in message) {
      for (const version of message.forget) this.#known.delete(version);
      return undefined;
    }
    const { typeUrl } = message;
    const resources = message.resources.map((each) => {
      if (typeof each === 'string') {
        const known = this.#known.get(each);
        if (known === undefined) throw new Error(`a resource of version \`${each}\` was never sent`);
        return known;
      }
      if (typeUrl === TypeUrl.secret) return each;
      const shared = this.#share(typeUrl, each);
      this.#known.set(each.version, shared);
      return shared;
    });
    return { ...message, resources };
  }
}

import { TypeUrl } from '@mizzen/xds';
import type { XdsResource } from './source.ts';

/**
 * One object per content, for all proxies of a process: most of what a proxy is sent, its neighbours are sent too.
 * Versions must be hashes of the content. Secrets are left alone.
 */
export class ResourcePool {
  readonly #known = new Map<string, WeakRef<object>>();
  readonly #forgotten = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  share(typeUrl: string, resource: XdsResource): XdsResource {
    const { name, version, resource: content } = resource;
    if (typeUrl === TypeUrl.secret || version === '' || typeof content !== 'object' || content === null)
      return resource;
    const key = `${typeUrl} ${name} ${version}`;
    const known = this.#known.get(key)?.deref();
    if (known !== undefined) return { name, version, resource: known };
    this.#known.set(key, new WeakRef(content));
    this.#forgotten.register(content, key);
    return resource;
  }
}

import { hash } from 'node:crypto';

/** A resource as it is sent: its name, a hash of its content, and its JSON text, made once for every proxy. */
export interface VersionedResource {
  readonly name: string;
  readonly version: string;
  readonly resource: object;
  readonly json: string;
}

const versions = new WeakMap<object, string>();

/** The version of a resource: a hash of its JSON text. */
export function contentVersion(resource: object): string {
  let version = versions.get(resource);
  if (version === undefined) versions.set(resource, (version = versionOf(JSON.stringify(resource))));
  return version;
}

function versionOf(json: string): string {
  return hash('sha256', json, 'base64url').slice(0, 22);
}

/**
 * Gives resources their versions. A version is a hash of the content, so that the same content has the same version
 * whoever computed it and whenever: nothing that has not changed is ever sent again, also after a restart.
 */
export class ResourceEncoder {
  readonly #byIdentity = new WeakMap<object, VersionedResource>();
  /** Equal content of different proxies shares one text. Entries go when nobody uses them any more. */
  readonly #byVersion = new Map<string, WeakRef<VersionedResource>>();
  #sweepAt = 1024;

  encode(name: string, resource: object): VersionedResource {
    const known = this.#byIdentity.get(resource);
    if (known !== undefined && known.name === name) return known;
    const json = JSON.stringify(resource);
    const version = versionOf(json);
    const key = `${version} ${name}`;
    let encoded = this.#byVersion.get(key)?.deref();
    if (encoded === undefined) {
      encoded = { name, version, resource, json };
      this.#byVersion.set(key, new WeakRef(encoded));
      if (this.#byVersion.size > this.#sweepAt) this.#sweep();
    }
    this.#byIdentity.set(resource, encoded);
    return encoded;
  }

  #sweep(): void {
    for (const [key, reference] of this.#byVersion) if (reference.deref() === undefined) this.#byVersion.delete(key);
    this.#sweepAt = Math.max(1024, this.#byVersion.size * 2);
  }
}

import { decode } from '@mizzen/xds/binary/index.ts';
import type { types } from '@mizzen/xds';
import { errorDetail, lifetime, type Outcome, type Received, type XdsProtocol } from './protocol.ts';

interface Followed {
  names: ReadonlySet<string> | '*';
  /** Asked for on this stream. */
  asked: boolean;
  /** What is in force: name → version. */
  readonly versions: Map<string, string>;
}

interface Pending {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versions: ReadonlyMap<string, string>;
}

/** The incremental form: only what changed is asked for and sent ("Incremental xDS" of Envoy's xDS protocol). */
export class IncrementalProtocol implements XdsProtocol {
  readonly request = 'envoy.service.discovery.v3.DeltaDiscoveryRequest';
  readonly #types = new Map<string, Followed>();
  #pending: Pending | undefined;

  open(): object[] {
    this.#pending = undefined;
    const requests: object[] = [];
    for (const [typeUrl, followed] of this.#types) {
      followed.asked = false;
      requests.push(...this.#first(typeUrl, followed));
    }
    return requests;
  }

  follow(typeUrl: string, names: ReadonlySet<string> | '*'): object[] {
    let followed = this.#types.get(typeUrl);
    if (followed === undefined)
      this.#types.set(typeUrl, (followed = { names: new Set(), asked: false, versions: new Map() }));
    const before = followed.names;
    followed.names = names === '*' ? '*' : new Set(names);
    if (names === '*' || before === '*') return followed.asked ? [] : this.#first(typeUrl, followed);
    const subscribe = [...names].filter((name) => !before.has(name));
    const unsubscribe = [...before].filter((name) => !names.has(name));
    for (const name of unsubscribe) followed.versions.delete(name);
    if (!followed.asked) return this.#first(typeUrl, followed);
    if (subscribe.length === 0 && unsubscribe.length === 0) return [];
    return [
      {
        typeUrl,
        ...(subscribe.length > 0 ? { resourceNamesSubscribe: subscribe } : {}),
        ...(unsubscribe.length > 0 ? { resourceNamesUnsubscribe: unsubscribe } : {}),
      },
    ];
  }

  read(message: Uint8Array): Received | undefined {
    const response = decode(
      'envoy.service.discovery.v3.DeltaDiscoveryResponse',
      message,
    ) as types.discovery.DeltaDiscoveryResponse;
    const { typeUrl = '', nonce = '', resources = [], removedResources: removed = [], systemVersionInfo } = response;
    const followed = this.#types.get(typeUrl);
    this.#pending = undefined;
    if (followed === undefined) return undefined;
    // An answer may cross a request that gave a name up.
    const wanted = (name: string): boolean => followed.names === '*' || followed.names.has(name);
    const update = {
      resources: resources
        // Without a resource it only says that what is in force stays so.
        .filter(({ name = '', resource }) => wanted(name) && resource !== undefined)
        .map(({ name = '', version = '', resource }) => ({ name, version, resource })),
      removed: removed.filter(wanted),
      version: systemVersionInfo ?? '',
    };
    this.#pending = { typeUrl, nonce, versions: new Map(update.resources.map(({ name, version }) => [name, version])) };
    for (const name of removed) followed.versions.delete(name);
    const lifetimes = new Map(
      resources.filter(({ name = '' }) => wanted(name)).map((each) => [each.name ?? '', lifetime(each)]),
    );
    return { typeUrl, update, lifetimes, server: response.controlPlane?.identifier };
  }

  followed(typeUrl: string): ReadonlySet<string> | '*' {
    return this.#types.get(typeUrl)?.names ?? new Set();
  }

  forget(typeUrl: string, name: string): void {
    this.#types.get(typeUrl)?.versions.delete(name);
  }

  answer({ refused, error }: Outcome): object {
    const { typeUrl, nonce, versions } = this.#pending!;
    const followed = this.#types.get(typeUrl)!;
    for (const [name, version] of versions) if (!refused.has(name)) followed.versions.set(name, version);
    return { typeUrl, responseNonce: nonce, ...errorDetail(error) };
  }

  /** Naming nothing at first means everything. */
  #first(typeUrl: string, followed: Followed): object[] {
    const { names, versions } = followed;
    if (names !== '*' && names.size === 0) return [];
    followed.asked = true;
    return [
      {
        typeUrl,
        ...(names === '*' ? {} : { resourceNamesSubscribe: [...names] }),
        ...(versions.size === 0 ? {} : { initialResourceVersions: Object.fromEntries(versions) }),
      },
    ];
  }
}

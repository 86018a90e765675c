import { crypto } from '../../node-tls.ts';
import { TypeUrl, type types } from '@mizzen/xds';
import { decode } from '@mizzen/xds/binary/index.ts';
import { nameOf } from '../../program/read-resource.ts';
import type { XdsResource } from '../source.ts';
import { errorDetail, lifetime, type Outcome, type Received, type XdsProtocol } from './protocol.ts';

/** Types whose responses hold all there is: what a response lacks is gone. */
const WHOLE: readonly string[] = [TypeUrl.listener, TypeUrl.cluster];

interface Followed {
  names: ReadonlySet<string> | '*';
  asked: boolean;
  /** Of the last response that was taken. */
  version: string;
  nonce: string;
  /** Names in the last response, of a type whose responses are whole. */
  present: ReadonlySet<string>;
}

interface Pending {
  readonly typeUrl: string;
  readonly version: string;
}

/** The form in which requests say all that is wanted of a type ("State of the World" of Envoy's xDS protocol). */
export class WorldProtocol implements XdsProtocol {
  readonly request = 'envoy.service.discovery.v3.DiscoveryRequest';
  readonly #types = new Map<string, Followed>();
  #pending: Pending | undefined;

  open(): object[] {
    this.#pending = undefined;
    const requests: object[] = [];
    for (const [typeUrl, followed] of this.#types) {
      followed.asked = false;
      followed.nonce = '';
      if (followed.names === '*' || followed.names.size > 0) requests.push(this.#ask(typeUrl, followed));
    }
    return requests;
  }

  follow(typeUrl: string, names: ReadonlySet<string> | '*'): object[] {
    let followed = this.#types.get(typeUrl);
    if (followed === undefined) {
      followed = { names: new Set(), asked: false, version: '', nonce: '', present: new Set() };
      this.#types.set(typeUrl, followed);
    }
    const same = equal(followed.names, names);
    followed.names = names === '*' ? '*' : new Set(names);
    // Nothing is asked for that was not before: an empty first request would mean everything.
    if (!followed.asked && names !== '*' && names.size === 0) return [];
    return followed.asked && same ? [] : [this.#ask(typeUrl, followed)];
  }

  read(message: Uint8Array): Received | undefined {
    const response = decode(
      'envoy.service.discovery.v3.DiscoveryResponse',
      message,
    ) as types.discovery.DiscoveryResponse;
    const { typeUrl = '', versionInfo = '', nonce = '' } = response;
    const followed = this.#types.get(typeUrl);
    this.#pending = undefined;
    if (followed === undefined) return undefined;
    followed.nonce = nonce;
    this.#pending = { typeUrl, version: versionInfo };
    const server = response.controlPlane?.identifier;
    const all = (response.resources ?? []).map((any) => read(any, versionInfo));
    const lifetimes = new Map(all.map(({ name, lives }) => [name, lives]));
    // Without a resource it only says that what is in force stays so.
    const resources = all.filter(({ resource }) => resource !== undefined);
    if (!WHOLE.includes(typeUrl)) {
      const wanted = resources.filter(({ name }) => followed.names === '*' || followed.names.has(name));
      return { typeUrl, update: { resources: wanted, removed: [], version: versionInfo }, lifetimes, server };
    }
    const present = new Set(all.map(({ name }) => name));
    const onlyHeartbeats = all.length > 0 && resources.length === 0;
    const removed = onlyHeartbeats ? [] : [...followed.present].filter((name) => !present.has(name));
    if (!onlyHeartbeats) followed.present = present;
    return { typeUrl, update: { resources, removed, version: versionInfo }, lifetimes, server };
  }

  followed(typeUrl: string): ReadonlySet<string> | '*' {
    return this.#types.get(typeUrl)?.names ?? new Set();
  }

  forget(typeUrl: string, name: string): void {
    const followed = this.#types.get(typeUrl);
    if (followed !== undefined) followed.present = new Set([...followed.present].filter((each) => each !== name));
  }

  answer({ error }: Outcome): object {
    const { typeUrl, version } = this.#pending!;
    const followed = this.#types.get(typeUrl)!;
    if (error === undefined) followed.version = version;
    return { ...this.#ask(typeUrl, followed), ...errorDetail(error) };
  }

  #ask(typeUrl: string, followed: Followed): object {
    const { names, version, nonce } = followed;
    followed.asked = true;
    return {
      typeUrl,
      ...(version === '' ? {} : { versionInfo: version }),
      ...(names === '*' || names.size === 0 ? {} : { resourceNames: [...names] }),
      ...(nonce === '' ? {} : { responseNonce: nonce }),
    };
  }
}

const WRAPPER = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

/** A resource as it is, or in a wrapper that says its name and version. */
function read(
  any: types.discovery.DiscoveryResponse['resources'] extends readonly (infer A)[] | undefined ? A : never,
  version: string,
): XdsResource & { readonly lives: number } {
  const wrapped = any['@type'] === WRAPPER ? (any as types.discovery.Resource) : undefined;
  const resource = wrapped === undefined ? any : wrapped.resource;
  const named = wrapped?.name ?? '';
  const lives = wrapped === undefined ? 0 : lifetime(wrapped);
  return { name: named === '' ? nameOf(resource) : named, version, digest: digest(resource), resource, lives };
}

export function digest(resource: unknown): string {
  return crypto()
    .createHash('sha256')
    .update(JSON.stringify(resource) ?? '')
    .digest('base64url');
}

function equal(a: ReadonlySet<string> | '*', b: ReadonlySet<string> | '*'): boolean {
  if (a === '*' || b === '*') return a === b;
  return a.size === b.size && [...a].every((name) => b.has(name));
}

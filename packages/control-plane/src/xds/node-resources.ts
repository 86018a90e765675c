import { TypeUrl } from '@mizzen/xds';
import type { ResourceEncoder, VersionedResource } from './resource.ts';
import type { Desired } from './type-state.ts';
import type { NodeConfig } from './types.ts';

const none: Desired = { names: () => [], get: () => undefined };

/** The resources of one proxy by type and name, with their versions; computed for a type when first asked for. */
export class NodeResources {
  readonly config: NodeConfig;
  readonly #encoder: IndexEncoder;
  readonly #types = new Map<string, Desired>();

  constructor(config: NodeConfig, encoder: IndexEncoder) {
    this.config = config;
    this.#encoder = encoder;
  }

  of(typeUrl: string): Desired {
    let desired = this.#types.get(typeUrl);
    if (desired === undefined) this.#types.set(typeUrl, (desired = this.#desired(typeUrl)));
    return desired;
  }

  #desired(typeUrl: string): Desired {
    const { config } = this;
    switch (typeUrl) {
      case TypeUrl.cluster:
        return this.#encoder.index(config.clusters, (each) => each.name);
      case TypeUrl.endpoint:
        return this.#encoder.index(config.endpoints, (each) => each.clusterName);
      case TypeUrl.listener:
        return this.#encoder.index(config.listeners, (each) => each.name);
      case TypeUrl.route:
        return this.#encoder.index(config.routes, (each) => each.name);
      case TypeUrl.extension:
        return this.#encoder.index(config.extensions, (each) => each.name);
      case TypeUrl.secret:
        return { names: () => [], get: (name, have) => secret(config, name, have) };
      default:
        return none;
    }
  }
}

function secret(config: NodeConfig, name: string, have: string | undefined): VersionedResource | 'keep' | undefined {
  const answer = config.secret(name, have);
  if (answer === undefined || answer === 'keep') return answer;
  return { name, version: answer.version, resource: answer.secret, json: JSON.stringify(answer.secret) };
}

class Index implements Desired {
  readonly #byName: ReadonlyMap<string, VersionedResource>;
  readonly #changes = new WeakMap<Index, readonly string[]>();

  constructor(byName: ReadonlyMap<string, VersionedResource>) {
    this.#byName = byName;
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }
  get(name: string): VersionedResource | undefined {
    return this.#byName.get(name);
  }

  /** Found once for all proxies that go from the one to the other. */
  since(before: Desired): readonly string[] | undefined {
    if (!(before instanceof Index)) return undefined;
    let changes = this.#changes.get(before);
    if (changes === undefined) {
      const names = [...this.#byName.keys(), ...before.#byName.keys()].filter(
        (name) => this.#byName.get(name) !== before.#byName.get(name),
      );
      this.#changes.set(before, (changes = [...new Set(names)]));
    }
    return changes;
  }
}

/** Indexes lists of resources by name, once per list: proxies that share a list share its index. */
export class IndexEncoder {
  readonly #encoder: ResourceEncoder;
  readonly #lists = new WeakMap<readonly object[], Desired>();

  constructor(encoder: ResourceEncoder) {
    this.#encoder = encoder;
  }

  index<T extends object>(list: readonly T[], nameOf: (item: T) => string | undefined): Desired {
    let desired = this.#lists.get(list);
    if (desired === undefined) {
      const byName = new Map<string, VersionedResource>();
      for (const item of list) {
        const name = nameOf(item) ?? '';
        byName.set(name, this.#encoder.encode(name, item));
      }
      desired = new Index(byName);
      this.#lists.set(list, desired);
    }
    return desired;
  }
}

import type { XdsResources } from '@mizzen/translator';

export type XdsType = 'listener' | 'route' | 'cluster' | 'endpoint' | 'extension';
type Resources = Pick<XdsResources, 'listeners' | 'routes' | 'clusters' | 'endpoints' | 'extensions'>;

export interface XdsChange {
  readonly type: XdsType;
  readonly name: string;
  readonly change: 'added' | 'modified' | 'removed';
  readonly before: object | undefined;
  readonly after: object | undefined;
  /** Proxies that it is the same for. */
  readonly nodes: string[];
}

/** Of each proxy, what it is to have and what it would be to have; changes that are the same for several are one. */
export function xdsChanges(
  pairs: Iterable<{ readonly node: string; readonly before: Resources | undefined; readonly after: Resources }>,
): XdsChange[] {
  const texts = new Texts();
  const found = new Map<string, XdsChange>();
  for (const { node, before, after } of pairs) {
    for (const type of TYPES) {
      const old = byName(type, before);
      const now = byName(type, after);
      for (const name of new Set([...old.keys(), ...now.keys()])) {
        const [was, is] = [old.get(name), now.get(name)];
        if (was === is) continue;
        const [wasId, isId] = [texts.id(was), texts.id(is)];
        if (wasId === isId) continue;
        const key = `${type} ${name} ${wasId} ${isId}`;
        const known = found.get(key);
        if (known !== undefined) known.nodes.push(node);
        else {
          const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'modified';
          found.set(key, { type, name, change, before: was, after: is, nodes: [node] });
        }
      }
    }
  }
  return [...found.values()];
}

const TYPES = ['listener', 'route', 'cluster', 'endpoint', 'extension'] as const;

export function resourcesOf(
  type: XdsType,
  resources: Resources,
): readonly { readonly name: string; readonly value: object }[] {
  if (type === 'endpoint') return resources.endpoints.map((value) => ({ name: value.clusterName ?? '', value }));
  return resources[`${type}s`].map((value) => ({ name: value.name ?? '', value }));
}

function byName(type: XdsType, resources: Resources | undefined): Map<string, object> {
  if (resources === undefined) return new Map();
  return new Map(resourcesOf(type, resources).map(({ name, value }) => [name, value]));
}

/** Resources are shared by proxies: each is written once. Equal texts have one number. */
class Texts {
  readonly #ids = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();

  id(value: object | undefined): number {
    if (value === undefined) return -1;
    let id = this.#known.get(value);
    if (id !== undefined) return id;
    const text = JSON.stringify(value);
    id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    this.#known.set(value, id);
    return id;
  }
}

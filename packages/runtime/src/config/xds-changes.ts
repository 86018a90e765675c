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

/** What a proxy is to have, and what it would be to have. */
export interface Pair {
  readonly node: string;
  readonly before: Resources | undefined;
  readonly after: Resources;
}

/** What would be another for proxies, told of one after the other; changes that are the same for several are one. */
export class XdsChanges {
  readonly #texts = new Texts();
  readonly #found = new Map<string, XdsChange>();
  /** Proxies share lists: of two that were compared, what differs is known. */
  readonly #compared = new WeakMap<readonly object[], { readonly to: readonly object[]; readonly all: Difference[] }>();

  add({ node, before, after }: Pair): void {
    for (const type of TYPES)
      for (const [name, was, is] of this.#differences(type, before === undefined ? NONE : listOf(type, before), after))
        this.#note(type, name, was, is, node);
  }

  get all(): readonly XdsChange[] {
    return [...this.#found.values()];
  }

  #note(type: XdsType, name: string, was: object | undefined, is: object | undefined, node: string): void {
    const [wasId, isId] = [this.#texts.id(was), this.#texts.id(is)];
    if (wasId === isId) return;
    const key = `${type} ${name} ${wasId} ${isId}`;
    const known = this.#found.get(key);
    if (known !== undefined) {
      known.nodes.push(node);
      return;
    }
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'modified';
    this.#found.set(key, { type, name, change, before: was, after: is, nodes: [node] });
  }

  #differences(type: XdsType, before: readonly object[], resources: Resources): readonly Difference[] {
    const after = listOf(type, resources);
    if (before === after) return NONE;
    const known = this.#compared.get(before);
    if (known?.to === after) return known.all;
    const all = differences(type, before, after);
    if (before !== NONE) this.#compared.set(before, { to: after, all });
    return all;
  }
}

/** By name, what was and what is: other objects, which may yet say the same. */
type Difference = readonly [name: string, was: object | undefined, is: object | undefined];

const NONE: readonly never[] = [];
const TYPES = ['listener', 'route', 'cluster', 'endpoint', 'extension'] as const;

export function resourcesOf(
  type: XdsType,
  resources: Resources,
): readonly { readonly name: string; readonly value: object }[] {
  return listOf(type, resources).map((value) => ({ name: nameOf(type, value), value }));
}

function listOf(type: XdsType, resources: Resources): readonly object[] {
  return type === 'endpoint' ? resources.endpoints : resources[`${type}s`];
}

function nameOf(type: XdsType, value: object): string {
  const { name, clusterName } = value as { readonly name?: string; readonly clusterName?: string };
  return (type === 'endpoint' ? clusterName : name) ?? '';
}

function differences(type: XdsType, before: readonly object[], after: readonly object[]): Difference[] {
  // An edit seldom changes more than a few: what begins and ends the same needs no looking up.
  let [start, oldEnd, newEnd] = [0, before.length, after.length];
  while (start < oldEnd && start < newEnd && before[start] === after[start]) start++;
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1])
    [oldEnd, newEnd] = [oldEnd - 1, newEnd - 1];
  const old = byName(type, before.slice(start, oldEnd));
  const now = byName(type, after.slice(start, newEnd));
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name): Difference[] => {
    const [was, is] = [old.get(name), now.get(name)];
    return was === is ? [] : [[name, was, is]];
  });
}

function byName(type: XdsType, list: readonly object[]): Map<string, object> {
  return new Map(list.map((value) => [nameOf(type, value), value]));
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

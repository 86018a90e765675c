/**
 * Which bodies the other end of a connection has, and which nodes there have them (see @mizzen/xds local): a body goes
 * along with the first node that gets its version, and is forgotten when the last one has another.
 */
export class SharedBodies {
  /** Version → how many resources of nodes have it. */
  readonly #users = new Map<string, number>();
  /** Node → type URL → name → version. */
  readonly #nodes = new Map<string, Map<string, Map<string, string>>>();
  /** Versions that the other end still has and nobody uses. */
  readonly #unused = new Set<string>();

  /** A node is sent a resource; true when its body must go along. */
  use(node: string, typeUrl: string, name: string, version: string): boolean {
    const names = this.#names(node, typeUrl);
    const before = names.get(name);
    if (before === version) return false;
    const users = this.#users.get(version) ?? 0;
    this.#users.set(version, users + 1);
    names.set(name, version);
    if (before !== undefined) this.#release(before);
    return users === 0 && !this.#unused.delete(version);
  }

  /** The node does not have these names any more; `*` stands for all of the type. */
  drop(node: string, typeUrl: string, dropped: readonly string[]): void {
    const names = this.#nodes.get(node)?.get(typeUrl);
    if (names === undefined) return;
    for (const name of dropped.includes('*') ? [...names.keys()] : dropped) {
      const version = names.get(name);
      names.delete(name);
      if (version !== undefined) this.#release(version);
    }
  }

  /** The node is gone. */
  dropNode(node: string): void {
    for (const typeUrl of this.#nodes.get(node)?.keys() ?? []) this.drop(node, typeUrl, ['*']);
    this.#nodes.delete(node);
  }

  /** What the other end may forget now; it is told of each version once. */
  takeUnused(): readonly string[] {
    const unused = [...this.#unused];
    this.#unused.clear();
    return unused;
  }

  #names(node: string, typeUrl: string): Map<string, string> {
    let types = this.#nodes.get(node);
    if (types === undefined) this.#nodes.set(node, (types = new Map()));
    let names = types.get(typeUrl);
    if (names === undefined) types.set(typeUrl, (names = new Map()));
    return names;
  }

  #release(version: string): void {
    const users = (this.#users.get(version) ?? 0) - 1;
    if (users > 0) this.#users.set(version, users);
    else {
      this.#users.delete(version);
      this.#unused.add(version);
    }
  }
}

import { isSubsetOf } from './hosts.ts';

/**
 * The `hosts` of a Sidecar's egress listener: `namespace/host` imports, where the namespace may be `*` or `.` (the Sidecar's
 * own); `~namespace/host` takes out what others import; `~/*` is nothing.
 */
export class EgressHosts {
  readonly #imported = new Map<string, string[]>();
  readonly #excluded = new Map<string, string[]>();

  constructor(hosts: readonly string[], namespace: string) {
    for (const entry of hosts) {
      const slash = entry.indexOf('/');
      const written = slash < 0 ? '*' : entry.slice(0, slash);
      if (written === '~') continue;
      const target = written.startsWith('~') ? this.#excluded : this.#imported;
      const from = written === '.' ? namespace : written.replace(/^~/, '');
      const list = target.get(from);
      if (list === undefined) target.set(from, [entry.slice(slash + 1)]);
      else list.push(entry.slice(slash + 1));
    }
  }

  /** Patterns of the hosts that are imported from a namespace. */
  imported(namespace: string): readonly string[] {
    return [...(this.#imported.get(namespace) ?? []), ...(this.#imported.get('*') ?? [])];
  }

  excludes(namespace: string, host: string): boolean {
    return (this.#excluded.get(namespace) ?? []).some((pattern) => isSubsetOf(host, pattern));
  }
}

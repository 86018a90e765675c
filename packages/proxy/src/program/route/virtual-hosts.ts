import { asciiLower, wire } from '../values.ts';

/** Finds what an authority belongs to: an exact domain, the longest `*.suffix`, the longest `prefix.*`, then `*`. */
export class DomainIndex<T> {
  readonly #exact = new Map<string, T>();
  /** Length → rest of the domain → value; longest first. */
  #suffixes: [number, Map<string, T>][] = [];
  #prefixes: [number, Map<string, T>][] = [];
  #any: T | undefined;

  /** False when the domain is there already. */
  add(domain: string, value: T): boolean {
    const lower = asciiLower(wire(domain));
    if (lower === '*') {
      if (this.#any !== undefined) return false;
      this.#any = value;
      return true;
    }
    if (lower.startsWith('*')) return insert(this.#suffixes, lower.slice(1), value);
    if (lower.endsWith('*')) return insert(this.#prefixes, lower.slice(0, -1), value);
    if (this.#exact.has(lower)) return false;
    this.#exact.set(lower, value);
    return true;
  }

  get size(): number {
    return this.#exact.size;
  }

  find(authority: string): T | undefined {
    const found = this.#exact.get(authority);
    if (found !== undefined) return found;
    const lower = asciiLower(authority);
    if (lower !== authority) {
      const exact = this.#exact.get(lower);
      if (exact !== undefined) return exact;
    }
    for (const [length, map] of this.#suffixes) {
      if (length >= lower.length) continue;
      const value = map.get(lower.slice(lower.length - length));
      if (value !== undefined) return value;
    }
    for (const [length, map] of this.#prefixes) {
      if (length >= lower.length) continue;
      const value = map.get(lower.slice(0, length));
      if (value !== undefined) return value;
    }
    return this.#any;
  }
}

function insert<T>(lengths: [number, Map<string, T>][], rest: string, value: T): boolean {
  let entry = lengths.find(([length]) => length === rest.length);
  if (entry === undefined) {
    entry = [rest.length, new Map()];
    lengths.push(entry);
    lengths.sort(([a], [b]) => b - a);
  }
  if (entry[1].has(rest)) return false;
  entry[1].set(rest, value);
  return true;
}

/** The authority without its port, if it has one; brackets of IPv6 stay. */
export function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  if (colon < 0) return authority;
  const bracket = authority.lastIndexOf(']');
  return bracket < colon ? authority.slice(0, colon) : authority;
}

import type { Spelling } from '../codec/fields.ts';

/**
 * HTTP header fields in wire order: names are lowercase, values have no surrounding blanks and hold one byte per
 * character (latin1), as they came. Stored flat (name, value, name, value, …): heads are small, so a scan over a short
 * array beats any map, and a head is built and dropped without an object per field.
 */
export class Headers {
  /** name, value, name, value, … Read it directly on hot paths; change it only through the methods. */
  readonly flat: string[];
  /** By lowercase name, how the sender spelled it; only where spelling is kept. */
  spelling: Spelling | undefined = undefined;
  /** A name or a value that HTTP does not have may have been added, or be in the request line. */
  unchecked = false;
  /** A configuration has put `x-envoy-…` fields in. */
  addsEnvoyFields = false;

  constructor(flat: string[] = []) {
    this.flat = flat;
  }

  get count(): number {
    return this.flat.length >> 1;
  }

  /** First value of `name` (lowercase), or undefined. */
  get(name: string): string | undefined {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1];
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** All values of `name` joined by a comma, which is how Envoy's matchers see a repeated field; undefined when absent. */
  getJoined(name: string): string | undefined {
    const flat = this.flat;
    let joined: string | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === name) joined = joined === undefined ? flat[i + 1]! : `${joined},${flat[i + 1]}`;
    }
    return joined;
  }

  names(): string[] {
    return this.flat.filter((_, i) => i % 2 === 0);
  }

  getAll(name: string): string[] {
    const flat = this.flat;
    const values: string[] = [];
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) values.push(flat[i + 1]!);
    return values;
  }

  /** Adds a field at the end, whatever is there already. */
  add(name: string, value: string): void {
    this.flat.push(name, value);
  }

  /** Replaces the first field of that name and drops the others; adds it at the end when there is none. */
  set(name: string, value: string): void {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === name) {
        flat[i + 1] = value;
        removeFrom(flat, i + 2, name);
        return;
      }
    }
    flat.push(name, value);
  }

  /** Drops all fields of that name and adds one at the end, which is how most of Envoy's filters set a field. */
  renew(name: string, value: string): void {
    removeFrom(this.flat, 0, name);
    this.flat.push(name, value);
  }

  /** Appends to the value with a comma, or adds the field. What is empty is not appended, as in Envoy. */
  append(name: string, value: string): void {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === name) {
        if (value !== '') flat[i + 1] = flat[i + 1] === '' ? value : `${flat[i + 1]},${value}`;
        return;
      }
    }
    flat.push(name, value);
  }

  remove(name: string): boolean {
    return removeFrom(this.flat, 0, name);
  }

  /** Removes two fields at once; their first values. */
  removeBoth(a: string, b: string): readonly [a: string | undefined, b: string | undefined] | undefined {
    const { flat } = this;
    let ofA: string | undefined;
    let ofB: string | undefined;
    let to = 0;
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i]!;
      if (name === a) ofA ??= flat[i + 1]!;
      else if (name === b) ofB ??= flat[i + 1]!;
      else {
        if (to !== i) {
          flat[to] = name;
          flat[to + 1] = flat[i + 1]!;
        }
        to += 2;
      }
    }
    if (to === flat.length) return undefined;
    shorten(flat, to);
    return [ofA, ofB];
  }

  entries(): [string, string][] {
    const { flat } = this;
    const entries: [string, string][] = [];
    for (let i = 0; i < flat.length; i += 2) entries.push([flat[i]!, flat[i + 1]!]);
    return entries;
  }

  clone(): Headers {
    const copy = new Headers(this.flat.slice());
    copy.spelling = this.spelling;
    copy.unchecked = this.unchecked;
    copy.addsEnvoyFields = this.addsEnvoyFields;
    return copy;
  }
}

/** Drops every field of that name at or after `from`. */
function removeFrom(flat: string[], from: number, name: string): boolean {
  let to = from;
  for (let i = from; i < flat.length; i += 2) {
    if (flat[i] === name) continue;
    if (to !== i) {
      flat[to] = flat[i]!;
      flat[to + 1] = flat[i + 1]!;
    }
    to += 2;
  }
  if (to === flat.length) return false;
  shorten(flat, to);
  return true;
}

/** Setting the length would leave compiled code, at the cost of several such fields. */
function shorten(flat: string[], length: number): void {
  while (flat.length > length) flat.pop();
}

import { type MergeOptions, merge, mergeAny } from './merge.ts';
import type { InForce } from './in-force.ts';
import { type Patch, type Target, MESSAGE_OF } from './patch.ts';
import { Tracks, below } from './tracks.ts';

/** Which way the traffic of what is patched goes, in the words of EnvoyFilters. */
export type Side = 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND' | 'GATEWAY';

/** One application of a proxy's patches to a resource. */
export class Run {
  readonly side: Side;
  readonly tracks = new Tracks();
  readonly #inForce: InForce;
  readonly #patches = new Map<Target, readonly Patch[]>();

  constructor(inForce: InForce, side: Side) {
    this.#inForce = inForce;
    this.side = side;
  }

  /** The patches of that kind for this side, in order. */
  of(target: Target): readonly Patch[] {
    let patches = this.#patches.get(target);
    if (patches === undefined) {
      patches = this.#inForce.of(target).filter(({ context }) => context === this.side || context === 'ANY');
      this.#patches.set(target, patches);
    }
    return patches;
  }

  /** `message` with some fields set over others. */
  with<T extends object>(message: T, fields: Partial<T>): T {
    const out = this.tracks.copied({ ...message, ...fields }, message);
    for (const key in fields) if (fields[key] === undefined) delete out[key];
    return out;
  }

  /** A list that stands where `original` stood; the same one when it has the same elements. */
  list<T>(elements: readonly T[], original: readonly T[] | undefined): readonly T[] {
    if (original === undefined) return elements;
    if (elements.length === original.length && elements.every((each, index) => each === original[index]))
      return original;
    return this.tracks.copied([...elements], original);
  }

  merge<T extends object>(into: T, patch: Patch): T {
    return merge(into, patch.value, MESSAGE_OF[patch.applyTo], this.#options(patch));
  }

  /**
   * The patch's `typedConfig` merged into that of a filter or a socket, as istiod does where an Any has to be looked into:
   * lists are always appended. A filter of another type stays as it is, because nothing of one fits the other.
   */
  mergeTyped<T extends Typed>(into: T, from: Typed, patch: Patch, at: readonly (string | number)[] = []): T {
    if (into.typedConfig === undefined || from.typedConfig === undefined) return into;
    const origin = [...at, 'typedConfig'].reduce(below, patch.origin);
    const typedConfig = mergeAny(into.typedConfig, from.typedConfig, { tracks: this.tracks, origin });
    return typedConfig === undefined ? into : this.with(into, { typedConfig } as Partial<T>);
  }

  /** Merging may give a filter another name, too. */
  renamed<T extends Typed>(filter: T, { value, origin }: Patch): T {
    const { name } = value as Typed;
    if (name === undefined || name === filter.name) return filter;
    const out = this.with(filter, { name } as Partial<T>);
    this.tracks.given(out, 'name', below(origin, 'name'));
    return out;
  }

  #options(patch: Patch): MergeOptions {
    return {
      tracks: this.tracks,
      origin: patch.origin,
      replaceLists: patch.operation === 'MERGE_AND_REPLACE_LIST',
    };
  }
}

export interface Typed {
  readonly name?: string;
  readonly typedConfig?: { readonly '@type'?: string };
}

import { entryOfText, type Entries, type Entry } from './entry.ts';

export interface LayerProgram {
  readonly name: string;
  readonly kind: 'static' | 'disk' | 'admin' | 'rtds';
}

export interface RuntimeStats {
  load_success: number;
  load_error: number;
  override_dir_exists: number;
  override_dir_not_exists: number;
}

/** What a layer holds. Undefined: its folder does not exist, and so neither does the layer; `broken`: nor can it be read. */
export type LayerValues = Entries | 'broken' | undefined;

const NOTHING: Entries = new Map();

/**
 * Values that may change while the proxy runs, in layers: of two that have a key, the later one says what it is. Who reads
 * a value keeps it until `version` changes.
 */
export class Runtime {
  /** Changes with every value. */
  version = 1;
  readonly #layers: readonly LayerProgram[];
  readonly stats: RuntimeStats = { load_success: 0, load_error: 0, override_dir_exists: 0, override_dir_not_exists: 0 };
  readonly #values: LayerValues[];
  #merged: Entries = NOTHING;

  /** With what is in the layers at first. */
  constructor(layers: readonly LayerProgram[], values: readonly LayerValues[] = layers.map(() => NOTHING)) {
    this.#layers = layers;
    this.#values = [...values];
    // Envoy reads everything twice.
    this.#loaded(2);
  }

  /** Those that there are. */
  get layers(): readonly LayerProgram[] {
    return this.#layers.filter((_, i) => entriesOf(this.#values[i]) !== undefined);
  }

  get(key: string): Entry | undefined {
    return this.#merged.get(key);
  }

  get keys(): number {
    return this.#merged.size;
  }

  /** Whether somebody has set a value through the admin endpoint. */
  get overridden(): boolean {
    const at = this.#adminLayer();
    return at >= 0 && (entriesOf(this.#values[at])?.size ?? 0) > 0;
  }

  /** Puts new values in place of those of layers. */
  set(...changes: readonly (readonly [layer: number, values: LayerValues])[]): void {
    for (const [layer, values] of changes) this.#values[layer] = values;
    this.#loaded(1);
  }

  #loaded(times: number): void {
    this.#merged = new Map(this.#values.flatMap((entries) => [...(entriesOf(entries) ?? NOTHING)]));
    this.version++;
    this.stats[this.#values.includes('broken') ? 'load_error' : 'load_success'] += times;
    // One folder alone overrides nothing.
    const folders = this.layers.filter(({ kind }) => kind === 'disk').length;
    this.stats[folders > 1 ? 'override_dir_exists' : 'override_dir_not_exists'] += times;
  }

  /** Values of the admin layer that change; an empty one goes. False: there is no such layer. */
  modify(changes: Iterable<readonly [string, string]>): boolean {
    const at = this.#adminLayer();
    if (at < 0) return false;
    const values = new Map(entriesOf(this.#values[at]));
    for (const [key, text] of changes) {
      if (text === '') values.delete(key);
      else values.set(key, entryOfText(text));
    }
    this.set([at, values]);
    return true;
  }

  /** Every key with what each layer says of it; the last value that is not empty counts. */
  *describe(): Iterable<{ readonly key: string; readonly layers: readonly string[]; readonly final: string }> {
    const there = this.#values.map(entriesOf).filter((entries) => entries !== undefined);
    for (const [key, { raw }] of this.#merged)
      yield { key, layers: there.map((entries) => entries.get(key)?.raw ?? ''), final: raw };
  }

  #adminLayer(): number {
    return this.#layers.findIndex(({ kind }) => kind === 'admin');
  }
}

function entriesOf(values: LayerValues): Entries | undefined {
  return values === 'broken' ? undefined : values;
}

import { refOf, withSpan } from '@mizzen/api';
import type { Resource, Snapshot } from '@mizzen/api';
import type { Ref } from '@mizzen/diagnostics';
import { buildModel } from '@mizzen/model';
import type { MeshModel } from '@mizzen/model';
import type { ReadResult } from '@mizzen/sources';
import type { Clock, Timer } from '@mizzen/control-plane';
import { envoyFilterProblems } from '@mizzen/translator';
import { consequencesOf } from '../control/consequences.ts';
import { checkKeys } from '../control/key-check.ts';
import type { LastGood } from '../control/last-good.ts';
import { leftOut } from '../control/left-out.ts';
import { meshName, refName } from '../control/names.ts';
import { overlay } from '../control/overlay.ts';
import { Report } from '../control/report.ts';
import type { Changes } from './changes.ts';

/** Names of resources, by what became of them, and what is wrong now that was not before, as a person reads it. */
export interface MeshChange {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly rendered: readonly string[];
  readonly notices: readonly string[];
  /** What changed in the files. */
  readonly resources: ReadResult['changed'];
}

/** How long after a change what is in force is kept for a later process. Milliseconds. */
const SAVE_AFTER = 200;

/** What the files say, with the last good version of what is broken. */
export class MeshFiles {
  readonly #lastGood: LastGood;
  readonly #clock: Clock;
  readonly #report = new Report();
  readonly #noticed = new Set<string>();
  #result: ReadResult;
  #model: MeshModel;
  /** Names of resources in force that only an earlier process saw whole. */
  #restored: ReadonlyMap<string, Ref> = new Map();
  #saving: Timer | undefined;
  /** What waits to be kept. */
  #unsaved: Snapshot | undefined;
  #modelTime = 0;

  constructor(first: ReadResult, lastGood: LastGood, clock: Clock) {
    this.#result = first;
    this.#lastGood = lastGood;
    this.#clock = clock;
    this.#model = buildModel(this.#overlaid());
  }

  /** As last read. */
  get result(): ReadResult {
    return this.#result;
  }

  get model(): MeshModel {
    return this.#model;
  }

  /** Milliseconds that the model of now took to build. */
  get modelTime(): number {
    return this.#modelTime;
  }

  /** What there is to say at the start. */
  first(): MeshChange {
    const [rendered, notices, resources] = [this.#rendered(), this.#notices(), this.#result.changed];
    return { added: [], changed: [], removed: [], rendered, notices, resources };
  }

  /** Takes over what was read, and what differs from the time before. */
  update(result: ReadResult, { changed, mesh }: Changes): MeshChange {
    const before = this.#restored;
    this.#result = result;
    const snapshot = this.#overlaid();
    const begun = this.#clock.now();
    this.#model = buildModel(snapshot, undefined, { previous: this.#model });
    this.#modelTime = this.#clock.now() - begun;
    const gone = [...before].flatMap(([name, ref]) => (this.#restored.has(name) || snapshot.find(ref) ? [] : [ref]));
    const { meshConfig } = result;
    return {
      added: changed.added.map(refName),
      changed: [...changed.modified.map(refName), ...(mesh && meshConfig !== undefined ? [meshName(meshConfig)] : [])],
      removed: [...changed.removed, ...gone].map(refName),
      rendered: this.#rendered(),
      notices: this.#notices(),
      resources: changed,
    };
  }

  close(): void {
    this.#saving?.cancel();
    this.#save();
  }

  #overlaid(): Snapshot {
    const restored: readonly Resource[] = this.#lastGood.restore(this.#result);
    this.#restored = new Map(restored.map((each) => [refName(refOf(each)), refOf(each)]));
    const snapshot = overlay(this.#result.snapshot, restored);
    this.#saving?.cancel();
    this.#unsaved = snapshot;
    this.#saving = this.#clock.after(SAVE_AFTER, () => this.#save());
    return snapshot;
  }

  #save(): void {
    if (this.#unsaved !== undefined) this.#lastGood.save(this.#unsaved);
    this.#unsaved = undefined;
  }

  #rendered(): readonly string[] {
    const { snapshot } = this.#model;
    const { diagnostics } = this.#model.gatewayApi;
    const own = [...diagnostics, ...checkKeys(this.#model), ...envoyFilterProblems(snapshot)];
    const all = [...this.#result.diagnostics, ...own].map((each) => withSpan(each, snapshot));
    const consequences = consequencesOf(this.#result, this.#restored.keys());
    return this.#report.next(all, consequences, (file) => this.#result.text(file));
  }

  #notices(): string[] {
    const fresh = leftOut(this.#result).filter((text) => !this.#noticed.has(text));
    for (const text of fresh) this.#noticed.add(text);
    return fresh;
  }
}

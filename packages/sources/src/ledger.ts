import {
  buildSnapshot,
  isReadable,
  locate,
  mootFields,
  parseDocument,
  refOf,
  resourceKey,
  splitDocuments,
  surprisingFields,
  unsupportedFields,
  validateResource,
  withSpan,
} from '@mizzen/api';
import type {
  Engine,
  LeftAlone,
  MeshDefaults,
  ParsedDocuments,
  PassedOver,
  Resource,
  Snapshot,
  SourceDocument,
} from '@mizzen/api';
import type { Diagnostic, Ref } from '@mizzen/diagnostics';
import { isDeepStrictEqual } from 'node:util';
import { isWithin } from './discover.ts';
import { assignOrder } from './order.ts';

/** A file's text as it is now; undefined when it is there but cannot be read (`problem` says why). */
export interface FileText {
  readonly file: string;
  readonly text: string | undefined;
  readonly problem?: Diagnostic;
}

/** What was read, and what came of it. */
export interface ReadResult {
  readonly snapshot: Snapshot;
  /** All that is wrong now, with places; not only what has just changed. */
  readonly diagnostics: readonly Diagnostic[];
  readonly leftAlone: readonly LeftAlone[];
  readonly passedOver: readonly PassedOver[];
  /** Against the result before; `added` holds everything the first time. */
  readonly changed: {
    readonly added: readonly Ref[];
    readonly modified: readonly Ref[];
    readonly removed: readonly Ref[];
  };
  /** Resources whose text has an error now, so that the last version without one is still in force. */
  readonly keptLastGood: readonly Ref[];
  /** Resources whose text has an error and that never had a good version: not in force. */
  readonly refused: readonly Ref[];
  /**
   * The mesh configuration, when it is a file of its own: whether what is in force of it changed, and whether its text
   * has an error now, so that the last good one stays in force, or none is.
   */
  readonly meshConfig:
    | { readonly file: string; readonly changed: boolean; readonly state: 'good' | 'kept' | 'refused' }
    | undefined;
  /** Files of which something cannot be read: what is no longer seen in them may be in that part. */
  readonly brokenFiles: ReadonlySet<string>;
  /** Files and directories that cannot be looked at: what is no longer seen may be there. */
  readonly closed: readonly string[];
  /** The text of a file as it was read, for code frames. */
  text(file: string): string | undefined;
}

/** What is taken into force, and what it is understood by. */
export interface LedgerOptions {
  /** Namespace of resources that name none; `default` unless told. */
  readonly namespace?: string;
  /**
   * `valid`: what istiod's webhook and Kubernetes would let in. `readable`: also what they would refuse but istiod would
   * act on if it were in its store; what is wrong is said all the same.
   */
  readonly admit?: 'valid' | 'readable';
  /** What holds where there is no mesh configuration. */
  readonly meshDefaults?: MeshDefaults;
  /** Whose gaps are warned of; Mizzen's own proxy unless told. */
  readonly engine?: Engine;
}

interface FileState {
  readonly text: string;
  readonly documents: readonly { readonly text: string; readonly parsed: ParsedDocuments }[];
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Remembers what is in force. Each update takes the files as they are now and gives what should be in force next: new
 * versions where they are good, the last good ones where they are not. Documents whose text is unchanged keep their
 * Resource objects.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  #files = new Map<string, FileState>();
  #inForce = new Map<string, Resource>();
  #snapshot: Snapshot | undefined;
  #mesh: SourceDocument | undefined;
  /** What was last read of it, good or not. */
  #meshRead: string | undefined;
  #meshDiagnostics: readonly Diagnostic[] = [];
  /** Documents are shared with another, so that their places are not to be changed. */
  #forked = false;
  #validated = new WeakMap<SourceDocument, readonly Diagnostic[]>();
  #surprising = new WeakMap<Resource, ReadonlyMap<string, string>>();

  constructor(options: LedgerOptions = {}) {
    this.#options = options;
  }

  /** Another that knows what this one does, to ask what an update would do: nothing that it reads changes this one. */
  fork(): Ledger {
    const fork = new Ledger(this.#options);
    fork.#files = this.#files;
    fork.#inForce = this.#inForce;
    fork.#snapshot = this.#snapshot;
    fork.#mesh = this.#mesh;
    fork.#meshRead = this.#meshRead;
    fork.#meshDiagnostics = this.#meshDiagnostics;
    fork.#validated = this.#validated;
    fork.#surprising = this.#surprising;
    fork.#forked = true;
    return fork;
  }

  /**
   * `files` in reading order; `meshConfig` is the text of the mesh configuration, if it comes from a file of its own. What
   * `closed` files and directories held stays.
   */
  update(files: readonly FileText[], meshConfig?: FileText, closed: readonly string[] = []): ReadResult {
    const diagnostics: Diagnostic[] = [];
    const leftAlone: LeftAlone[] = [];
    const passedOver: PassedOver[] = [];
    const candidates: Resource[] = [];
    const brokenFiles = new Set<string>();
    const states = new Map<string, FileState>();
    for (const { file, text, problem } of files) {
      if (problem) diagnostics.push(problem);
      if (text === undefined) {
        const before = this.#files.get(file);
        if (before) states.set(file, before);
        brokenFiles.add(file);
        continue;
      }
      const state = this.#readFile(file, text);
      states.set(file, state);
      for (const { parsed } of state.documents) {
        candidates.push(...parsed.resources);
        leftAlone.push(...parsed.leftAlone);
        passedOver.push(...parsed.passedOver);
        diagnostics.push(...parsed.diagnostics);
        if (parsed.diagnostics.some(({ severity }) => severity === 'error')) brokenFiles.add(file);
      }
    }
    const mayHide = (file: string): boolean => brokenFiles.has(file) || closed.some((place) => isWithin(file, place));
    const chosen = this.#choose(candidates, mayHide, diagnostics);
    this.#files = states;
    return this.#commit(chosen, meshConfig, { diagnostics, leftAlone, passedOver, brokenFiles, closed });
  }

  #readFile(file: string, text: string): FileState {
    const before = this.#files.get(file);
    if (before?.text === text) return before;
    const reusable = new Map<string, ParsedDocuments[]>();
    for (const { text: key, parsed } of before?.documents ?? []) {
      // Spans of diagnostics are fixed; where there are any, the document is read again.
      if (parsed.diagnostics.length > 0 || parsed.passedOver.length > 0) continue;
      const same = reusable.get(key);
      if (same) same.push(parsed);
      else reusable.set(key, [parsed]);
    }
    const documents = splitDocuments(text).map((document, index) => {
      const old = reusable.get(document.text)?.shift();
      if (old !== undefined && this.#forked) {
        return { text: document.text, parsed: this.#moved(old, index, document.firstLine) };
      }
      if (old) {
        for (const { source } of [...old.resources, ...old.leftAlone]) {
          const place = source as Mutable<SourceDocument>;
          place.index = index;
          place.firstLine = document.firstLine;
        }
        return { text: document.text, parsed: old };
      }
      const parsed = parseDocument({ file, index, ...document }, { namespace: this.#options.namespace });
      return { text: document.text, parsed };
    });
    return { text, documents };
  }

  /** The same at another place, for one that shares it. What was found out about it holds there, too. */
  #moved(parsed: ParsedDocuments, index: number, firstLine: number): ParsedDocuments {
    const moved = new Map<SourceDocument, SourceDocument>();
    const sourceOf = (source: SourceDocument): SourceDocument => {
      if (source.index === index && source.firstLine === firstLine) return source;
      let made = moved.get(source);
      if (made === undefined) {
        moved.set(source, (made = { ...source, index, firstLine }));
        const known = this.#validated.get(source);
        if (known !== undefined) this.#validated.set(made, known);
      }
      return made;
    };
    const at = <T extends { readonly source: SourceDocument }>(each: T): T => {
      const source = sourceOf(each.source);
      return source === each.source ? each : { ...each, source };
    };
    return { ...parsed, resources: parsed.resources.map(at), leftAlone: parsed.leftAlone.map(at) };
  }

  /** One resource per name: the new one if it is good, or else the one in force. In reading order. */
  #choose(candidates: readonly Resource[], mayHide: (file: string) => boolean, diagnostics: Diagnostic[]): Chosen {
    const byName = new Map<string, Resource[]>();
    for (const candidate of candidates) {
      const key = keyOf(candidate);
      const same = byName.get(key);
      if (same) same.push(candidate);
      else byName.set(key, [candidate]);
    }
    const good: Resource[] = [];
    const kept: Resource[] = [];
    const refused: Ref[] = [];
    for (const [key, same] of byName) {
      const current = this.#inForce.get(key);
      const candidate = same.find(({ source }) => source === current?.source) ?? (same[0] as Resource);
      for (const other of same) {
        if (other === candidate) continue;
        diagnostics.push(duplicate(other, candidate));
        for (const problem of this.#validate(other)) diagnostics.push(withSpan(problem, { find: () => other }));
      }
      const problems = this.#validate(candidate);
      for (const problem of problems) diagnostics.push(withSpan(problem, { find: () => candidate }));
      if (current?.source === candidate.source) good.push(current);
      else if (this.#admits(candidate, problems)) good.push(withSameParts(candidate, current));
      else if (current) {
        good.push(current);
        kept.push(current);
      } else refused.push(refOf(candidate));
    }
    // What a file no longer shows may be in the part that cannot be read.
    for (const [key, current] of this.#inForce) {
      if (byName.has(key) || !mayHide(current.source.file)) continue;
      const next = good.findIndex((other) => (this.#inForce.get(keyOf(other))?.order ?? -1) > current.order);
      good.splice(next < 0 ? good.length : next, 0, current);
      kept.push(current);
    }
    return { good, kept, refused };
  }

  #admits(candidate: Resource, problems: readonly Diagnostic[]): boolean {
    return !problems.some(isError) || (this.#options.admit === 'readable' && isReadable(candidate));
  }

  #validate(resource: Resource): readonly Diagnostic[] {
    let result = this.#validated.get(resource.source);
    if (!result) this.#validated.set(resource.source, (result = judge(resource, this.#options.engine)));
    return result;
  }

  /** One remark about all that is without effect here, of all resources. */
  #moot(resources: readonly Resource[]): Diagnostic[] {
    return mootFields(
      resources.map((resource) => {
        let fields = this.#surprising.get(resource);
        if (!fields) this.#surprising.set(resource, (fields = surprisingFields(resource, this.#options.engine)));
        return [resource, fields];
      }),
    );
  }

  #commit({ good, kept, refused }: Chosen, meshFile: FileText | undefined, found: Found): ReadResult {
    const before = this.#inForce;
    const ordered = assignOrder(good, (resource) => before.get(keyOf(resource))?.order);
    const next = new Map<string, Resource>();
    const added: Ref[] = [];
    const modified: Ref[] = [];
    for (const resource of ordered) {
      const key = keyOf(resource);
      const old = before.get(key);
      next.set(key, resource);
      if (!old) added.push(refOf(resource));
      else if (old.body !== resource.body) modified.push(refOf(resource));
    }
    const removed = [...before].flatMap(([key, old]) => (next.has(key) ? [] : [refOf(old)]));
    const meshBefore = this.#mesh?.text;
    const mesh = this.#meshDocument(meshFile, found.diagnostics);
    const unchanged =
      this.#snapshot !== undefined &&
      mesh?.text === this.#meshRead &&
      next.size === before.size &&
      ordered.every((resource) => before.get(keyOf(resource)) === resource);
    if (!unchanged) {
      const version = (this.#snapshot?.version ?? 0) + 1;
      const { meshDefaults, engine } = this.#options;
      const built = buildSnapshot(ordered, { version, meshConfig: mesh, meshDefaults, engine });
      this.#meshRead = mesh?.text;
      if (built.diagnostics.some(isError)) {
        this.#snapshot = buildSnapshot(ordered, { version, meshConfig: this.#mesh, meshDefaults, engine }).snapshot;
      } else {
        this.#snapshot = built.snapshot;
        this.#mesh = mesh;
      }
      this.#meshDiagnostics = built.diagnostics;
    }
    this.#inForce = next;
    const files = this.#files;
    return {
      snapshot: this.#snapshot as Snapshot,
      diagnostics: [...found.diagnostics, ...this.#meshDiagnostics, ...this.#moot(ordered)],
      leftAlone: found.leftAlone,
      passedOver: found.passedOver,
      changed: { added, modified, removed },
      keptLastGood: kept.map(refOf),
      refused,
      meshConfig: meshFile && {
        file: meshFile.file,
        changed: meshBefore !== this.#mesh?.text,
        state: !this.#meshDiagnostics.some(isError) ? 'good' : this.#mesh === undefined ? 'refused' : 'kept',
      },
      brokenFiles: found.brokenFiles,
      closed: found.closed,
      text: (file) => files.get(file)?.text ?? (file === meshFile?.file ? meshFile.text : undefined),
    };
  }

  #meshDocument(file: FileText | undefined, diagnostics: Diagnostic[]): SourceDocument | undefined {
    if (file?.problem) diagnostics.push(file.problem);
    if (!file) return undefined;
    if (file.text === undefined) return this.#mesh;
    return { file: file.file, index: 0, firstLine: 1, text: file.text };
  }
}

/** A resource's mistakes; without any, what of it does less here than in a cluster, unless that was said already. */
function judge(resource: Resource, engine: Engine | undefined): readonly Diagnostic[] {
  const problems = validateResource(resource, engine);
  if (problems.some(({ severity }) => severity === 'error')) return problems;
  const said = new Set(problems.map(({ path }) => JSON.stringify(path)));
  return [...problems, ...unsupportedFields(resource, engine).filter(({ path }) => !said.has(JSON.stringify(path)))];
}

interface Chosen {
  readonly good: readonly Resource[];
  readonly kept: readonly Resource[];
  readonly refused: readonly Ref[];
}
interface Found {
  readonly diagnostics: Diagnostic[];
  readonly leftAlone: readonly LeftAlone[];
  readonly passedOver: readonly PassedOver[];
  readonly brokenFiles: ReadonlySet<string>;
  readonly closed: readonly string[];
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

function keyOf(resource: Resource): string {
  return resourceKey(refOf(resource));
}

/** Takes the parsed values over where only comments or layout changed, for whoever caches by their identity. */
function withSameParts(candidate: Resource, current: Resource | undefined): Resource {
  if (!current || !isDeepStrictEqual(candidate.body, current.body)) return candidate;
  return { ...candidate, body: current.body, spec: current.spec };
}

function duplicate(second: Resource, first: Resource): Diagnostic {
  const { kind, metadata } = second;
  const name = metadata.namespace === '' ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  const place = locate(first, ['metadata', 'name']);
  return {
    code: 'MZ0007',
    severity: 'error',
    message: `${kind} \`${name}\` is given twice`,
    ref: refOf(second),
    path: ['metadata', 'name'],
    span: locate(second, ['metadata', 'name']),
    help: `the one at ${place?.file}:${place?.line} is in force; remove or rename the other`,
  };
}

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isRecord, parseDocument, refOf, resourceKey } from '@mizzen/api';
import type { KindSpecs, Resource, Snapshot, SourceDocument } from '@mizzen/api';
import { KINDS } from '@mizzen/api';
import { isWithin, type ReadResult } from '@mizzen/sources';

/**
 * What was in force, kept in a file of the state directory: a control process that starts while a mesh file is broken
 * goes on with the version before, as the one it replaces did.
 */
export class LastGood {
  readonly #file: string;
  readonly #onProblem: (text: string) => void;
  #documents: readonly SourceDocument[];
  #saved = '';

  /** `onProblem` is told when the file cannot be written: nothing else stops for that. */
  constructor(file: string, onProblem: (text: string) => void) {
    this.#file = file;
    this.#onProblem = onProblem;
    this.#documents = load(file);
  }

  /** Resources that a broken text hides now, and that had a good version when a process last saw one. */
  restore(result: ReadResult): Resource[] {
    const { brokenFiles, closed } = result;
    const refused = new Set(result.refused.map(resourceKey));
    if (brokenFiles.size + refused.size + closed.length === 0) return [];
    const mayBeIn = (file: string): boolean => brokenFiles.has(file) || closed.some((place) => isWithin(file, place));
    const kept: Resource[] = [];
    let order = -1;
    for (const document of this.#documents) {
      for (const resource of parseDocument(document).resources) {
        const current = result.snapshot.find(refOf(resource));
        if (current !== undefined) order = current.order;
        else if (mayBeIn(document.file) || refused.has(resourceKey(refOf(resource))))
          kept.push({ ...resource, order: order + 0.5 });
      }
    }
    return kept;
  }

  save(snapshot: Snapshot): void {
    const documents = documentsOf(snapshot);
    const text = JSON.stringify(documents);
    if (text === this.#saved) return;
    this.#documents = documents;
    const temporary = `${this.#file}.new`;
    try {
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, this.#file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#onProblem(`what is in force cannot be kept for a process that starts with a broken file: ${reason}`);
      return;
    }
    this.#saved = text;
  }
}

/** Every document with something in force, in reading order. */
function documentsOf(snapshot: Snapshot): SourceDocument[] {
  const resources = (Object.keys(KINDS) as (keyof KindSpecs)[]).flatMap((kind): readonly Resource[] =>
    snapshot.list(kind),
  );
  const ordered = resources.filter(({ source }) => !source.file.startsWith('<')).toSorted((a, b) => a.order - b.order);
  const found = new Map<string, SourceDocument>();
  for (const { source } of ordered) {
    const { file, index, firstLine, text } = source;
    found.set(`${file} ${index} ${text}`, { file, index, firstLine, text });
  }
  return [...found.values()];
}

function load(file: string): SourceDocument[] {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value.filter(isDocument) : [];
  } catch {
    // None yet, or cut short: then there is no version to go back to.
    return [];
  }
}

function isDocument(value: unknown): value is SourceDocument {
  if (!isRecord(value)) return false;
  const { file, index, firstLine, text } = value;
  return (
    typeof file === 'string' && typeof index === 'number' && typeof firstLine === 'number' && typeof text === 'string'
  );
}

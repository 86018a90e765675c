import { useSyncExternalStore } from 'react';

/** A text that is not the file's yet. */
export interface Draft {
  readonly text: string;
  /** The text that the edit began with, and its version: what it is compared with, and what it is to replace. */
  readonly base: string;
  readonly version: string;
}

const KEY = 'mizzen-draft ';
const drafts = new Map<string, Draft | undefined>();
const listeners = new Set<() => void>();

/** Edits outlive the page that they are made on, and its being loaded again: they are the tab's. */
function draftOf(file: string): Draft | undefined {
  if (!drafts.has(file)) drafts.set(file, stored(file));
  return drafts.get(file);
}

function stored(file: string): Draft | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY + file) ?? 'null');
    return value === null ? undefined : (value as Draft);
  } catch {
    return undefined;
  }
}

export function setDraft(file: string, draft: Draft | undefined): void {
  const kept = draft === undefined || draft.text === draft.base ? undefined : draft;
  drafts.set(file, kept);
  try {
    if (kept === undefined) sessionStorage.removeItem(KEY + file);
    else sessionStorage.setItem(KEY + file, JSON.stringify(kept));
  } catch {
    // No room: it lives as long as the page.
  }
  for (const listener of listeners) listener();
}

export function useDraft(file: string): Draft | undefined {
  return useSyncExternalStore(subscribe, () => draftOf(file));
}

/** Files with edits that are not written, in a line. */
function draftNames(): string {
  const names = new Set<string>();
  for (const [file, draft] of drafts) if (draft !== undefined) names.add(file);
  for (let at = 0; at < sessionStorage.length; at++) {
    const key = sessionStorage.key(at) ?? '';
    if (key.startsWith(KEY)) names.add(key.slice(KEY.length));
  }
  return [...names].toSorted().join('\n');
}

export function useDrafts(): readonly string[] {
  return useSyncExternalStore(subscribe, draftNames).split('\n');
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

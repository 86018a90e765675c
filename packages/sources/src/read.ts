import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { STDIN_NAME, discover, unreadable } from './discover.ts';
import type { Discovered } from './discover.ts';
import { Ledger } from './ledger.ts';
import type { FileText, LedgerOptions, ReadResult } from './ledger.ts';

export interface ReadOptions extends LedgerOptions {
  /** Path of a file that holds a MeshConfig. */
  readonly meshConfig?: string;
  /** Where `-` reads from; the process's standard input unless told. */
  readonly stdin?: NodeJS.ReadableStream;
}

/** As istiod finds things in a store that it did not fill itself: for `x xds` and what compares with istiod. */
export const AS_ISTIOD = { admit: 'readable', meshDefaults: 'istiod' } as const satisfies LedgerOptions;

/**
 * Reads every resource in files, directories (recursively) and, for `-`, standard input, once. What is wrong is in the
 * result's diagnostics: a missing path, a file that does not parse, a resource that is not valid. Never rejects for them.
 */
export async function readFiles(paths: readonly string[], options: ReadOptions = {}): Promise<ReadResult> {
  const found = discover(paths);
  const stdin = found.files.includes(STDIN_NAME) ? await readAll(options.stdin ?? process.stdin) : undefined;
  const files = found.files.flatMap((file) => readText(file, stdin) ?? []);
  const { meshConfig } = options;
  const mesh = meshConfig === undefined ? undefined : (readText(meshConfig, stdin) ?? missingMesh(meshConfig));
  return update(new Ledger(options), found, files, mesh);
}

/** Feeds a ledger, adding to its result what finding the files told. */
export function update(
  ledger: Ledger,
  found: Discovered,
  files: readonly FileText[],
  meshConfig: FileText | undefined,
): ReadResult {
  const result = ledger.update(files, meshConfig, found.closed);
  return {
    ...result,
    diagnostics: [...found.diagnostics, ...result.diagnostics],
    passedOver: [...found.passedOver, ...result.passedOver],
  };
}

export function missingMesh(path: string): FileText {
  return { file: path, text: undefined, problem: unreadable(path, { code: 'ENOENT' }) };
}

/** A file's text; undefined when it is no longer there. */
export function readText(file: string, stdin: string | undefined): FileText | undefined {
  if (file === STDIN_NAME) return { file, text: stdin };
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { file, text: undefined, problem: unreadable(file, error) };
  }
}

import { withSpan } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';
import type { ReadResult } from '@mizzen/sources';

/** All that is wrong with what was read, by file and line, the patches of EnvoyFilters included, which only Envoy's API can tell. */
export async function diagnosticsOf({ diagnostics, snapshot }: ReadResult): Promise<readonly Diagnostic[]> {
  if (snapshot.list('EnvoyFilter').length === 0) return inOrder(diagnostics);
  const { envoyFilterProblems } = await import('@mizzen/translator');
  return inOrder([...diagnostics, ...envoyFilterProblems(snapshot).map((each) => withSpan(each, snapshot))]);
}

/** What is of no place comes first. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(({ span: a }, { span: b }) => {
    if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
    if (a.file !== b.file) return a.file < b.file ? -1 : 1;
    return a.line - b.line || a.column - b.column;
  });
}
